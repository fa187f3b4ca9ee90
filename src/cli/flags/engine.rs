//! The flags of every subcommand that transcribes: what is loaded, and what it is asked for.

use whisper_rs::TranscribeOptions;

use super::context::ContextFlags;
use super::decoding::DecodingFlags;
use super::model::ModelFlags;
use super::speech::SpeechFlags;
use super::word::WordFlags;

/// The flags that decide on a transcript.
#[derive(Debug, clap::Args)]
pub struct EngineFlags {
    // In this order the groups stand in the help.
    #[command(flatten)]
    pub model: ModelFlags,
    #[command(flatten)]
    pub speech: SpeechFlags,
    #[command(flatten)]
    pub words: WordFlags,
    #[command(flatten)]
    pub decoding: DecodingFlags,
    #[command(flatten)]
    pub context: ContextFlags,
}

impl EngineFlags {
    /// The library's options for these flags.
    pub fn options(&self) -> TranscribeOptions {
        let mut options = TranscribeOptions::default();
        self.speech.apply(&mut options);
        self.words.apply(&mut options);
        self.decoding.apply(&mut options);
        self.context.apply(&mut options);
        options
    }

    /// Refuses, by a line, values that make no sense together, and numbers that cannot be computed in yet.
    pub fn check(&self) -> Result<(), String> {
        self.model.check()?;
        self.speech.check()?;
        self.context.check()?;
        let options = self.options();
        options.check().map_err(|error| error.to_string())?;
        if options.strict && self.decoding.suppress_regex.0.is_some() {
            return Err(
                "strict: openai/whisper has no suppress_regex; leave --suppress_regex out".into(),
            );
        }
        Ok(())
    }
}
