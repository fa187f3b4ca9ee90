//! What a transcription is made with.

use super::words;
use crate::tokenizer::Task;
use crate::{Error, Result};

/// Options of a transcription, with openai/whisper's names and defaults (transcribe.py:38-53).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TranscribeOptions {
    /// Code or name of the spoken language; `None` detects it from the first 30 s.
    pub language: Option<String>,
    /// Transcribe, or translate to English.
    pub task: Task,
    /// Temperatures to decode a window at, in order, until one gives a text that passes the thresholds
    /// below. The last one's text stands even if it does not.
    pub temperatures: Vec<f64>,
    /// Hypotheses followed side by side at temperature 0; `None` is greedy decoding.
    pub beam_size: Option<usize>,
    /// Samples drawn at temperatures above 0, of which the best is taken; `None` is one.
    pub best_of: Option<usize>,
    /// Beam search ends at `beam_size * patience` finished hypotheses; `None` is 1.
    pub patience: Option<f64>,
    /// Exponent of Google NMT's length penalty; `None` ranks by the mean log-probability.
    pub length_penalty: Option<f64>,
    /// Seed of the draws at temperatures above 0: the same seed gives the same text.
    pub seed: u64,
    /// A text that compresses better is repetitive, and the next temperature is tried. `None` accepts it.
    pub compression_ratio_threshold: Option<f64>,
    /// A window is skipped as silence when its no-speech probability is higher, unless its mean
    /// log-probability is above [`logprob_threshold`](Self::logprob_threshold). `None` never skips.
    pub no_speech_threshold: Option<f64>,
    /// A text whose mean log-probability is lower is doubtful, and the next temperature is tried. See
    /// also [`no_speech_threshold`](Self::no_speech_threshold). `None` accepts it.
    pub logprob_threshold: Option<f64>,
    /// Give the model the text before a window as context.
    pub condition_on_previous_text: bool,
    /// Text given to the model before the first window.
    pub initial_prompt: Option<String>,
    /// Give the model the initial prompt before every window, not only the first.
    pub carry_initial_prompt: bool,
    /// Text that every window begins with.
    pub prefix: Option<String>,
    /// Tokens never to sample; `-1` stands for the tokens of non-speech symbols.
    pub suppress_tokens: Vec<i64>,
    /// No window begins with a blank.
    pub suppress_blank: bool,
    /// Sample text only; segments are whole windows then.
    pub without_timestamps: bool,
    /// Latest first timestamp of a window, in seconds; `None` is no limit.
    pub max_initial_timestamp: Option<f64>,
    /// Starts and ends in seconds of the parts to transcribe, in turn; a last part without an end goes
    /// to the end of the recording. Empty is all of it.
    pub clip_timestamps: Vec<f64>,
    /// Give every segment its words with their times. Segments then begin and end with their words, and windows are
    /// cut by them.
    pub word_timestamps: bool,
    /// Punctuation that belongs to the word after it, with [`word_timestamps`](Self::word_timestamps).
    pub prepend_punctuations: String,
    /// Punctuation that belongs to the word before it, with [`word_timestamps`](Self::word_timestamps).
    pub append_punctuations: String,
    /// Skip silences longer than this many seconds around segments that are probably hallucinations, and take these
    /// away. `None` skips nothing; it needs [`word_timestamps`](Self::word_timestamps).
    pub hallucination_silence_threshold: Option<f64>,
}

impl Default for TranscribeOptions {
    fn default() -> Self {
        Self {
            language: None,
            task: Task::Transcribe,
            temperatures: vec![0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0],
            beam_size: None,
            best_of: None,
            patience: None,
            length_penalty: None,
            seed: 0,
            compression_ratio_threshold: Some(2.4),
            no_speech_threshold: Some(0.6),
            logprob_threshold: Some(-1.0),
            condition_on_previous_text: true,
            initial_prompt: None,
            carry_initial_prompt: false,
            prefix: None,
            suppress_tokens: vec![-1],
            suppress_blank: true,
            without_timestamps: false,
            max_initial_timestamp: Some(1.0),
            clip_timestamps: Vec::new(),
            word_timestamps: false,
            prepend_punctuations: words::PREPENDED.to_owned(),
            append_punctuations: words::APPENDED.to_owned(),
            hallucination_silence_threshold: None,
        }
    }
}

impl TranscribeOptions {
    /// Highest [`beam_size`](Self::beam_size) and [`best_of`](Self::best_of): each row has a cache of keys and values
    /// of its own, and openai/whisper's default is 5.
    pub const MAX_ROWS: usize = 64;

    /// Most [`temperatures`](Self::temperatures): those from 0 to 1 in steps of 0.01.
    pub const MAX_TEMPERATURES: usize = 101;

    /// Sequences that are followed side by side.
    pub(super) fn max_rows(&self) -> usize {
        self.beam_size.unwrap_or(1).max(self.best_of.unwrap_or(1))
    }

    /// Refuses values that make no sense, before any work is done with them. A transcription checks its options
    /// itself; a program that takes them from a user can do so before it loads a model.
    ///
    /// What depends on the model is not checked here: whether it knows the language and the tokens to suppress.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] with the first option that makes no sense, by its name.
    pub fn check(&self) -> Result<()> {
        self.check_search()?;
        self.check_thresholds()?;
        if let Some(token) = (self.suppress_tokens.iter()).find(|&&token| token < -1) {
            return refuse(format!(
                "suppress_tokens: {token} is no token id; ids are 0 or more, or -1 for the non-speech symbols"
            ));
        }
        if let Some(seconds) =
            (self.max_initial_timestamp).filter(|s| !(s.is_finite() && *s >= 0.0))
        {
            return refuse(format!(
                "max_initial_timestamp is {seconds}; it has to be a time in seconds, or None for no limit"
            ));
        }
        check_clips(&self.clip_timestamps)
    }

    /// What decoding searches with.
    fn check_search(&self) -> Result<()> {
        for (name, value) in [("beam_size", self.beam_size), ("best_of", self.best_of)] {
            if let Some(value) = value.filter(|value| !(1..=Self::MAX_ROWS).contains(value)) {
                let most = Self::MAX_ROWS;
                return refuse(format!("{name} is {value}; it has to be from 1 to {most}"));
            }
        }
        if self.temperatures.len() > Self::MAX_TEMPERATURES {
            return refuse(format!(
                "{} temperatures are too many; give at most {}",
                self.temperatures.len(),
                Self::MAX_TEMPERATURES
            ));
        }
        if let Some(&temperature) =
            (self.temperatures.iter()).find(|&&t| !(t.is_finite() && t >= 0.0))
        {
            return refuse(format!(
                "temperature is {temperature}; it has to be a number from 0 up"
            ));
        }
        if self
            .patience
            .is_some_and(|patience| !(patience.is_finite() && patience > 0.0))
        {
            return refuse("patience has to be above 0".to_owned());
        }
        if self.patience.is_some() && self.beam_size.is_none() {
            return refuse("patience needs a beam_size".to_owned());
        }
        if self
            .length_penalty
            .is_some_and(|penalty| !(0.0..=1.0).contains(&penalty))
        {
            return refuse("length_penalty has to be from 0 to 1".to_owned());
        }
        Ok(())
    }

    /// NaN, which is neither above nor below anything, is no threshold; infinities are.
    fn check_thresholds(&self) -> Result<()> {
        for (name, threshold) in [
            (
                "compression_ratio_threshold",
                self.compression_ratio_threshold,
            ),
            ("logprob_threshold", self.logprob_threshold),
            ("no_speech_threshold", self.no_speech_threshold),
        ] {
            if threshold.is_some_and(f64::is_nan) {
                return refuse(format!("{name} is not a number; leave it out with None"));
            }
        }
        Ok(())
    }
}

/// Starts and ends have to be times, and no end may lie before its start.
fn check_clips(timestamps: &[f64]) -> Result<()> {
    let no_time = |seconds: &&f64| !(seconds.is_finite() && **seconds >= 0.0);
    if let Some(seconds) = timestamps.iter().find(no_time) {
        return refuse(format!(
            "clip_timestamps: {seconds} is no time; give seconds from 0 up"
        ));
    }
    for clip in timestamps.chunks_exact(2) {
        let (start, end) = (clip[0], clip[1]);
        if end < start {
            return refuse(format!(
                "clip_timestamps: the end {end} lies before its start {start}"
            ));
        }
    }
    Ok(())
}

fn refuse(message: String) -> Result<()> {
    Err(Error::Option(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The message by which options are refused.
    fn refusal(change: impl FnOnce(&mut TranscribeOptions)) -> String {
        let mut options = TranscribeOptions::default();
        change(&mut options);
        options
            .check()
            .map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn defaults_pass() {
        assert_eq!(refusal(|_| ()), "");
    }

    #[test]
    fn values_without_sense_are_refused_by_name() {
        assert!(refusal(|o| o.beam_size = Some(0)).contains("beam_size"));
        assert!(refusal(|o| o.best_of = Some(0)).contains("best_of"));
        assert!(refusal(|o| o.temperatures = vec![-0.1]).contains("temperature"));
        assert!(refusal(|o| o.temperatures = vec![f64::NAN]).contains("temperature"));
        assert!(refusal(|o| o.patience = Some(2.0)).contains("beam_size"));
        assert!(refusal(|o| o.length_penalty = Some(1.5)).contains("length_penalty"));
        assert!(refusal(|o| o.clip_timestamps = vec![f64::INFINITY]).contains("clip_timestamps"));
        assert!(refusal(|o| o.suppress_tokens = vec![-1, -2]).contains("-2"));
        assert!(refusal(|o| o.logprob_threshold = Some(f64::NAN)).contains("logprob_threshold"));
        assert!(refusal(|o| o.max_initial_timestamp = Some(-1.0)).contains("max_initial"));
    }

    #[test]
    fn what_would_take_all_memory_is_refused() {
        assert!(refusal(|o| o.beam_size = Some(65)).contains("from 1 to 64"));
        assert!(refusal(|o| o.best_of = Some(usize::MAX)).contains("best_of"));
        assert!(refusal(|o| o.temperatures = vec![0.0; 102]).contains("102 temperatures"));
        assert_eq!(
            refusal(|o| {
                o.beam_size = Some(64);
                o.best_of = Some(64);
                o.patience = Some(f64::MAX);
                o.temperatures = vec![0.0; 101];
            }),
            ""
        );
    }

    #[test]
    fn clips_do_not_run_backwards() {
        let clips = |times: &[f64]| refusal(|o| o.clip_timestamps = times.to_vec());
        assert!(clips(&[-1.0]).contains("-1 is no time"));
        assert!(clips(&[1.0, 2.0, 5.0, 4.0]).contains("end 4 lies before its start 5"));
        // A clip may be empty, come before the one before it, or have no end.
        for times in [
            &[][..],
            &[3.0, 3.0],
            &[5.0, 6.0, 1.0, 2.0],
            &[1.0, 2.0, 0.5],
        ] {
            assert_eq!(clips(times), "", "{times:?}");
        }
    }
}
