//! `whisper-rs transcribe`: from audio files to transcripts.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use burn::tensor::Device;
use whisper_rs::tokenizer::languages;
use whisper_rs::{Audio, Error, Segment, Task, TranscribeOptions, Transcript, Whisper, device};
use whisper_weights::Checkpoint;

use super::arguments::TranscribeArguments;
use super::models::Models;
use super::outputs::{Outputs, STANDARD_INPUT};
use super::progress::{Progress, Unit};
use super::transcript_lines::TranscriptLines;
use super::{FAILED, USAGE, messages, threads};

/// The frames that the library counts in.
const SECONDS_PER_FRAME: f64 = 0.01;

/// Transcribes each file in turn. A file that fails is reported and the others still go through.
pub fn run(arguments: &TranscribeArguments) -> ExitCode {
    let device = match device::open(&arguments.device) {
        Ok(device) => device,
        Err(error) => return fail(USAGE, error),
    };
    if let Err(message) = threads::configure(arguments.threads.into()) {
        return fail(FAILED, message);
    }
    let outputs = match Outputs::open(arguments.output_dir.as_deref(), arguments.output_format) {
        Ok(outputs) => outputs,
        Err(message) => return fail(FAILED, message),
    };
    if outputs.is_none() && !arguments.verbose {
        messages::warning(
            "the transcript goes nowhere: --verbose False prints none, and without --output_format \
             or --output_dir no file is written",
        );
    }
    // A mistyped model name should not wait for the audio to be decoded.
    let models = match Models::open(&arguments.store)
        .and_then(|models| models.check(&arguments.model).map(|()| models))
    {
        Ok(models) => models,
        Err(error) => return fail(FAILED, error),
    };
    for (first, second) in outputs
        .iter()
        .flat_map(|outputs| outputs.collisions(&arguments.files))
    {
        let (first, second) = (first.display(), second.display());
        messages::warning(format!(
            "{first} and {second} have the same output name: the later one's files stay"
        ));
    }
    Run {
        arguments,
        device,
        outputs,
        models,
        engine: None,
        lines: TranscriptLines::default(),
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
}

struct Run<'a> {
    arguments: &'a TranscribeArguments,
    device: Device,
    outputs: Option<Outputs>,
    models: Models,
    /// Loaded for the first file that can be decoded: a mistyped file name does not wait for a model, or fetch one.
    engine: Option<Engine>,
    lines: TranscriptLines,
}

impl Run<'_> {
    fn all_files(&mut self) -> ExitCode {
        let files = &self.arguments.files;
        let mut code = ExitCode::SUCCESS;
        for (index, file) in files.iter().enumerate() {
            if files.len() > 1 {
                messages::note(format!(
                    "{} ({} of {})",
                    file.display(),
                    index + 1,
                    files.len()
                ));
            }
            match self.one_file(file) {
                Ok(()) => {}
                Err(Failure::File(message)) => code = fail(FAILED, message),
                Err(Failure::All(message)) => return fail(FAILED, message),
                Err(Failure::Unread) => return code,
            }
        }
        code
    }

    fn one_file(&mut self, file: &Path) -> Result<(), Failure> {
        let audio = open_audio(file).map_err(|error| Failure::File(about(file, &error)))?;
        for warning in audio.warnings() {
            messages::warning(format!("{}: {warning}", file.display()));
        }
        let transcript = self.transcript(file, &audio)?;
        match &self.outputs {
            Some(outputs) => outputs.write(file, &transcript).map_err(Failure::File),
            None => Ok(()),
        }
    }

    /// Transcribes, and shows the segments or a progress bar meanwhile.
    fn transcript(&mut self, file: &Path, audio: &Audio) -> Result<Transcript, Failure> {
        let failed = |error: Error| Failure::File(about(file, &error));
        let engine = match &self.engine {
            Some(engine) => engine,
            None => {
                let engine = Engine::load(self.arguments, &self.models, &self.device)
                    .map_err(|error| Failure::All(error.to_string()))?;
                self.engine.insert(engine)
            }
        };
        let mut segments = (engine.whisper.segments(audio, &engine.options)).map_err(failed)?;
        if engine.options.language.is_none() {
            let language = language_title(segments.language());
            messages::note(format!("Detected language: {language}"));
        }
        let mut progress = (!self.arguments.verbose).then(|| {
            let label = file
                .file_name()
                .unwrap_or(file.as_os_str())
                .to_string_lossy();
            Progress::begin(label, Unit::AudioSeconds, Some(audio.seconds()))
        });
        let mut all = Vec::new();
        while let Some(segment) = segments.next() {
            let segment = segment.map_err(failed)?;
            match &mut progress {
                Some(progress) => progress.set(segments.position() as f64 * SECONDS_PER_FRAME),
                None => self.lines.print(&segment).map_err(unwritable)?,
            }
            if self.lines.closed() && self.outputs.is_none() {
                return Err(Failure::Unread);
            }
            if engine.options.strict {
                strict_warning(file, all.last(), &segment);
            }
            all.push(segment);
        }
        if let Some(mut progress) = progress {
            progress.set(audio.seconds());
            progress.finish();
        }
        let language = segments.language().to_owned();
        Ok(Transcript::new(segments.text(), all, language))
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

fn open_audio(file: &Path) -> Result<Audio, Error> {
    if file == Path::new(STANDARD_INPUT) {
        return Audio::from_reader(io::stdin(), "standard input");
    }
    Audio::open(file)
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
        let checkpoint = Checkpoint::open(models.fetch(&arguments.model)?)?;
        for line in checkpoint.notes() {
            messages::note(&line);
        }
        let whisper = Whisper::from_checkpoint_as(&checkpoint, device, arguments.compute_type)?
            .with_smoothing(arguments.smoothing.into())
            .with_normalisation(arguments.normalise.into());
        let mut options = arguments.options();
        if !whisper.is_multilingual() {
            english_only(&arguments.model, &mut options);
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
