//! Transcripts that a subcommand needs for its own ends, by a model and nothing but a language.

use std::path::Path;

use burn::tensor::Device;
use whisper_rs::compare::TimedText;
use whisper_rs::{Audio, Error, TranscribeOptions, Whisper};
use whisper_weights::Checkpoint;

use super::feedback::reports::about;
use super::feedback::waiting::Waiting;
use super::models::{Models, StoreArguments};

/// A model that transcribes recordings, one after the other.
pub struct Transcriber {
    whisper: Whisper,
    options: TranscribeOptions,
}

impl Transcriber {
    /// Fetches the model where it is not here yet, and loads it.
    pub fn new(
        model: &str,
        store: &StoreArguments,
        device: &Device,
        language: Option<&str>,
    ) -> Result<Self, Error> {
        let checkpoint = Checkpoint::open(Models::open(store)?.fetch(model)?)?;
        let mut options = TranscribeOptions::default();
        options.language = language.map(str::to_owned);
        options.word_timestamps = true;
        let _waiting = Waiting::for_model(device);
        Ok(Self {
            whisper: Whisper::from_checkpoint(&checkpoint, device)?,
            options,
        })
    }

    /// What the model hears in a recording, which `file` names in messages: segments, words and tokens.
    pub fn transcribe(&self, audio: &Audio, file: &Path) -> Result<TimedText, Error> {
        let waiting = Waiting::for_first_work(self.whisper.device());
        let transcription = self.whisper.transcription(audio, &self.options);
        let transcript = (transcription.on_event(waiting.until_first_window()).run())
            .map_err(|error| Error::Option(about(file, &error)))?;
        Ok(TimedText::from(&transcript))
    }
}
