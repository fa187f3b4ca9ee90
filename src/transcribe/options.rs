//! What a transcription is made with.

use super::words;
use crate::tokenizer::Task;

/// Options of a transcription, with openai/whisper's names and defaults (transcribe.py:38-53).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TranscribeOptions {
    /// Code or name of the spoken language; `None` detects it from the first 30 s.
    pub language: Option<String>,
    /// Transcribe, or translate to English.
    pub task: Task,
    /// A window is skipped as silence when its no-speech probability is higher, unless its mean
    /// log-probability is above [`logprob_threshold`](Self::logprob_threshold). `None` never skips.
    pub no_speech_threshold: Option<f64>,
    /// See [`no_speech_threshold`](Self::no_speech_threshold).
    pub logprob_threshold: Option<f64>,
    /// Give the model the text before a window as context.
    pub condition_on_previous_text: bool,
    /// Text given to the model before the first window.
    pub initial_prompt: Option<String>,
    /// Tokens never to sample; `-1` stands for the tokens of non-speech symbols.
    pub suppress_tokens: Vec<i64>,
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
            no_speech_threshold: Some(0.6),
            logprob_threshold: Some(-1.0),
            condition_on_previous_text: true,
            initial_prompt: None,
            suppress_tokens: vec![-1],
            word_timestamps: false,
            prepend_punctuations: words::PREPENDED.to_owned(),
            append_punctuations: words::APPENDED.to_owned(),
            hallucination_silence_threshold: None,
        }
    }
}
