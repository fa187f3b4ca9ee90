//! JSON with the tokens beside what the plain one has.

use std::io::{self, Write};

use serde::Serialize;

use super::Writer;
use super::json::write_json;
use crate::transcribe::{Segment, Token, Transcript};

/// What [`Json`](super::Json) writes, and each segment's tokens with text and probability under `token_details`.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct JsonFull {
    /// Break lines and indent, and write letters beyond ASCII as they are.
    pub pretty: bool,
}

#[derive(Serialize)]
struct FullTranscript<'a> {
    text: &'a str,
    segments: Vec<FullSegment<'a>>,
    language: &'a str,
}

#[derive(Serialize)]
struct FullSegment<'a> {
    #[serde(flatten)]
    segment: &'a Segment,
    token_details: &'a [Token],
}

impl Writer for JsonFull {
    fn name(&self) -> &'static str {
        "json-full"
    }

    /// Not that of the plain JSON, beside which the file may stand.
    fn extension(&self) -> &'static str {
        "full.json"
    }

    fn write(&self, transcript: &Transcript, out: &mut dyn Write) -> io::Result<()> {
        let segments = transcript.segments.iter().map(|segment| FullSegment {
            segment,
            token_details: &segment.token_details,
        });
        let full = FullTranscript {
            text: &transcript.text,
            segments: segments.collect(),
            language: &transcript.language,
        };
        write_json(&full, self.pretty, out)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{spoken, written};
    use super::*;

    #[test]
    fn tokens_have_text_and_probability() {
        let mut transcript = spoken();
        transcript.segments[0].tokens = vec![50364, 400];
        transcript.segments[0].token_details = vec![
            Token {
                id: 50364,
                text: "<|0.00|>".to_owned(),
                probability: 0.5,
            },
            Token {
                id: 400,
                text: " And".to_owned(),
                probability: 0.25,
            },
        ];
        for pretty in [false, true] {
            let text = written(&JsonFull { pretty }, &transcript);
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            let segment = &value["segments"][0];
            assert_eq!(segment["tokens"], serde_json::json!([50364, 400]));
            assert_eq!(
                segment["token_details"][1],
                serde_json::json!({"id": 400, "text": " And", "probability": 0.25})
            );
            assert_eq!(segment["words"][0]["probability"], 0.75);
            assert_eq!(value["language"], "en");
            assert_eq!(text.contains('\n'), pretty);
        }
    }
}
