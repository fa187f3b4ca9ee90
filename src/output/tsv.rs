//! Tab-separated values.

use std::io::{self, Write};

use super::Writer;
use crate::text::{python_round, python_strip};
use crate::transcribe::Transcript;

/// Start and end in whole milliseconds and the text of each segment, byte for byte as openai/whisper writes them
/// (utils.py:256-275).
#[derive(Debug, Clone, Copy, Default)]
pub struct Tsv;

impl Writer for Tsv {
    fn name(&self) -> &'static str {
        "tsv"
    }

    fn write(&self, transcript: &Transcript, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(b"start\tend\ttext\n")?;
        for segment in &transcript.segments {
            let (start, end) = (milliseconds(segment.start), milliseconds(segment.end));
            let text = python_strip(&segment.text).replace('\t', " ");
            writeln!(out, "{start}\t{end}\t{text}")?;
        }
        Ok(())
    }
}

/// Seconds in whole milliseconds, halves to the even one.
pub(super) fn milliseconds(seconds: f64) -> i64 {
    python_round(1000.0 * seconds)
}
