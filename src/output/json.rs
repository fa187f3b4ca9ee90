//! JSON with every field of a transcript.

use std::io::{self, Write};

use serde::Serialize;

use super::Writer;
use super::python_json::PythonJson;
use crate::transcribe::{Segment, Transcript};

/// One object on one line with the fields of openai/whisper's result, byte for byte as Python's `json.dump` writes it
/// (openai/whisper utils.py:269-275): text beyond ASCII is escaped, and there is no line break at the end.
///
/// A number that is not finite is `null`, where Python's `NaN` would be no JSON.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json;

/// [`Transcript`] with its segments in openai's form.
#[derive(Serialize)]
struct Result<'a> {
    text: &'a str,
    segments: Vec<ResultSegment<'a>>,
    language: &'a str,
}

/// [`Segment`] with the fields that openai adds.
#[derive(Serialize)]
struct ResultSegment<'a> {
    #[serde(flatten)]
    segment: &'a Segment,
    /// A segment that was cleared has an empty list even when no words were asked for (openai/whisper
    /// transcribe.py:485-489).
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<[(); 0]>,
}

impl<'a> From<&'a Segment> for ResultSegment<'a> {
    fn from(segment: &'a Segment) -> Self {
        let cleared = segment.text.is_empty() && segment.tokens.is_empty();
        ResultSegment {
            segment,
            words: cleared.then_some([]),
        }
    }
}

impl Writer for Json {
    fn extension(&self) -> &'static str {
        "json"
    }

    fn write(&self, transcript: &Transcript, out: &mut dyn Write) -> io::Result<()> {
        let result = Result {
            text: &transcript.text,
            segments: transcript
                .segments
                .iter()
                .map(ResultSegment::from)
                .collect(),
            language: &transcript.language,
        };
        result
            .serialize(&mut serde_json::Serializer::with_formatter(out, PythonJson))
            .map_err(io::Error::from)
    }
}
