//! Flags of `transcribe` that openai/whisper's command lacks: further options of its library, those of
//! whisper-ctranslate2 and faster-whisper, and `--strict`.

use whisper_rs::TranscribeOptions;

use super::heading;
use super::values::{self, Optional};

/// How windows are decoded, beyond openai/whisper's flags.
#[derive(Debug, clap::Args)]
#[command(rename_all = "snake_case")]
pub struct DecodingFlags {
    /// Text that every window begins with
    #[arg(
        long,
        value_name = "TEXT",
        allow_hyphen_values = true,
        help_heading = heading::CONTEXT,
        hide_short_help = true,
    )]
    pub prefix: Option<String>,

    /// Words that may be spoken, as names: put before every window, as if they had been said before
    #[arg(
        long,
        value_name = "TEXT",
        allow_hyphen_values = true,
        conflicts_with = "prefix",
        help_heading = heading::CONTEXT,
    )]
    pub hotwords: Option<String>,

    /// Never begin a window with a blank
    #[arg(
        long,
        value_parser = values::boolean,
        num_args = 0..=1,
        default_value = "True",
        default_missing_value = "True",
        value_name = values::BOOLEAN,
        help_heading = heading::DECODING,
        hide_short_help = true,
    )]
    pub suppress_blank: bool,

    /// Decode text alone: segments are whole windows then
    #[arg(
        long,
        value_parser = values::boolean,
        num_args = 0..=1,
        default_value = "False",
        default_missing_value = "True",
        value_name = values::BOOLEAN,
        help_heading = heading::DECODING,
        hide_short_help = true,
    )]
    pub without_timestamps: bool,

    /// Latest first timestamp of a window; None and 0 are no limit
    #[arg(
        long,
        value_parser = values::threshold,
        default_value = "1.0",
        value_name = "SECONDS",
        allow_hyphen_values = true,
        help_heading = heading::DECODING,
        hide_short_help = true,
    )]
    pub max_initial_timestamp: Optional<f64>,

    /// Make tokens less probable that the window has already: above 1 by more, below 1 they become more probable
    #[arg(
        long,
        value_parser = values::number,
        default_value = "1.0",
        value_name = "FACTOR",
        allow_hyphen_values = true,
        help_heading = heading::DECODING,
        hide_short_help = true,
    )]
    pub repetition_penalty: f64,

    /// Allow no sequence of as many tokens twice in a window; 0 allows all
    #[arg(
        long,
        value_parser = values::whole_number,
        default_value = "0",
        value_name = "N",
        allow_hyphen_values = true,
        help_heading = heading::DECODING,
        hide_short_help = true,
    )]
    pub no_repeat_ngram_size: usize,

    /// Most tokens to decode in a window; None is half the model's context, 224
    #[arg(
        long,
        value_parser = values::optional_whole_number,
        default_value = "None",
        value_name = "N",
        allow_hyphen_values = true,
        help_heading = heading::DECODING,
        hide_short_help = true,
    )]
    pub max_new_tokens: Optional<usize>,

    /// A window decoded at a higher temperature is no prompt for the next
    #[arg(
        long,
        value_parser = values::number,
        default_value = "0.5",
        value_name = "TEMPERATURE",
        allow_hyphen_values = true,
        help_heading = heading::CONTEXT,
        hide_short_help = true,
    )]
    pub prompt_reset_on_temperature: f64,

    /// Detect the language of every window, and decode each as its own
    #[arg(
        long,
        value_parser = values::boolean,
        num_args = 0..=1,
        default_value = "False",
        default_missing_value = "True",
        value_name = values::BOOLEAN,
        help_heading = heading::SPEECH,
        hide_short_help = true,
    )]
    pub multilingual: bool,

    /// The first window whose language is more probable than this decides; None looks at all
    /// --language_detection_segments
    #[arg(
        long,
        value_parser = values::threshold,
        default_value = "0.5",
        value_name = "PROBABILITY",
        allow_hyphen_values = true,
        help_heading = heading::SPEECH,
        hide_short_help = true,
    )]
    pub language_detection_threshold: Optional<f64>,

    /// Windows of 30 s to detect the language from; where none is sure, the language of most of them is taken
    #[arg(
        long,
        value_parser = values::whole_number,
        default_value = "1",
        value_name = "N",
        allow_hyphen_values = true,
        help_heading = heading::SPEECH,
        hide_short_help = true,
    )]
    pub language_detection_segments: usize,

    /// Run only with one of the settings that have been proven to give openai/whisper's results: greedy_nowords, greedy,
    /// translate_greedy, default
    ///
    /// In flags, and with the defaults of all others: greedy_nowords is --temperature 0 --temperature_increment_on_fallback None
    /// --beam_size None --best_of None; greedy is the same with --word_timestamps True; translate_greedy is greedy_nowords with
    /// --task translate; default is --beam_size 5 --best_of 5 --word_timestamps True. Numbers are float32, and --language may be given.
    #[arg(
        long,
        value_parser = values::boolean,
        num_args = 0..=1,
        default_value = "False",
        default_missing_value = "True",
        value_name = values::BOOLEAN,
        help_heading = heading::DECODING,
    )]
    pub strict: bool,
}

impl DecodingFlags {
    /// Puts the flags into the library's options.
    pub fn apply(&self, options: &mut TranscribeOptions) {
        options.prefix = self.prefix.clone();
        options.hotwords = self.hotwords.clone();
        options.suppress_blank = self.suppress_blank;
        options.without_timestamps = self.without_timestamps;
        options.max_initial_timestamp = self.max_initial_timestamp.0;
        options.repetition_penalty = self.repetition_penalty;
        options.no_repeat_ngram_size = self.no_repeat_ngram_size;
        options.max_new_tokens = self.max_new_tokens.0;
        options.prompt_reset_on_temperature = self.prompt_reset_on_temperature;
        options.multilingual = self.multilingual;
        options.language_detection_threshold = self.language_detection_threshold.0;
        options.language_detection_segments = self.language_detection_segments;
        options.strict = self.strict;
    }
}
