//! Where encoded audio comes from: a file, or a reader that may not be seekable.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use symphonia::core::io::{
    MediaSource, MediaSourceStream, MediaSourceStreamOptions, ReadOnlySource,
};

use crate::error::{Error, Result};

use super::pcm::temporary_file_error;

/// The message for an input without a single byte.
pub(super) const EMPTY: &str = "is empty (0 bytes)";

/// Encoded audio to be decoded.
pub(super) struct Source {
    inner: Box<dyn MediaSource>,
}

impl Source {
    /// A regular file.
    pub(super) fn file(file: File) -> Source {
        Source {
            inner: Box::new(file),
        }
    }

    /// A reader; formats that need to be seekable are copied to a temporary file first.
    pub(super) fn reader(
        mut reader: impl Read + Send + Sync + 'static,
        name: &str,
    ) -> Result<Source> {
        let refuse = |reason: String| Error::Audio {
            name: name.into(),
            reason,
        };
        let mut head = Vec::new();
        (&mut reader)
            .take(12)
            .read_to_end(&mut head)
            .map_err(|error| refuse(format!("could not be read: {error}")))?;
        if head.is_empty() {
            return Err(refuse(EMPTY.into()));
        }
        let seek_needed = needs_seek(&head);
        let mut reader = Cursor::new(head).chain(reader);
        if !seek_needed {
            return Ok(Source {
                inner: Box::new(ReadOnlySource::new(reader)),
            });
        }
        let mut file = tempfile::tempfile().map_err(temporary_file_error)?;
        io::copy(&mut reader, &mut file)
            .map_err(|error| refuse(format!("could not be copied to a temporary file: {error}")))?;
        file.seek(SeekFrom::Start(0))
            .map_err(temporary_file_error)?;
        Ok(Source::file(file))
    }

    pub(super) fn into_stream(self) -> MediaSourceStream<'static> {
        MediaSourceStream::new(self.inner, MediaSourceStreamOptions::default())
    }
}

/// Whether a file that starts so may keep what is needed first (an index, the sample format) at its end.
fn needs_seek(head: &[u8]) -> bool {
    let mp4 = [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"];
    head.get(4..8)
        .is_some_and(|kind| mp4.iter().any(|known| kind == *known))
        || head.starts_with(b"FORM")
        || head.starts_with(b"caff")
}
