//! Standard output, which belongs to the transcript.

use std::io::{self, ErrorKind, Write};

/// Standard output, until its reader goes away.
#[derive(Debug, Default)]
pub struct StandardOutput {
    closed: bool,
}

impl StandardOutput {
    /// Writes at once. When nobody reads any more, nothing is written and nothing is wrong.
    pub fn write(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        match write(&mut stdout).and_then(|()| stdout.flush()) {
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
