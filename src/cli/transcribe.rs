//! `whisper-rs transcribe`: from audio files to transcripts.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

use burn::tensor::Device;
use whisper_rs::frontend::note_on_filters;
use whisper_rs::tokenizer::languages;
use whisper_rs::{Audio, Error, Segment, Task, TranscribeOptions, Transcript, Whisper, device};
use whisper_weights::Checkpoint;

use super::arguments::TranscribeArguments;
use super::batch::Batch;
use super::feedback_flags::LogFormat;
use super::inputs::{self, Input};
use super::interrupt::Interrupt;
use super::log::{self, TARGET};
use super::models::Models;
use super::outputs::{InputOutputs, Outputs};
use super::progress::{Progress, Unit, clock};
use super::standard_output::StandardOutput;
use super::transcript_lines::TranscriptLines;
use super::{FAILED, INTERRUPTED, USAGE, messages, threads};

/// The frames that the library counts in.
const SECONDS_PER_FRAME: f64 = 0.01;

/// Transcribes each file in turn. A file that fails is reported and the others still go through.
pub fn run(arguments: &TranscribeArguments) -> ExitCode {
    let feedback = &arguments.feedback;
    log::configure(feedback.level(), feedback.log_format == LogFormat::Json);
    let interrupt = match Interrupt::watch() {
        Ok(interrupt) => interrupt,
        Err(error) => return fail(FAILED, format!("cannot watch for Ctrl-C: {error}")),
    };
    let device = match device::open(&arguments.device_name()) {
        Ok(device) => device,
        Err(error) => return fail(USAGE, error),
    };
    if let Err(message) = threads::configure(arguments.threads) {
        return fail(FAILED, message);
    }
    let inputs = match inputs::inputs(&arguments.files, &arguments.input) {
        Ok(inputs) => inputs,
        Err(message) => return fail(FAILED, message),
    };
    let outputs = match Outputs::open(&arguments.output, &inputs) {
        Ok(outputs) => outputs,
        Err(message) => return fail(FAILED, message),
    };
    arguments.warnings().for_each(messages::warning);
    if outputs.is_none() && !arguments.feedback.verbose {
        messages::warning(
            "the transcript goes nowhere: --verbose False prints none, and without --output_format \
             or --output_dir no file is written",
        );
    }
    // A mistyped model name should not wait for the audio to be decoded.
    let models = match Models::open(&arguments.store)
        .and_then(|models| models.check(arguments.model()).map(|()| models))
    {
        Ok(models) => models,
        Err(error) => return fail(FAILED, error),
    };
    Run {
        arguments,
        inputs: &inputs,
        batch: Batch::new(&inputs),
        interrupt,
        device,
        outputs: outputs.as_ref(),
        models,
        engine: None,
        stdout: StandardOutput::default(),
        lines: TranscriptLines::new(arguments.feedback.print_colors),
    }
    .all_files()
}

fn fail(code: u8, message: impl std::fmt::Display) -> ExitCode {
    messages::error(message);
    ExitCode::from(code)
}

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

struct Run<'a> {
    arguments: &'a TranscribeArguments,
    inputs: &'a [Input],
    batch: Batch,
    interrupt: Interrupt,
    device: Device,
    outputs: Option<&'a Outputs>,
    models: Models,
    /// Loaded for the first file that can be decoded: a mistyped file name does not wait for a model, or fetch one.
    engine: Option<Engine>,
    stdout: StandardOutput,
    lines: TranscriptLines,
}

impl Run<'_> {
    fn all_files(&mut self) -> ExitCode {
        let inputs = self.inputs;
        let mut code = ExitCode::SUCCESS;
        let mut skipped = 0;
        for (index, input) in inputs.iter().enumerate() {
            if self.is_done(index, input) {
                skipped += 1;
                self.batch.skip(index);
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
                Ok(()) => {}
                Err(Failure::File(message)) => code = fail(FAILED, message),
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
        code
    }

    fn is_done(&self, index: usize, input: &Input) -> bool {
        self.arguments.input.resume
            && (self.outputs).is_some_and(|outputs| outputs.are_done(index, input))
    }

    fn one_file(&mut self, index: usize, input: &Input) -> Result<(), Failure> {
        let audio = self.open(input)?;
        for warning in audio.warnings() {
            messages::warning(format!("{}: {warning}", input.name()));
        }
        let outputs = self.outputs.map(|outputs| outputs.begin(index));
        let mut outputs = outputs.transpose().map_err(Failure::File)?;
        let transcript = self.transcript(index, &audio, outputs.as_mut())?;
        if self.interrupt.asked() {
            let end = transcript.segments.last().map_or(0.0, |last| last.end);
            let left = outputs.map(|outputs| outputs.leave(&transcript, &mut self.stdout));
            let left = left.transpose().map_err(Failure::File)?.flatten();
            return Err(Failure::Interrupted(interrupted(end, &audio, left)));
        }
        match outputs {
            Some(outputs) => outputs
                .finish(&transcript, &mut self.stdout)
                .map_err(Failure::File),
            None => Ok(()),
        }
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

    /// Transcribes, and shows the segments or a progress bar meanwhile.
    fn transcript(
        &mut self,
        index: usize,
        audio: &Audio,
        mut outputs: Option<&mut InputOutputs<'_>>,
    ) -> Result<Transcript, Failure> {
        let file = self.inputs[index].path.as_path();
        let failed = |error: Error| Failure::File(about(file, &error));
        let engine = match &self.engine {
            Some(engine) => engine,
            None => {
                let engine = Engine::load(self.arguments, &self.models, &self.device)
                    .map_err(|error| Failure::All(error.to_string()))?;
                self.engine.insert(engine)
            }
        };
        let _working = self.interrupt.while_working();
        let mut segments = (engine.whisper.segments(audio, &engine.options)).map_err(failed)?;
        if engine.options.language.is_none() {
            let language = language_title(segments.language());
            messages::note(format!("Detected language: {language}"));
        }
        let on_standard_output = self.outputs.is_some_and(Outputs::on_standard_output);
        let writes_files = self.outputs.is_some() && !on_standard_output;
        let shown = self.arguments.feedback.verbose && !on_standard_output;
        let mut progress = progress(self.inputs, index, audio, shown);
        let mut all: Vec<Segment> = Vec::new();
        while let Some(segment) = segments.next() {
            let segment = segment.map_err(failed)?;
            tell(&segment);
            if let Some(progress) = &mut progress {
                let position = segments.position() as f64 * SECONDS_PER_FRAME;
                let fraction = position / audio.seconds();
                progress.set_all_left(self.batch.time_left(index, fraction));
                progress.set(position);
            }
            if shown {
                let mut print = || self.lines.print(&segment, &mut self.stdout);
                let printed = match &progress {
                    Some(progress) => progress.interrupt(print),
                    None => print(),
                };
                printed.map_err(unwritable)?;
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
            if self.interrupt.asked() {
                break;
            }
        }
        if let Some(mut progress) = progress {
            if shown || self.interrupt.asked() {
                progress.clear();
            } else {
                progress.set(audio.seconds());
                progress.finish();
            }
        }
        let language = segments.language().to_owned();
        Ok(Transcript::new(segments.text(), all, language))
    }
}

/// How far an input is: instead of its segments, or on a terminal below them.
fn progress(inputs: &[Input], index: usize, audio: &Audio, shown: bool) -> Option<Progress> {
    if shown && !io::stderr().is_terminal() {
        return None;
    }
    let path = inputs[index].path.as_path();
    let name = path.file_name().unwrap_or(path.as_os_str());
    let name = name.to_string_lossy();
    let label = match inputs.len() {
        1 => name.into_owned(),
        count => format!("{name} ({} of {count})", index + 1),
    };
    Some(Progress::begin(
        label,
        Unit::AudioSeconds,
        Some(audio.seconds()),
    ))
}

/// Tells how a segment was decoded, to those who asked for that much.
fn tell(segment: &Segment) {
    tracing::debug!(
        target: TARGET,
        id = segment.id as u64,
        start = segment.start,
        end = segment.end,
        text = segment.text.as_str(),
        temperature = segment.temperature,
        avg_logprob = segment.avg_logprob,
        compression_ratio = segment.compression_ratio,
        no_speech_prob = segment.no_speech_prob,
        "segment"
    );
}

/// What is there of a recording that was interrupted at so many seconds, and how to go on.
fn interrupted(end: f64, audio: &Audio, left: Option<String>) -> String {
    let (at, of) = (clock(end), clock(audio.seconds()));
    let go_on = format!("--clip_timestamps {end:.2} goes on from there");
    match left {
        Some(left) => format!(
            "interrupted at {at} of {of}: what there is is in {left}; the same command with --resume does what is not done, {go_on}"
        ),
        None => format!("interrupted at {at} of {of}: {go_on}"),
    }
}

/// Tells of a window that fallback sampled: its text is no longer what openai/whisper's would be.
fn strict_warning(file: &Path, last: Option<&Segment>, segment: &Segment) {
    let told = last.is_some_and(|last| last.seek == segment.seek);
    if segment.temperature > 0.0 && !told {
        messages::warning(format!(
            "{}: --strict: the window at {:.2} s was sampled at temperature {:.1}, and no two programs sample alike",
            file.display(),
            segment.seek as f64 * SECONDS_PER_FRAME,
            segment.temperature,
        ));
    }
}

fn unwritable(error: io::Error) -> Failure {
    Failure::All(format!("standard output: {error}"))
}

/// The error's line, which names the file even where the error itself does not.
fn about(file: &Path, error: &Error) -> String {
    match error {
        Error::Io { .. } | Error::Audio { .. } => error.to_string(),
        _ => format!("{}: {error}", file.display()),
    }
}

/// A model ready to transcribe, with the options that fit it.
struct Engine {
    whisper: Whisper,
    options: TranscribeOptions,
}

impl Engine {
    fn load(
        arguments: &TranscribeArguments,
        models: &Models,
        device: &Device,
    ) -> Result<Self, Error> {
        let checkpoint = Checkpoint::open(models.fetch(arguments.model())?)?;
        for line in checkpoint.notes() {
            messages::note(&line);
        }
        if let Some(line) = note_on_filters(&checkpoint) {
            messages::warning(line);
        }
        let whisper = Whisper::from_checkpoint_as(&checkpoint, device, arguments.compute_type())?
            .with_smoothing(arguments.smoothing.into())
            .with_normalisation(arguments.normalise.into());
        let mut options = arguments.options();
        if !whisper.is_multilingual() {
            english_only(arguments.model(), &mut options);
        }
        word_warnings(&options).for_each(messages::warning);
        Ok(Engine { whisper, options })
    }
}

/// An English-only model transcribes English, whatever was asked for (openai/whisper `transcribe.py`, `cli`).
fn english_only(model: &str, options: &mut TranscribeOptions) {
    if let Some(language) = options
        .language
        .as_deref()
        .filter(|&language| language != "en")
    {
        let name = language_title(language);
        messages::warning(format!(
            "{model} is an English-only model: using English instead of {name}"
        ));
    }
    if options.task == Task::Translate {
        messages::warning(format!(
            "{model} is an English-only model: it transcribes and does not translate"
        ));
    }
    if options.multilingual {
        messages::warning(format!(
            "{model} is an English-only model: --multilingual has no effect"
        ));
    }
    options.language = Some("en".to_owned());
    options.task = Task::Transcribe;
    options.multilingual = false;
}

/// What options about words will not do as they seem to.
fn word_warnings(options: &TranscribeOptions) -> impl Iterator<Item = &'static str> {
    let translated = options.word_timestamps && options.task == Task::Translate;
    let unused = !options.word_timestamps && options.hallucination_silence_threshold.is_some();
    [
        translated.then_some("word timestamps of a translation may not be reliable"),
        unused.then_some(
            "--hallucination_silence_threshold has no effect without --word_timestamps True",
        ),
    ]
    .into_iter()
    .flatten()
}

/// A language's English name as it is written: `haitian creole` is Haitian Creole.
fn language_title(code: &str) -> String {
    let name = languages::language_name(code).unwrap_or(code);
    let mut title = String::new();
    for letter in name.chars() {
        if title.is_empty() || title.ends_with(' ') {
            title.extend(letter.to_uppercase())
        } else {
            title.push(letter)
        }
    }
    title
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_written_with_capitals() {
        assert_eq!(language_title("ht"), "Haitian Creole");
        assert_eq!(language_title("fr"), "French");
    }

    #[test]
    fn an_english_only_model_transcribes_english() {
        let mut options = TranscribeOptions::default();
        options.language = Some("fr".to_owned());
        options.task = Task::Translate;
        english_only("tiny.en", &mut options);
        assert_eq!(options.language.as_deref(), Some("en"));
        assert_eq!(options.task, Task::Transcribe);
    }

    #[test]
    fn word_options_that_do_not_do_what_they_seem_to_are_told() {
        let mut options = TranscribeOptions::default();
        assert_eq!(word_warnings(&options).count(), 0);
        options.hallucination_silence_threshold = Some(2.0);
        let warning = word_warnings(&options).next().unwrap();
        assert!(warning.contains("without --word_timestamps"), "{warning}");
        options.word_timestamps = true;
        assert_eq!(word_warnings(&options).count(), 0);
        options.task = Task::Translate;
        let warning = word_warnings(&options).next().unwrap();
        assert!(warning.contains("translation"), "{warning}");
    }

    #[test]
    fn an_error_names_its_file_once() {
        let file = Path::new("a.wav");
        let own = Error::Audio {
            name: "a.wav".to_owned(),
            reason: "is empty".to_owned(),
        };
        assert_eq!(about(file, &own), "a.wav: is empty");
        assert_eq!(about(file, &Error::Option("bad".to_owned())), "a.wav: bad");
    }
}
