//! Plain text.

use std::io::{self, Write};

use super::Writer;
use crate::text::python_strip;
use crate::transcribe::Transcript;

/// One line of text for each segment, without times (openai/whisper utils.py:107-114).
#[derive(Debug, Clone, Copy, Default)]
pub struct Txt;

impl Writer for Txt {
    fn extension(&self) -> &'static str {
        "txt"
    }

    fn write(&self, transcript: &Transcript, out: &mut dyn Write) -> io::Result<()> {
        for segment in &transcript.segments {
            writeln!(out, "{}", python_strip(&segment.text))?;
        }
        Ok(())
    }
}
