//! A model that is loaded, and the options as they fit it.

use std::time::Duration;

use burn::tensor::Device;
use regex::Regex;
use whisper_rs::frontend::note_on_filters;
use whisper_rs::tokenizer::{Tokenizer, languages};
use whisper_rs::{ComputeType, Error, Task, TranscribeOptions, Whisper};
use whisper_weights::Checkpoint;

use super::feedback::messages;
use super::feedback::waiting::Waiting;
use super::flags::engine::EngineFlags;
use super::models::Models;

/// A model ready to transcribe, with the options that fit it.
pub struct Engine {
    pub whisper: Whisper,
    pub options: TranscribeOptions,
}

impl Engine {
    /// Fetches the model where it is not here yet, and loads it.
    pub fn load(flags: &EngineFlags, models: &Models, device: &Device) -> Result<Self, Error> {
        let checkpoint = Checkpoint::open(models.fetch(flags.model.name())?)?;
        for line in checkpoint.notes() {
            messages::note(&line);
        }
        if let Some(line) = note_on_filters(&checkpoint) {
            messages::warning(line);
        }
        let mut options = flags.options();
        let compute_type = match flags.model.compute_type(device) {
            // The one that is proven.
            ComputeType::Auto if options.strict => ComputeType::Float32,
            compute_type => compute_type,
        };
        let waiting = Waiting::for_model(device);
        let whisper = Whisper::builder(flags.model.name())
            .on(device)
            .compute_type(compute_type)
            .smoothing(flags.speech.smoothing.into())
            .normalisation(flags.speech.normalise.into())
            .load_checkpoint(&checkpoint)?;
        drop(waiting);
        if !whisper.is_multilingual() {
            english_only(flags.model.name(), &mut options);
        }
        if let Some(regex) = &flags.decoding.suppress_regex.0 {
            let matching = tokens_matching(regex, whisper.tokenizer());
            messages::note(format!("--suppress_regex: {} tokens match", matching.len()));
            options.suppress_tokens.extend(matching);
        }
        word_warnings(&options).for_each(messages::warning);
        Ok(Engine { whisper, options })
    }

    /// Runs the model once on silence, see [`Whisper::warm_up`].
    pub fn warm_up(&self) -> Result<Duration, Error> {
        let _waiting = Waiting::for_first_work(self.whisper.device());
        self.whisper.warm_up(&self.options)
    }
}

/// The tokens of text that match as a whole.
fn tokens_matching(regex: &Regex, tokenizer: &Tokenizer) -> Vec<i64> {
    (0..tokenizer.eot())
        .filter(|&token| regex.is_match(&tokenizer.decode(&[token])))
        .map(i64::from)
        .collect()
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
pub fn language_title(code: &str) -> String {
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
}
