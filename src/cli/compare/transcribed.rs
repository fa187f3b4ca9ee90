//! Hypotheses that are made first.

use std::path::Path;

use burn::tensor::Device;
use whisper_rs::compare::TimedText;
use whisper_rs::{Audio, Error, TranscribeOptions, Whisper};
use whisper_weights::Checkpoint;

use crate::cli::messages;
use crate::cli::models::{Models, StoreArguments};
use crate::cli::reports::about;

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
        Ok(Self {
            whisper: Whisper::from_checkpoint(&checkpoint, device)?,
            options,
        })
    }

    /// What the model hears in a recording.
    pub fn transcribe(&mut self, audio: &Path) -> Result<TimedText, Error> {
        let recording = Audio::open(audio)?;
        for warning in recording.warnings() {
            messages::warning(format!("{}: {warning}", audio.display()));
        }
        let transcript = (self.whisper.transcribe(&recording, &self.options))
            .map_err(|error| Error::Option(about(audio, &error)))?;
        Ok(TimedText::from(&transcript))
    }
}
