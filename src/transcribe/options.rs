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
    /// Sequences that are followed side by side.
    pub(super) fn max_rows(&self) -> usize {
        self.beam_size.unwrap_or(1).max(self.best_of.unwrap_or(1))
    }

    /// Refuses values that make no sense.
    pub(super) fn check(&self) -> Result<()> {
        let refuse = |message: String| Err(Error::Option(message));
        for (name, value) in [("beam_size", self.beam_size), ("best_of", self.best_of)] {
            if value == Some(0) {
                return refuse(format!("{name} is 0; it has to be at least 1"));
            }
        }
        if let Some(&temperature) =
            (self.temperatures.iter()).find(|&&t| !(t.is_finite() && t >= 0.0))
        {
            return refuse(format!("temperature {temperature} is not 0 or more"));
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
        if let Some(seconds) = (self.clip_timestamps.iter()).find(|seconds| !seconds.is_finite()) {
            return refuse(format!("clip_timestamps: {seconds} is no time in seconds"));
        }
        Ok(())
    }
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
    }
}
