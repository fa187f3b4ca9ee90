//! What a transcription gives: segments of text with times.

use serde::{Deserialize, Serialize};

use crate::text::python_strip;

/// A stretch of speech with its text and times.
///
/// More fields may come. A program that makes segments itself begins with the default one and sets what it knows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Segment {
    /// Position in the transcript, from 0.
    pub id: usize,
    /// Where the window that the segment was decoded from starts, in frames of 10 ms.
    pub seek: usize,
    /// Start, in seconds from the beginning of the audio.
    pub start: f64,
    /// End, in seconds from the beginning of the audio.
    pub end: f64,
    /// The text, usually with a leading space; empty where the segment was found to say nothing.
    pub text: String,
    /// The tokens, timestamps included; none where `text` was cleared.
    pub tokens: Vec<u32>,
    /// The temperature that the window was decoded at.
    pub temperature: f64,
    /// Mean log-probability of the window's tokens, end of text included.
    pub avg_logprob: f64,
    /// How well the window's text compresses: [`compression_ratio`](crate::text::compression_ratio).
    pub compression_ratio: f64,
    /// Probability that the window holds no speech.
    pub no_speech_prob: f64,
    /// The words in order of time, where [`word_timestamps`](super::TranscribeOptions::word_timestamps) asked for
    /// them; none in a segment that was cleared, whether they were asked for or not (transcribe.py:485-489).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<Vec<Word>>,
    /// Text and probability of each of `tokens`. Not among openai/whisper's fields, and so in no JSON but that of
    /// [`JsonFull`](crate::output::JsonFull).
    #[serde(skip)]
    pub token_details: Vec<Token>,
    /// Code of the window's language, where [`multilingual`](super::TranscribeOptions::multilingual) asked to detect it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

impl Segment {
    /// Empties a segment that has no text or no length (transcribe.py:485-489). It keeps its place and its times.
    pub(in crate::transcribe) fn clear_if_blank(&mut self) {
        if self.start == self.end || python_strip(&self.text).is_empty() {
            self.text.clear();
            self.tokens.clear();
            self.token_details.clear();
            self.words = Some(Vec::new());
        }
    }
}

/// A token as it was sampled.
///
/// More fields may come, as with [`Segment`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Token {
    /// Its number in the vocabulary.
    pub id: u32,
    /// The text that it completes: empty where a letter goes on in the next token, `<|1.08|>` for a timestamp.
    pub text: String,
    /// Its probability, given the tokens before it.
    pub probability: f64,
}

/// A word with its times.
///
/// More fields may come, as with [`Segment`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Word {
    /// The text with the space before it and the punctuation around it: `" you,"`.
    pub word: String,
    /// Start, in seconds from the beginning of the audio.
    pub start: f64,
    /// End, in seconds from the beginning of the audio.
    pub end: f64,
    /// Mean probability of the word's tokens, punctuation not counted.
    pub probability: f64,
}

/// The transcript of one audio file. It can be read back from the JSON of this crate or of openai/whisper; what a field's absence
/// leaves open is its default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Transcript {
    /// The text of all segments, joined.
    pub text: String,
    /// The segments in order of time.
    pub segments: Vec<Segment>,
    /// The code of the language that was spoken, given or detected.
    pub language: String,
    /// Whether it ends before the recording, since a [`CancelToken`](crate::CancelToken) ended it. In no JSON.
    #[serde(skip)]
    pub cancelled: bool,
}

impl Transcript {
    /// A transcript of a text, its segments in order of time, and the code of its language.
    pub fn new(text: String, segments: Vec<Segment>, language: String) -> Self {
        Self {
            text,
            segments,
            language,
            cancelled: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(text: &str, end: f64) -> Segment {
        Segment {
            start: 1.0,
            end,
            text: text.to_owned(),
            tokens: vec![1, 2],
            ..Segment::default()
        }
    }

    #[test]
    fn a_segment_without_text_or_length_is_emptied() {
        for (text, end, stays) in [
            (" a", 2.0, true),
            (" \u{1f}", 2.0, false),
            (" a", 1.0, false),
        ] {
            let mut cleared = segment(text, end);
            cleared.clear_if_blank();
            if stays {
                assert_eq!(cleared, segment(text, end));
            } else {
                assert_eq!((cleared.text.as_str(), cleared.tokens.len()), ("", 0));
                assert_eq!(cleared.words, Some(Vec::new()));
                assert_eq!(cleared.end, end);
            }
        }
    }
}
