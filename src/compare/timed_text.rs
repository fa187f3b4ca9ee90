//! A text with what is known of when it was said.

use crate::transcribe::Transcript;

/// What was said or written, with times, tokens and language where the source has them.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct TimedText {
    /// The whole text.
    pub text: String,
    /// Code of the language.
    pub language: Option<String>,
    /// The segments (or subtitles) in order; none where the source has no times.
    pub segments: Vec<Span>,
    /// The words with times of their own, in order; none where the source has none.
    pub words: Vec<Span>,
    /// The tokens of all segments, timestamps included; none where the source has none.
    pub tokens: Vec<TextToken>,
}

/// A stretch of text with its times.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Span {
    /// Start, in seconds.
    pub start: f64,
    /// End, in seconds.
    pub end: f64,
    /// The text.
    pub text: String,
}

/// A token of a transcript.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TextToken {
    /// Its number in the vocabulary.
    pub id: u32,
    /// Its text, where the source has it.
    pub text: Option<String>,
}

impl Span {
    /// From `start` to `end`, in seconds.
    pub fn new(start: f64, end: f64, text: impl Into<String>) -> Self {
        Self {
            start,
            end,
            text: text.into(),
        }
    }
}

impl TextToken {
    /// A token by its number in the vocabulary, and its text where that is known.
    pub fn new(id: u32, text: Option<String>) -> Self {
        Self { id, text }
    }
}

impl TimedText {
    /// A text without times.
    pub fn plain(text: impl Into<String>, language: Option<&str>) -> Self {
        Self {
            text: text.into(),
            language: language.map(str::to_owned),
            ..Self::default()
        }
    }

    /// The last time in the text, in seconds; 0 where there is none.
    pub fn end(&self) -> f64 {
        let spans = self.segments.iter().chain(&self.words);
        spans.map(|span| span.end).fold(0.0, f64::max)
    }
}

impl From<&Transcript> for TimedText {
    fn from(transcript: &Transcript) -> Self {
        let segments = &transcript.segments;
        let words = segments
            .iter()
            .flat_map(|segment| segment.words.iter().flatten());
        let tokens = segments.iter().flat_map(|segment| {
            let texts = (segment
                .token_details
                .iter()
                .map(|token| Some(token.text.clone())))
            .chain(std::iter::repeat(None));
            (segment.tokens.iter().zip(texts)).map(|(&id, text)| TextToken { id, text })
        });
        Self {
            text: transcript.text.clone(),
            language: Some(transcript.language.clone()).filter(|code| !code.is_empty()),
            segments: (segments.iter())
                .map(|segment| Span {
                    start: segment.start,
                    end: segment.end,
                    text: segment.text.clone(),
                })
                .collect(),
            words: words
                .map(|word| Span {
                    start: word.start,
                    end: word.end,
                    text: word.word.clone(),
                })
                .collect(),
            tokens: tokens.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcribe::{Segment, Token, Word};

    #[test]
    fn a_transcript_keeps_what_it_knows() {
        let segment = Segment {
            start: 1.0,
            end: 2.0,
            text: " so it".to_owned(),
            tokens: vec![7, 8],
            words: Some(vec![Word {
                word: " so".to_owned(),
                start: 1.0,
                end: 1.5,
                probability: 1.0,
            }]),
            token_details: vec![Token {
                id: 7,
                text: " so".to_owned(),
                probability: 1.0,
            }],
            ..Segment::default()
        };
        let transcript = Transcript::new(" so it".to_owned(), vec![segment], "en".to_owned());
        let text = TimedText::from(&transcript);
        assert_eq!(text.language.as_deref(), Some("en"));
        assert_eq!((text.segments[0].start, text.words[0].end), (1.0, 1.5));
        assert_eq!(text.tokens[0].text.as_deref(), Some(" so"));
        assert_eq!((text.tokens[1].id, &text.tokens[1].text), (8, &None));
        assert_eq!(text.end(), 2.0);
    }
}
