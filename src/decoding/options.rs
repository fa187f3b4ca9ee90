//! What one window is decoded with.

use std::sync::Arc;

use super::filters::LogitFilter;
use crate::tokenizer::Task;

/// Options of one window (decoding.py:79-112).
///
/// More fields may come: begin with the default one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DecodingOptions {
    /// Transcribe, or translate to English.
    pub task: Task,
    /// The spoken language's code; `None` for English-only models.
    pub language: Option<String>,
    /// Most tokens to sample; `None` is half the text context, 224.
    pub sample_len: Option<usize>,
    /// Samples drawn at temperatures above 0, of which the best is taken; `None` is one.
    pub best_of: Option<usize>,
    /// Hypotheses followed side by side at temperature 0; `None` is greedy decoding.
    pub beam_size: Option<usize>,
    /// Beam search ends at `beam_size * patience` finished hypotheses; `None` is 1.
    pub patience: Option<f64>,
    /// Exponent of Google NMT's length penalty; `None` ranks by the mean log-probability.
    pub length_penalty: Option<f64>,
    /// Tokens that the text of the window begins with.
    pub prefix: Vec<u32>,
    /// Seed of the draws at temperatures above 0: the same seed gives the same text.
    pub seed: u64,
    /// Tokens never to sample; `-1` stands for the tokens of non-speech symbols. The six tokens that belong in front of the
    /// text alone, as the start of transcript, are among them, unless the list is empty: then any token may be sampled.
    pub suppress_tokens: Vec<i64>,
    /// Never begin with a blank or with the end of text.
    pub suppress_blank: bool,
    /// Latest first timestamp in seconds; `None` is no limit, and so is 0, as in openai/whisper.
    pub max_initial_timestamp: Option<f64>,
    /// Sample text only.
    pub without_timestamps: bool,
    /// What makes tokens less probable that the window has already: see
    /// [`RepetitionPenalty`](super::filters::RepetitionPenalty). 1 is nothing.
    pub repetition_penalty: f64,
    /// Tokens of a sequence that may not come twice in the window: see [`NoRepeatNgram`](super::filters::NoRepeatNgram). 0
    /// is no such rule.
    pub no_repeat_ngram_size: usize,
    /// Filters of one's own, applied in this order after the two above and before openai/whisper's rules: see
    /// [`filters`](super::filters).
    pub logit_filters: Vec<Arc<dyn LogitFilter>>,
}

impl Default for DecodingOptions {
    fn default() -> Self {
        Self {
            task: Task::Transcribe,
            language: None,
            sample_len: None,
            best_of: None,
            beam_size: None,
            patience: None,
            length_penalty: None,
            prefix: Vec::new(),
            seed: 0,
            suppress_tokens: vec![-1],
            suppress_blank: true,
            max_initial_timestamp: Some(1.0),
            without_timestamps: false,
            repetition_penalty: 1.0,
            no_repeat_ngram_size: 0,
            logit_filters: Vec::new(),
        }
    }
}
