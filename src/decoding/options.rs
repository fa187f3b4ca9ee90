//! What one window is decoded with.

use crate::tokenizer::Task;

/// Options of one window (decoding.py:79-112).
#[derive(Clone, Debug)]
pub struct DecodingOptions {
    /// Transcribe, or translate to English.
    pub task: Task,
    /// The spoken language's code; `None` for English-only models.
    pub language: Option<String>,
    /// Most tokens to sample; `None` is half the text context, 224.
    pub sample_len: Option<usize>,
    /// Tokens of earlier text, of which the last 223 are given to the model as context.
    pub prompt: Vec<u32>,
    /// Tokens never to sample; `-1` stands for the tokens of non-speech symbols.
    pub suppress_tokens: Vec<i64>,
    /// Never begin with a blank or with the end of text.
    pub suppress_blank: bool,
    /// Latest first timestamp in seconds; `None` is no limit.
    pub max_initial_timestamp: Option<f64>,
    /// Sample text only.
    pub without_timestamps: bool,
}

impl Default for DecodingOptions {
    fn default() -> Self {
        Self {
            task: Task::Transcribe,
            language: None,
            sample_len: None,
            prompt: Vec::new(),
            suppress_tokens: vec![-1],
            suppress_blank: true,
            max_initial_timestamp: Some(1.0),
            without_timestamps: false,
        }
    }
}
