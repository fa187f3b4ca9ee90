//! A run from file to file.

use std::io::{self, IsTerminal};
use std::ops::Range;
use std::process::ExitCode;
use std::rc::Rc;

use burn::tensor::Device;
use whisper_rs::{Audio, Error, Segment};

use super::batch::Batch;
use super::fail;
use crate::cli::arguments::TranscribeArguments;
use crate::cli::engine::{Engine, language_title};
use crate::cli::feedback::interrupt::Interrupt;
use crate::cli::feedback::messages;
use crate::cli::feedback::progress::{ProgressDisplay, Unit};
use crate::cli::feedback::reports::{
    ENDING, SECONDS_PER_FRAME, about, between_files, interrupted, strict_warning, tell,
};
use crate::cli::feedback::transcript_lines::TranscriptLines;
use crate::cli::feedback::waiting::Waiting;
use crate::cli::inputs::Input;
use crate::cli::models::Models;
use crate::cli::outputs::Outputs;
use crate::cli::standard_output::StandardOutput;
use crate::cli::{FAILED, INTERRUPTED};

/// Why a file has no transcript.
enum Failure {
    /// This file is at fault.
    File(String),
    /// Every other file would fail in the same way.
    All(String),
    /// Nobody reads standard output any more, and no files are to be written.
    Unread,
    /// The user has asked for an end; what to do next.
    Interrupted(String),
}

/// What is there from file to file.
pub struct Run<'a> {
    pub arguments: &'a TranscribeArguments,
    pub inputs: &'a [Input],
    pub batch: Batch,
    pub interrupt: Interrupt,
    pub device: Device,
    /// Whether a recording has been computed on it, or silence.
    pub has_worked: bool,
    pub outputs: Option<&'a Outputs>,
    pub models: Models,
    /// Loaded for the first file that can be decoded: a mistyped file name does not wait for a model, or fetch one.
    pub engine: Option<Rc<Engine>>,
    pub stdout: StandardOutput,
    pub lines: TranscriptLines,
}

impl Run<'_> {
    /// Does one input after the other. `failed`: whether something has failed before.
    pub fn all_files(&mut self, failed: bool) -> ExitCode {
        let inputs = self.inputs;
        let mut code = match failed {
            true => ExitCode::from(FAILED),
            false => ExitCode::SUCCESS,
        };
        let mut skipped = 0;
        let mut index = 0;
        while let Some(input) = inputs.get(index) {
            if self.interrupt.asked() {
                let files = self.arguments.output.writes_files();
                return fail(INTERRUPTED, between_files(index, inputs.len(), files));
            }
            if self.is_done(index, input) {
                skipped += 1;
                self.batch.skip(index);
                index += 1;
                continue;
            }
            if inputs.len() > 1 {
                messages::note(format!(
                    "{} ({} of {})",
                    input.name(),
                    index + 1,
                    inputs.len()
                ));
            }
            match self.one_file(index, input) {
                Ok(done) => index += done,
                Err(Failure::File(message)) => {
                    code = fail(FAILED, message);
                    self.batch.skip(index);
                    index += 1;
                }
                Err(Failure::All(message)) => return fail(FAILED, message),
                Err(Failure::Unread) => return code,
                Err(Failure::Interrupted(message)) => return fail(INTERRUPTED, message),
            }
        }
        if skipped > 0 {
            messages::note(format!(
                "--resume: {skipped} of {} were done already",
                inputs.len()
            ));
        }
        match self.stdout.failed() {
            true => ExitCode::from(FAILED),
            false => code,
        }
    }

    fn is_done(&self, index: usize, input: &Input) -> bool {
        self.arguments.input.resume
            && (self.outputs).is_some_and(|outputs| outputs.are_done(index, input))
    }

    /// Transcribes an input, and returns how many inputs are done by that: two where they are the left and the right
    /// channel of a file that has one.
    fn one_file(&mut self, index: usize, input: &Input) -> Result<usize, Failure> {
        let audio = self.open(input)?;
        for warning in audio.warnings() {
            messages::warning(format!("{}: {warning}", input.name()));
        }
        let engine = self.engine()?;
        if self.arguments.engine.speech.detect_language {
            return self.print_language(&engine, input, &audio).map(|()| 1);
        }
        let next = self.inputs.get(index + 1);
        let twice = audio.source_channels() == Some(1)
            && next.is_some_and(|next| input.is_other_channel(next));
        if twice {
            messages::note(format!(
                "{}: has one channel, which is left and right",
                input.path.display()
            ));
            self.batch.skip(index + 1);
        }
        let done = 1 + usize::from(twice);
        self.transcribe(&engine, index..index + done, &audio)?;
        Ok(done)
    }

    fn open(&self, input: &Input) -> Result<Audio, Failure> {
        let mut options = self.arguments.input.audio_options();
        options.channel = input.channel;
        let audio = match input.is_standard_input() {
            true => Audio::from_reader_with(io::stdin(), &input.name(), &options),
            false => Audio::open_with(&input.path, &options),
        };
        audio.map_err(|error| Failure::File(about(&input.path, &error)))
    }

    fn engine(&mut self) -> Result<Rc<Engine>, Failure> {
        if let Some(engine) = &self.engine {
            return Ok(Rc::clone(engine));
        }
        let engine = Engine::load(&self.arguments.engine, &self.models, &self.device)
            .and_then(|engine| self.warmed_up(engine))
            .map_err(|error| Failure::All(error.to_string()))?;
        Ok(Rc::clone(self.engine.insert(Rc::new(engine))))
    }

    fn warmed_up(&self, engine: Engine) -> Result<Engine, Error> {
        if self.arguments.engine.model.warmup {
            let took = engine.warm_up()?;
            messages::note(format!("warmed up in {:.2} s", took.as_secs_f64()));
        }
        Ok(engine)
    }

    /// Who waits for the first work of the device that is seen: what warms it up says so itself.
    fn first_work(&mut self) -> Option<Waiting> {
        let has_worked = std::mem::replace(&mut self.has_worked, true);
        (!has_worked).then(|| Waiting::for_first_work(&self.device))
    }

    /// `talk.wav: English (en), probability 0.98`
    fn print_language(
        &mut self,
        engine: &Engine,
        input: &Input,
        audio: &Audio,
    ) -> Result<(), Failure> {
        if !engine.whisper.is_multilingual() {
            let model = self.arguments.engine.model.name();
            return Err(Failure::All(format!(
                "{model} is an English-only model: it cannot detect a language; give another --model"
            )));
        }
        let waiting = self.first_work();
        let detected = (engine.whisper.detect_language(audio))
            .map_err(|error| Failure::File(about(&input.path, &error)))?;
        drop(waiting);
        let (name, code) = (input.name(), detected.language);
        let (title, sure) = (language_title(code), detected.probability());
        let line = format!("{name}: {title} ({code}), probability {sure:.2}");
        let printed = self.stdout.write(|out| writeln!(out, "{line}"));
        printed.map_err(|error| Failure::All(unwritable(error)))?;
        match self.stdout.closed() {
            true => Err(Failure::Unread),
            false => Ok(()),
        }
    }

    /// Transcribes, shows the segments or a progress bar meanwhile, and writes the outputs of these inputs, which are
    /// one recording.
    fn transcribe(
        &mut self,
        engine: &Engine,
        inputs: Range<usize>,
        audio: &Audio,
    ) -> Result<(), Failure> {
        let index = inputs.start;
        let file = self.inputs[index].path.as_path();
        let failed = |error: Error| Failure::File(about(file, &error));
        let mut transcription = engine.whisper.transcription(audio, &engine.options);
        if let Some(waiting) = self.first_work() {
            transcription = transcription.on_event(waiting.until_first_window());
        }
        let segments = transcription.until(self.interrupt.token()).segments();
        let mut segments = segments.map_err(failed)?;
        if engine.options.language.is_none() {
            let language = language_title(segments.language());
            messages::note(format!("Detected language: {language}"));
        }
        let on_standard_output = self.outputs.is_some_and(Outputs::on_standard_output);
        let writes_files = self.outputs.is_some() && !on_standard_output;
        let shown = self.arguments.feedback.verbose && !on_standard_output;
        let asked = self.arguments.feedback.print_progress;
        let end = decoded_until(&engine.options.clip_timestamps, audio.seconds());
        self.batch.begin(index, end);
        let mut progress = begin(self.inputs, index, end, shown && !asked);
        let notices = progress.as_ref().map(ProgressDisplay::notices);
        let working = self.interrupt.while_working(|| match notices {
            Some(notice) => notice(ENDING),
            None => messages::note(ENDING),
        });
        let outputs = self.outputs.map(|outputs| outputs.begin(inputs));
        let mut outputs = outputs.transpose().map_err(Failure::File)?;
        let mut all: Vec<Segment> = Vec::new();
        while let Some(segment) = segments.next() {
            let segment = segment.map_err(failed)?;
            tell(&segment);
            if let Some(progress) = &mut progress {
                // The bar goes with what is shown: other segments of the same window come next.
                let position = segment
                    .end
                    .min(segments.position() as f64 * SECONDS_PER_FRAME);
                let fraction = position / end;
                progress.set_all_left(self.batch.time_left(index, fraction));
                progress.set(position);
            }
            if shown {
                let mut print = || {
                    let printed = self.lines.print(&segment, &mut self.stdout);
                    match printed.map_err(unwritable) {
                        // The files are written all the same.
                        Err(message) if writes_files => {
                            messages::error(message);
                            Ok(())
                        }
                        printed => printed,
                    }
                };
                let printed = match &progress {
                    Some(progress) => progress.interrupt(print),
                    None => print(),
                };
                printed.map_err(Failure::All)?;
            }
            if let Some(outputs) = &mut outputs {
                (outputs.segment(&segment, &mut self.stdout)).map_err(Failure::File)?;
            }
            if self.stdout.closed() && !writes_files {
                return Err(Failure::Unread);
            }
            if engine.options.strict {
                strict_warning(file, all.last(), &segment);
            }
            all.push(segment);
        }
        let stopped = segments.cancelled();
        if let Some(mut progress) = progress {
            if shown || stopped {
                progress.clear();
            } else {
                progress.set(end);
                progress.finish();
            }
        }
        let end = segments.position() as f64 * SECONDS_PER_FRAME;
        let transcript = segments.transcript(all);
        if stopped {
            let left = outputs.map(|outputs| outputs.leave(&transcript, &mut self.stdout));
            let left = left.transpose().map_err(Failure::File)?.flatten();
            return Err(Failure::Interrupted(interrupted(end, audio, left)));
        }
        if let Some(outputs) = outputs {
            (outputs.finish(&transcript, &mut self.stdout)).map_err(Failure::File)?;
        }
        drop(working);
        Ok(())
    }
}

/// How far an input is, of which `end` seconds are decoded: instead of its segments, or on a terminal below them.
fn begin(inputs: &[Input], index: usize, end: f64, shown: bool) -> Option<ProgressDisplay> {
    if shown && !io::stderr().is_terminal() {
        return None;
    }
    let name = inputs[index].short_name();
    let label = match inputs.len() {
        1 => name,
        count => format!("{name} ({} of {count})", index + 1),
    };
    Some(ProgressDisplay::begin(label, Unit::AudioSeconds, Some(end)))
}

/// Where the last clip ends, in seconds; without clips, or where the last one has no end, the audio's.
fn decoded_until(clips: &[f64], seconds: f64) -> f64 {
    match clips {
        [.., end] if clips.len().is_multiple_of(2) => end.min(seconds),
        _ => seconds,
    }
}

fn unwritable(error: io::Error) -> String {
    format!("standard output: {error}")
}

#[cfg(test)]
mod tests {
    use super::decoded_until;

    #[test]
    fn clips_end_where_the_last_one_does() {
        assert_eq!(decoded_until(&[], 60.0), 60.0);
        assert_eq!(decoded_until(&[30.0], 60.0), 60.0);
        assert_eq!(decoded_until(&[0.0, 8.0], 60.0), 8.0);
        assert_eq!(decoded_until(&[0.0, 8.0, 20.0, 90.0], 60.0), 60.0);
    }
}
