//! What the tests of the formats share.

use super::Writer;
use crate::transcribe::{Segment, Transcript, Word};

/// Two segments an hour apart, with words, quotes and braces.
pub(super) fn spoken() -> Transcript {
    let segments = [
        (0, 0.0, 1.0, vec![("And", 0.0, 0.4), (" so,", 0.5, 0.9)]),
        (
            1,
            3661.0,
            3663.0,
            vec![(" {my}", 3661.5, 3662.0), (" \"fellow\"", 3662.0, 3662.75)],
        ),
    ];
    let segments: Vec<Segment> = segments
        .into_iter()
        .map(|(id, start, end, words)| Segment {
            id,
            start,
            end,
            text: format!(
                " {}",
                words.iter().map(|word| word.0).collect::<String>().trim()
            ),
            words: Some(words.into_iter().map(word).collect()),
            ..Segment::default()
        })
        .collect();
    let text = segments
        .iter()
        .map(|segment| segment.text.as_str())
        .collect();
    Transcript::new(text, segments, "en".to_owned())
}

fn word((word, start, end): (&str, f64, f64)) -> Word {
    Word {
        word: word.to_owned(),
        start,
        end,
        probability: 0.75,
    }
}

/// What a writer makes of a transcript.
pub(super) fn written(writer: &dyn Writer, transcript: &Transcript) -> String {
    let mut out = Vec::new();
    writer.write(transcript, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}
