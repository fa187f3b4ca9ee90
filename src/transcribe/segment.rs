//! What a transcription gives: segments of text with times.

use serde::Serialize;

/// A stretch of speech with its text and times.
///
/// More fields may come. A program that makes segments itself begins with the default one and sets what it knows.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
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
}

/// The transcript of one audio file.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Transcript {
    /// The text of all segments, joined.
    pub text: String,
    /// The segments in order of time.
    pub segments: Vec<Segment>,
    /// The code of the language that was spoken, given or detected.
    pub language: String,
}

impl Transcript {
    /// A transcript of a text, its segments in order of time, and the code of its language.
    pub fn new(text: String, segments: Vec<Segment>, language: String) -> Self {
        Self {
            text,
            segments,
            language,
        }
    }
}
