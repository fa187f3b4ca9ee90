//! The flags about the times of words.

use whisper_rs::TranscribeOptions;

use super::heading;
use super::values::Optional;

/// Whether words have times, and which.
#[derive(Debug, clap::Args)]
#[command(rename_all = "snake_case", next_help_heading = heading::WORDS)]
pub struct WordFlags {
    /// Give each word its times, in the json output, and cut windows and segments by them
    #[arg(long)]
    word_timestamps: bool,

    /// With --word_timestamps: marks to join to the word after them
    #[arg(
        long,
        default_value_t = TranscribeOptions::default().prepend_punctuations,
        value_name = "MARKS",
        hide_short_help = true,
    )]
    prepend_punctuations: String,

    /// With --word_timestamps: marks to join to the word before them
    #[arg(
        long,
        default_value_t = TranscribeOptions::default().append_punctuations,
        value_name = "MARKS",
        hide_short_help = true,
    )]
    append_punctuations: String,

    /// With --word_timestamps: skip silences longer than this around what was probably not said
    #[arg(
        long,
        default_value = "None",
        value_name = "SECONDS",
        hide_short_help = true
    )]
    hallucination_silence_threshold: Optional<f64>,
}

impl WordFlags {
    /// Puts the flags into the library's options.
    pub fn apply(&self, options: &mut TranscribeOptions) {
        options.word_timestamps = self.word_timestamps;
        options.prepend_punctuations = self.prepend_punctuations.clone();
        options.append_punctuations = self.append_punctuations.clone();
        options.hallucination_silence_threshold = self.hallucination_silence_threshold.0;
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::transcribe;

    #[test]
    fn word_flags_become_options() {
        let options = transcribe(&[]).unwrap().options();
        assert!(!options.word_timestamps);
        assert_eq!(options.prepend_punctuations, "\"'“¿([{-");
        assert_eq!(options.append_punctuations, "\"'.。,，!！?？:：”)]}、");
        assert_eq!(options.hallucination_silence_threshold, None);
        let options = transcribe(&[
            "--word_timestamps",
            "--prepend_punctuations",
            "-(",
            "--append_punctuations",
            "",
            "--hallucination_silence_threshold",
            "2",
        ])
        .unwrap()
        .options();
        assert!(options.word_timestamps);
        assert_eq!(options.prepend_punctuations, "-(");
        assert_eq!(options.append_punctuations, "");
        assert_eq!(options.hallucination_silence_threshold, Some(2.0));
    }
}
