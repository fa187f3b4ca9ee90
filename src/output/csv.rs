//! Comma-separated values.

use std::io::{self, Write};

use super::Writer;
use super::tsv::milliseconds;
use crate::text::python_strip;
use crate::transcribe::Transcript;

/// Start and end in whole milliseconds and the text of each segment, with the columns of whisper.cpp's CSV. The text
/// is always in quotes, and a quote in it is doubled (RFC 4180).
#[derive(Debug, Clone, Copy, Default)]
pub struct Csv;

impl Writer for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn write(&self, transcript: &Transcript, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(b"start,end,text\n")?;
        for segment in &transcript.segments {
            let (start, end) = (milliseconds(segment.start), milliseconds(segment.end));
            let text = python_strip(&segment.text).replace('"', "\"\"");
            writeln!(out, "{start},{end},\"{text}\"")?;
        }
        Ok(())
    }
}
