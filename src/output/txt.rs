//! Plain text.

use std::io::{self, Write};

use super::{SegmentWriter, Writer};
use crate::text::python_strip;
use crate::transcribe::{Segment, Transcript};

/// One line of text for each segment, without times (openai/whisper utils.py:102-110).
#[derive(Debug, Clone, Copy, Default)]
pub struct Txt;

impl Writer for Txt {
    fn name(&self) -> &'static str {
        "txt"
    }

    fn write(&self, transcript: &Transcript, out: &mut dyn Write) -> io::Result<()> {
        (transcript.segments.iter()).try_for_each(|segment| self.write_segment(segment, out))
    }

    fn by_segment(&self) -> Option<&dyn SegmentWriter> {
        Some(self)
    }
}

impl SegmentWriter for Txt {
    fn write_segment(&self, segment: &Segment, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", python_strip(&segment.text))
    }
}
