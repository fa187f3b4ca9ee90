//! Files and lines of a transcript are, byte for byte, those that openai/whisper writes.
//!
//! The references were written by tests/tools/output_reference.py.
#![cfg(feature = "output")]

use std::io::Read;
use std::path::Path;

use serde_json::Value;
use whisper_rs::output::{self, FormatOptions, Writer};
use whisper_rs::{Segment, Transcript, Word};

fn reference() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/output/written.json.zlib"
    );
    let mut json = String::new();
    flate2::read::ZlibDecoder::new(std::fs::File::open(path).unwrap())
        .read_to_string(&mut json)
        .unwrap();
    serde_json::from_str(&json).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Floats are stored as their bits.
fn float(value: &Value) -> f64 {
    f64::from_bits(value.as_u64().unwrap())
}

fn segment(value: &Value) -> Segment {
    let integer = |name: &str| value[name].as_u64().unwrap() as usize;
    let mut segment = Segment::default();
    segment.id = integer("id");
    segment.seek = integer("seek");
    segment.start = float(&value["start"]);
    segment.end = float(&value["end"]);
    segment.text = text(&value["text"]);
    segment.tokens = value["tokens"]
        .as_array()
        .unwrap()
        .iter()
        .map(|token| token.as_u64().unwrap() as u32)
        .collect();
    segment.temperature = float(&value["temperature"]);
    segment.avg_logprob = float(&value["avg_logprob"]);
    segment.compression_ratio = float(&value["compression_ratio"]);
    segment.no_speech_prob = float(&value["no_speech_prob"]);
    segment.words = (value["words"].as_array()).map(|words| words.iter().map(word).collect());
    segment
}

fn word(value: &Value) -> Word {
    let mut word = Word::default();
    word.word = text(&value["word"]);
    word.start = float(&value["start"]);
    word.end = float(&value["end"]);
    word.probability = float(&value["probability"]);
    word
}

fn transcript(value: &Value) -> Transcript {
    let segments = value["segments"].as_array().unwrap().iter().map(segment);
    Transcript::new(
        text(&value["text"]),
        segments.collect(),
        text(&value["language"]),
    )
}

/// Fails with the place where the texts part, not with all of both.
fn assert_same(written: &str, expected: &str) {
    let parting = written
        .bytes()
        .zip(expected.bytes())
        .position(|(a, b)| a != b);
    let at = parting.unwrap_or(written.len().min(expected.len()));
    let around = |text: &str| {
        let bytes = &text.as_bytes()[at.saturating_sub(30)..text.len().min(at + 30)];
        String::from_utf8_lossy(bytes).into_owned()
    };
    assert!(
        written == expected,
        "at byte {at}: {:?} instead of {:?}",
        around(written),
        around(expected)
    );
}

/// What a format writes.
fn written(format: &str, options: &FormatOptions, transcript: &Transcript) -> String {
    let mut out = Vec::new();
    let writer = output::writer(format, options).unwrap();
    writer.write(transcript, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn files_of_every_format_of_openai_whisper() {
    let reference = reference();
    let cases = reference["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 7);
    let mut files = 0;
    let folder = tempfile::tempdir().unwrap();
    for case in cases {
        let transcript = transcript(&case["transcript"]);
        for format in output::OPENAI_FORMATS {
            let Value::String(expected) = &case[format] else {
                continue;
            };
            files += 1;
            let writer = output::writer(format, &FormatOptions::default()).unwrap();
            let audio = Path::new("clips/speech.of.1961.wav");
            let path = output::save(
                &transcript,
                writer.as_ref(),
                audio,
                &folder.path().join("made/on/demand"),
            )
            .unwrap();
            assert_eq!(
                path.file_name().unwrap().to_str().unwrap(),
                format!("speech.of.1961.{format}")
            );
            assert_same(&std::fs::read_to_string(path).unwrap(), expected);
        }
    }
    assert_eq!(files, 7 * 2 + 6 * 3);
}

#[test]
fn subtitles_by_words_with_every_option() {
    let reference = reference();
    let cases = reference["words"].as_array().unwrap();
    assert_eq!(cases.len(), 10);
    let limit = |value: &Value| value.as_u64().map(|limit| limit as usize);
    for case in cases {
        let transcript = transcript(&case["transcript"]);
        let tsv = written("tsv", &FormatOptions::default(), &transcript);
        assert_same(&tsv, &text(&case["tsv"]));
        let subtitles = case["subtitles"].as_array().unwrap();
        assert_eq!(subtitles.len(), 17);
        for expected in subtitles {
            let mut options = FormatOptions::default();
            options.subtitles.max_line_width = limit(&expected["max_line_width"]);
            options.subtitles.max_line_count = limit(&expected["max_line_count"]);
            options.subtitles.max_words_per_line = limit(&expected["max_words_per_line"]);
            options.subtitles.highlight_words = expected["highlight_words"].as_bool().unwrap();
            for format in ["srt", "vtt"] {
                let ours = written(format, &options, &transcript);
                assert_same(&ours, &text(&expected[format]));
            }
        }
    }
}

#[test]
fn lines_shown_while_transcribing() {
    let mut lines = 0;
    for case in reference()["cases"].as_array().unwrap() {
        let segments = transcript(&case["transcript"]).segments;
        // Times beyond a billion seconds are there to test numbers, not to be shown.
        let shown = segments
            .iter()
            .filter(|segment| segment.start.max(segment.end) < 1e9);
        for (segment, expected) in shown.zip(case["lines"].as_array().unwrap()) {
            assert_eq!(output::segment_line(segment), text(expected));
            lines += 1;
        }
    }
    assert!(lines > 300);
}

#[test]
fn timestamps() {
    let reference = reference();
    let timestamps = reference["timestamps"].as_array().unwrap();
    assert!(timestamps.len() > 800);
    for case in timestamps {
        let (seconds, hours) = (float(&case[0]), case[1].as_bool().unwrap());
        assert_eq!(
            output::format_timestamp(seconds, hours, &text(&case[2])),
            text(&case[3]),
            "{seconds}"
        );
    }
}

#[test]
fn json_stays_json_when_a_number_is_not_finite() {
    let mut case = transcript(&reference()["cases"][1]["transcript"]);
    case.segments[0].avg_logprob = f64::NAN;
    case.segments[1].avg_logprob = f64::NEG_INFINITY;
    let mut json = Vec::new();
    output::Json::default().write(&case, &mut json).unwrap();
    let value: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(value["segments"][0]["avg_logprob"], Value::Null);
    assert_eq!(value["segments"][1]["avg_logprob"], Value::Null);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let case = transcript(&reference()["cases"][1]["transcript"]);
    let error = output::save(
        &case,
        &output::Txt,
        Path::new("a.wav"),
        &file.join("inside"),
    )
    .unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("inside") && !message.contains('\n'),
        "{message}"
    );
}
