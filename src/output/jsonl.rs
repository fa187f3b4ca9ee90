//! JSON Lines: a segment a line.

use std::io::{self, Write};

use serde::Serialize;

use super::python_json::PythonJson;
use super::{SegmentWriter, Writer};
use crate::transcribe::{Segment, Transcript};

/// Each segment as an object on a line of its own, with the fields that it has in [`Json`](super::Json). A reader has
/// each line as soon as its segment is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct Jsonl;

impl Writer for Jsonl {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn write(&self, transcript: &Transcript, out: &mut dyn Write) -> io::Result<()> {
        (transcript.segments.iter()).try_for_each(|segment| self.write_segment(segment, out))
    }

    fn by_segment(&self) -> Option<&dyn SegmentWriter> {
        Some(self)
    }
}

impl SegmentWriter for Jsonl {
    fn write_segment(&self, segment: &Segment, out: &mut dyn Write) -> io::Result<()> {
        segment.serialize(&mut serde_json::Serializer::with_formatter(
            &mut *out, PythonJson,
        ))?;
        out.write_all(b"\n")
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{spoken, written};
    use super::*;

    #[test]
    fn every_line_is_a_segment() {
        let text = written(&Jsonl, &spoken());
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["text"], " And so,");
        assert_eq!(lines[0]["words"][1]["word"], " so,");
        assert_eq!(lines[1]["id"], 1);
        assert!(text.ends_with('\n'));
    }
}
