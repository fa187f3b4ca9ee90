//! Standard output, which belongs to the transcript.

use std::io::{self, ErrorKind, Write};

/// Standard output, until its reader goes away or it cannot be written to.
#[derive(Debug, Default)]
pub struct StandardOutput {
    closed: bool,
    failed: bool,
}

impl StandardOutput {
    /// Writes at once. When nobody reads any more, nothing is written and nothing is wrong. After an error nothing more is
    /// written either: it is told once.
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
            Err(error) => {
                self.closed = true;
                self.failed = true;
                Err(error)
            }
            Ok(()) => Ok(()),
        }
    }

    /// Whether nothing is written any more: its reader has gone away, or it has failed.
    pub fn closed(&self) -> bool {
        self.closed
    }

    /// Whether something could not be written, as on a full disk.
    pub fn failed(&self) -> bool {
        self.failed
    }
}
