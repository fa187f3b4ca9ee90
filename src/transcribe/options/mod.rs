//! What a transcription is made with.

mod check;
mod strict;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::words;
use crate::decoding::filters::LogitFilter;
use crate::tokenizer::Task;

/// Options of a transcription, with openai/whisper's names and defaults (transcribe.py:38-53).
///
/// Some options are faster-whisper's (1.2.1, whose `transcribe.py` is meant by "faster-whisper:" and a line); their defaults
/// change nothing. [The book](crate::book::options) has all of them side by side.
///
/// serde reads and writes them under the same names, `task` as `"transcribe"` or `"translate"`. What is left out has its default,
/// and a name that is none of these is refused:
///
/// ```
/// use whisper_rs::TranscribeOptions;
///
/// let options: TranscribeOptions = serde_json::from_str(r#"{"language": "de", "beam_size": 5}"#)?;
/// assert_eq!(options.beam_size, Some(5));
/// let error = serde_json::from_str::<TranscribeOptions>(r#"{"beams": 5}"#).unwrap_err();
/// assert!(error.to_string().starts_with("unknown field `beams`, expected one of `language`, `task`"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TranscribeOptions {
    /// Code or name of the spoken language; `None` detects it from the first 30 s, of a shorter recording in the window that is
    /// decoded where that is [clear](crate::book::accuracy).
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
    /// Tokens never to sample; `-1` stands for the tokens of non-speech symbols. The six tokens that belong in front of the
    /// text alone, as the start of transcript, are among them, unless the list is empty: then any token may be sampled.
    pub suppress_tokens: Vec<i64>,
    /// No window begins with a blank.
    pub suppress_blank: bool,
    /// Sample text only; segments are whole windows then.
    pub without_timestamps: bool,
    /// Latest first timestamp of a window, in seconds; `None` is no limit, and so is 0, as in openai/whisper.
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
    /// Words that the speech may hold, as names: given to the model as context before every window, in front of the text
    /// so far (faster-whisper:1538-1552). Their first 223 tokens are used, and of the text so far what fits beside them;
    /// faster-whisper lets both together grow past what the model takes. Not to be had with a [`prefix`](Self::prefix).
    pub hotwords: Option<String>,
    /// Makes tokens that a window has already less probable above 1, and more probable below: see
    /// [`RepetitionPenalty`](crate::decoding::filters::RepetitionPenalty). 1 changes nothing.
    pub repetition_penalty: f64,
    /// Forbids sequences of as many tokens to come twice in a window: see
    /// [`NoRepeatNgram`](crate::decoding::filters::NoRepeatNgram). 0 forbids nothing.
    pub no_repeat_ngram_size: usize,
    /// A window decoded at a higher temperature is, with all before it, no context for the next (faster-whisper:1372-1383).
    pub prompt_reset_on_temperature: f64,
    /// Detection of the language ends with the first window whose most probable language is more probable than this
    /// (faster-whisper:1829). `None` looks at all [`language_detection_segments`](Self::language_detection_segments).
    pub language_detection_threshold: Option<f64>,
    /// Most windows of 30 s from the beginning that the language is detected from. When none is sure enough, the language
    /// that most of them are in is taken, the one met first of equals (faster-whisper:1818-1842).
    pub language_detection_segments: usize,
    /// Detect the language of every window and decode it as that (faster-whisper:1192-1198). A model that knows English
    /// alone takes no notice.
    pub multilingual: bool,
    /// Most tokens to sample in a window, timestamps among them; more than half the model's context, 224, are never
    /// sampled. `None` is that half.
    pub max_new_tokens: Option<usize>,
    /// Filters of one's own for the logits: see [`filters`](crate::decoding::filters). Code, and so nothing that serde reads.
    #[serde(skip)]
    pub logit_filters: Vec<Arc<dyn LogitFilter>>,
    /// Refuse options, and a model, with which the result has not been proven equal to openai/whisper's. Proven, in f32,
    /// are four settings:
    ///
    /// - `greedy_nowords`: temperature 0 alone, no beams, no words;
    /// - `greedy`: the same with words;
    /// - `default`: beam 5, fallback with best of 5, words;
    /// - `translate_greedy`: `greedy_nowords`, translating.
    ///
    /// All other options at their defaults; the language may be given. Windows that fallback samples at a temperature
    /// above 0 depend on the random numbers, and no two programs agree on them.
    pub strict: bool,
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
            hotwords: None,
            repetition_penalty: 1.0,
            no_repeat_ngram_size: 0,
            prompt_reset_on_temperature: 0.5,
            language_detection_threshold: Some(0.5),
            language_detection_segments: 1,
            multilingual: false,
            max_new_tokens: None,
            logit_filters: Vec::new(),
            strict: false,
        }
    }
}

impl TranscribeOptions {
    /// Highest [`beam_size`](Self::beam_size) and [`best_of`](Self::best_of): each row has a cache of keys and values
    /// of its own, and openai/whisper's default is 5.
    pub const MAX_ROWS: usize = 64;

    /// Most [`temperatures`](Self::temperatures): those from 0 to 1 in steps of 0.01.
    pub const MAX_TEMPERATURES: usize = 101;

    /// Lowest and highest [`repetition_penalty`](Self::repetition_penalty): beyond these, logits are no numbers any more
    /// or all the same.
    pub const REPETITION_PENALTIES: std::ops::RangeInclusive<f64> = 0.01..=100.0;

    /// Highest [`max_new_tokens`](Self::max_new_tokens): the text context of the model.
    pub const MAX_NEW_TOKENS: usize = 448;

    /// Sequences that are followed side by side.
    pub(super) fn max_rows(&self) -> usize {
        self.beam_size.unwrap_or(1).max(self.best_of.unwrap_or(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_as_they_are_written() {
        let options = TranscribeOptions {
            language: Some("de".to_owned()),
            task: Task::Translate,
            logprob_threshold: None,
            ..TranscribeOptions::default()
        };
        for options in [TranscribeOptions::default(), options] {
            let written = serde_json::to_string(&options).unwrap();
            let read: TranscribeOptions = serde_json::from_str(&written).unwrap();
            assert_eq!(format!("{read:?}"), format!("{options:?}"));
        }
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let read: TranscribeOptions = serde_json::from_str("{}").unwrap();
        let default = TranscribeOptions::default();
        assert_eq!(format!("{read:?}"), format!("{default:?}"));
    }
}
