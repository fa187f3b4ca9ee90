//! The flags about how a window's text is found.

use regex::Regex;
use whisper_rs::TranscribeOptions;

use super::heading;
use super::values::{self, List, Optional};

/// How windows are decoded.
#[derive(Debug, clap::Args)]
#[command(rename_all = "snake_case", next_help_heading = heading::DECODING)]
pub struct DecodingFlags {
    /// Temperature to decode at; 0 takes the likeliest token
    #[arg(long, value_parser = values::temperature, default_value = "0")]
    temperature: f64,

    /// Temperature step when decoding fails a threshold and is done again; None decodes once
    #[arg(
        long,
        value_parser = values::temperature_increment,
        default_value = "0.2",
        value_name = "STEP",
        hide_short_help = true,
    )]
    temperature_increment_on_fallback: Optional<f64>,

    /// Candidates when sampling at a temperature above 0
    #[arg(
        long,
        value_parser = values::count,
        default_value = "5",
        value_name = "N",
        hide_short_help = true,
    )]
    best_of: Optional<usize>,

    /// Beams in beam search at temperature 0; None is greedy
    #[arg(long, value_parser = values::count, default_value = "5", value_name = "N")]
    beam_size: Optional<usize>,

    /// Beam search ends at --beam_size times this many finished hypotheses; None is 1
    #[arg(
        long,
        default_value = "None",
        value_name = "FACTOR",
        hide_short_help = true
    )]
    patience: Optional<f64>,

    /// Exponent of the length penalty, from 0 to 1; None ranks by the mean log probability
    #[arg(
        long,
        default_value = "None",
        value_name = "ALPHA",
        hide_short_help = true
    )]
    length_penalty: Optional<f64>,

    /// Seed of the draws at temperatures above 0: the same seed gives the same text
    #[arg(
        long,
        value_parser = values::seed,
        default_value = "0",
        value_name = "N",
        hide_short_help = true,
    )]
    seed: u64,

    /// Token ids never to sample, with commas between; -1 stands for most symbols, "" for none
    #[arg(
        long,
        value_parser = values::token_ids,
        default_value = "-1",
        value_name = "IDS",
        hide_short_help = true,
    )]
    suppress_tokens: List<i64>,

    /// Tokens never to sample: those whose whole text matches, with the space that words begin with
    #[arg(
        long,
        value_parser = values::whole_text,
        default_value = "None",
        value_name = "REGEX",
        hide_short_help = true,
    )]
    pub suppress_regex: Optional<Regex>,

    /// Never begin a window with a blank
    #[arg(long, default_value = "True", hide_short_help = true)]
    suppress_blank: bool,

    /// Decoding has failed when its text compresses better than this
    #[arg(
        long,
        default_value = "2.4",
        value_name = "RATIO",
        hide_short_help = true
    )]
    compression_ratio_threshold: Optional<f64>,

    /// Decoding has failed when its average log probability is lower than this
    #[arg(
        long,
        default_value = "-1.0",
        value_name = "LOGPROB",
        hide_short_help = true
    )]
    logprob_threshold: Optional<f64>,

    /// A window is silence when its no-speech probability is higher than this and
    /// --logprob_threshold is not reached
    #[arg(
        long,
        default_value = "0.6",
        value_name = "PROBABILITY",
        hide_short_help = true
    )]
    no_speech_threshold: Optional<f64>,

    /// Decode text alone: segments are whole windows then, and printed without times
    #[arg(long, hide_short_help = true)]
    pub without_timestamps: bool,

    /// Latest first timestamp of a window; None and 0 are no limit
    #[arg(
        long,
        default_value = "1.0",
        value_name = "SECONDS",
        hide_short_help = true
    )]
    max_initial_timestamp: Optional<f64>,

    /// Make tokens less probable that the window has already: above 1 by more, below 1 they become more probable
    #[arg(
        long,
        value_parser = values::number,
        default_value = "1.0",
        value_name = "FACTOR",
        hide_short_help = true,
    )]
    repetition_penalty: f64,

    /// Allow no sequence of as many tokens twice in a window; 0 allows all
    #[arg(
        long,
        value_parser = values::whole_number,
        default_value = "0",
        value_name = "N",
        hide_short_help = true,
    )]
    no_repeat_ngram_size: usize,

    /// Most tokens to decode in a window; None is half the model's context, 224
    #[arg(long, default_value = "None", value_name = "N", hide_short_help = true)]
    max_new_tokens: Optional<usize>,

    /// Run only with one of the settings that have been proven to give openai/whisper's results: greedy_nowords, greedy,
    /// translate_greedy, default
    ///
    /// In flags, and with the defaults of all others: greedy_nowords is --temperature 0 --temperature_increment_on_fallback None
    /// --beam_size None --best_of None; greedy is the same with --word_timestamps True; translate_greedy is greedy_nowords with
    /// --task translate; default is --beam_size 5 --best_of 5 --word_timestamps True. Numbers are float32, and --language may be given.
    #[arg(long)]
    strict: bool,
}

impl DecodingFlags {
    /// Puts the flags into the library's options; those of [`suppress_regex`](Self::suppress_regex) depend on the model.
    pub fn apply(&self, options: &mut TranscribeOptions) {
        options.temperatures =
            temperatures(self.temperature, self.temperature_increment_on_fallback.0);
        options.best_of = self.best_of.0;
        options.beam_size = self.beam_size.0;
        options.patience = self.patience.0;
        options.length_penalty = self.length_penalty.0;
        options.seed = self.seed;
        options.suppress_tokens = self.suppress_tokens.0.clone();
        options.suppress_blank = self.suppress_blank;
        options.compression_ratio_threshold = self.compression_ratio_threshold.0;
        options.logprob_threshold = self.logprob_threshold.0;
        options.no_speech_threshold = self.no_speech_threshold.0;
        options.without_timestamps = self.without_timestamps;
        options.max_initial_timestamp = self.max_initial_timestamp.0;
        options.repetition_penalty = self.repetition_penalty;
        options.no_repeat_ngram_size = self.no_repeat_ngram_size;
        options.max_new_tokens = self.max_new_tokens.0;
        options.strict = self.strict;
    }
}

/// The temperatures from the first one up to 1, as numpy's `arange(first, 1.0 + 1e-6, increment)` gives them; above 1 the first
/// one alone.
fn temperatures(first: f64, increment: Option<f64>) -> Vec<f64> {
    let Some(increment) = increment.filter(|&increment| increment > 0.0) else {
        return vec![first];
    };
    let count = ((1.0 + 1e-6 - first) / increment).ceil().max(1.0) as usize;
    (0..count)
        .map(|step| first + step as f64 * increment)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::transcribe;

    #[test]
    fn temperatures_are_numpys() {
        let expected = [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0];
        assert_eq!(temperatures(0.0, Some(0.2)), expected);
        assert_eq!(temperatures(0.0, None), [0.0]);
        assert_eq!(temperatures(0.5, Some(0.3)), [0.5, 0.8]);
        assert_eq!(temperatures(1.0, Some(0.2)), [1.0]);
        assert_eq!(temperatures(1.5, Some(0.2)), [1.5]);
    }

    #[test]
    fn the_smallest_step_gives_as_many_temperatures_as_the_library_takes() {
        let smallest = temperatures(0.0, Some(0.01));
        assert_eq!(smallest.len(), TranscribeOptions::MAX_TEMPERATURES);
    }

    #[test]
    fn a_strict_run_takes_the_flags_of_the_proven_settings_alone() {
        let greedy = "--strict --temperature 0 --temperature_increment_on_fallback None --beam_size None --best_of None";
        for flags in [
            "--strict --beam_size 5 --best_of 5 --word_timestamps True".to_owned(),
            greedy.to_owned(),
            format!("{greedy} --word_timestamps True"),
            format!("{greedy} --task translate --language German --verbose False"),
        ] {
            let flags: Vec<_> = flags.split(' ').collect();
            assert!(transcribe(&flags).is_ok(), "{flags:?}");
        }
        for (flags, name) in [
            ("--strict".to_owned(), "word_timestamps"),
            (format!("{greedy} --hotwords Burn"), "hotwords"),
            (format!("{greedy} --prefix And"), "prefix"),
            (format!("{greedy} --suppress_regex [0-9]"), "suppress_regex"),
            ("--strict --beam_size None".to_owned(), "temperature"),
        ] {
            let flags: Vec<_> = flags.split(' ').collect();
            let message = transcribe(&flags).unwrap_err();
            assert!(
                message.starts_with("strict: ") && message.contains(name),
                "{flags:?}: {message}"
            );
        }
    }

    #[test]
    fn the_flags_of_a_greedy_openai_run_are_taken() {
        let greedy = "--temperature 0 --temperature_increment_on_fallback None --beam_size None --best_of None";
        let flags: Vec<_> = greedy.split(' ').collect();
        assert!(transcribe(&flags).is_ok());
        assert!(transcribe(&["--beam_size", "1"]).is_ok());
    }
}
