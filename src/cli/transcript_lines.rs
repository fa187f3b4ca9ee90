//! The transcript on standard output, a line a segment, as the segments come.

use std::io::{self, ErrorKind, Write};

use whisper_rs::{Segment, output};

/// Standard output, until its reader goes away.
#[derive(Debug, Default)]
pub struct TranscriptLines {
    closed: bool,
}

impl TranscriptLines {
    /// Prints `[00:00.000 --> 00:07.600]  text` at once. A segment without text, as a music-only window may give, is
    /// no line.
    pub fn print(&mut self, segment: &Segment) -> io::Result<()> {
        if self.closed || segment.text.trim().is_empty() {
            return Ok(());
        }
        match print_line(&mut io::stdout().lock(), segment) {
            // `whisper-rs ... | head -1`: nothing is wrong, and nobody reads on.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            result => result,
        }
    }

    /// Whether the reader of standard output has gone away.
    pub fn closed(&self) -> bool {
        self.closed
    }
}

fn print_line(stdout: &mut impl Write, segment: &Segment) -> io::Result<()> {
    let (start, end) = (
        output::timestamp(segment.start),
        output::timestamp(segment.end),
    );
    writeln!(stdout, "[{start} --> {end}] {}", segment.text)?;
    stdout.flush()
}
