//! Reads the references of tests/tools/words_reference.py.

use serde_json::Value;

use super::alignment::WordTiming;
use crate::transcribe::{Segment, Word};

/// The cases of a file in tests/data/words.
pub(super) fn reference(file: &str) -> Vec<Value> {
    let path = format!("{}/tests/data/words/{file}", env!("CARGO_MANIFEST_DIR"));
    let json = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

pub(super) fn size(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

pub(super) fn sizes(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(size).collect()
}

pub(super) fn strings(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(text).collect()
}

pub(super) fn tokens(value: &Value) -> Vec<u32> {
    sizes(value).into_iter().map(|token| token as u32).collect()
}

/// A number that is kept as text, to the last bit.
pub(super) fn exact(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

/// Numbers; null is NaN, and the words inf and -inf are infinities, which JSON does not have.
pub(super) fn f32s(value: &Value) -> Vec<f32> {
    let number = |value: &Value| match value {
        Value::Null => f32::NAN,
        Value::String(word) => word.parse().unwrap(),
        _ => value.as_f64().unwrap() as f32,
    };
    value.as_array().unwrap().iter().map(number).collect()
}

pub(super) fn timing(word: &str, tokens: &[u32], start: f64, end: f64) -> WordTiming {
    WordTiming {
        word: word.to_owned(),
        tokens: tokens.to_vec(),
        start,
        end,
        probability: 0.5,
    }
}

/// `[word, number of tokens, start, end, probability]` each.
pub(super) fn timings(value: &Value) -> Vec<WordTiming> {
    let one = |value: &Value| WordTiming {
        word: text(&value[0]),
        tokens: vec![7; size(&value[1])],
        start: exact(&value[2]),
        end: exact(&value[3]),
        probability: exact(&value[4]),
    };
    value.as_array().unwrap().iter().map(one).collect()
}

pub(super) fn word(word: &str, start: f64, end: f64, probability: f64) -> Word {
    Word {
        word: word.to_owned(),
        start,
        end,
        probability,
    }
}

/// A segment by its times and, if there, words as `[word, start, end, probability]`.
pub(super) fn segment(value: &Value) -> Segment {
    let one = |value: &Value| {
        let number = |i: usize| exact(&value[i]);
        word(&text(&value[0]), number(1), number(2), number(3))
    };
    Segment {
        start: exact(&value["start"]),
        end: exact(&value["end"]),
        text: " a".to_owned(),
        words: (value["words"].as_array()).map(|words| words.iter().map(one).collect()),
        ..Segment::default()
    }
}

pub(super) fn segments(value: &Value) -> Vec<Segment> {
    value.as_array().unwrap().iter().map(segment).collect()
}

/// Asserts that times and words of segments are, to the bit, those of a reference.
#[track_caller]
pub(super) fn assert_segments(ours: &[Segment], expected: &Value, case: usize) {
    let expected = segments(expected);
    assert_eq!(ours.len(), expected.len(), "case {case}");
    for (ours, expected) in ours.iter().zip(&expected) {
        assert_eq!(
            (ours.start, ours.end),
            (expected.start, expected.end),
            "case {case}"
        );
        assert_eq!(ours.words, expected.words, "case {case}");
    }
}
