//! JSON, whole or a segment a line.

use serde::Deserialize;

use super::joined;
use crate::compare::timed_text::{Span, TextToken, TimedText};
use crate::tokenizer::languages::language_code;

/// What openai/whisper, `json-full` and OpenAI's `verbose_json` have in common; fields that are not compared are passed over.
#[derive(Deserialize)]
struct Whole {
    text: Option<String>,
    segments: Option<Vec<JsonSegment>>,
    language: Option<String>,
    /// `verbose_json` has the words beside the segments.
    words: Option<Vec<JsonWord>>,
}

#[derive(Deserialize)]
struct JsonSegment {
    start: f64,
    end: f64,
    text: String,
    tokens: Option<Vec<u32>>,
    words: Option<Vec<JsonWord>>,
    token_details: Option<Vec<JsonToken>>,
}

#[derive(Deserialize)]
struct JsonWord {
    word: String,
    start: f64,
    end: f64,
}

#[derive(Deserialize)]
struct JsonToken {
    text: String,
}

/// A transcript as one object.
pub(super) fn whole(json: &str) -> Result<TimedText, String> {
    let value: serde_json::Value =
        serde_json::from_str(json).map_err(|error| format!("is no JSON: {error}"))?;
    if !value.is_object() {
        return Err("is no transcript, which is an object with text or segments".to_owned());
    }
    let whole: Whole =
        serde_json::from_value(value).map_err(|error| format!("is no transcript: {error}"))?;
    if whole.text.is_none() && whole.segments.is_none() {
        return Err("is no transcript: it has neither text nor segments".to_owned());
    }
    let mut text = of_segments(whole.segments.unwrap_or_default());
    if text.words.is_empty() {
        text.words = whole.words.into_iter().flatten().map(Span::from).collect();
    }
    if let Some(all) = whole.text {
        text.text = all;
    }
    // `verbose_json` names the language in English.
    text.language = whole.language.map(|name| {
        let code = language_code(&name.to_lowercase());
        code.map_or(name, str::to_owned)
    });
    Ok(text)
}

/// A segment a line.
pub(super) fn lines(json: &str) -> Result<TimedText, String> {
    let lines = (1..)
        .zip(json.lines())
        .filter(|(_, line)| !line.trim().is_empty());
    let segments = lines.map(|(number, line)| {
        serde_json::from_str(line).map_err(|error| format!("line {number}: is no segment: {error}"))
    });
    Ok(of_segments(segments.collect::<Result<_, _>>()?))
}

fn of_segments(segments: Vec<JsonSegment>) -> TimedText {
    let mut text = TimedText::default();
    for segment in segments {
        let texts = segment.token_details.into_iter().flatten();
        let texts = texts
            .map(|token| Some(token.text))
            .chain(std::iter::repeat(None));
        let tokens = segment.tokens.into_iter().flatten().zip(texts);
        (text.tokens).extend(tokens.map(|(id, text)| TextToken { id, text }));
        (text.words).extend(segment.words.into_iter().flatten().map(Span::from));
        text.segments.push(Span {
            start: segment.start,
            end: segment.end,
            text: segment.text,
        });
    }
    text.text = joined(&text.segments);
    text
}

impl From<JsonWord> for Span {
    fn from(word: JsonWord) -> Self {
        Self {
            start: word.start,
            end: word.end,
            text: word.word,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_of_a_verbose_answer() {
        let answer = r#"{"task": "transcribe", "language": "german", "duration": 2.0, "text": "Ja, so.",
            "words": [{"word": "Ja", "start": 0.0, "end": 0.5}], "segments": [{"id": 0, "start": 0.0, "end": 1.0,
            "text": " Ja, so.", "tokens": [1, 2], "temperature": 0.0}]}"#;
        let text = whole(answer).unwrap();
        assert_eq!(text.language.as_deref(), Some("de"));
        assert_eq!(
            (text.words.len(), text.segments.len(), text.tokens.len()),
            (1, 1, 2)
        );
    }
}
