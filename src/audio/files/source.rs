//! Where encoded audio comes from: a file, or a reader that may not be seekable.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use symphonia::core::io::{
    MediaSource, MediaSourceStream, MediaSourceStreamOptions, ReadOnlySource,
};

use crate::error::{Error, Result};

use super::mp4_edit::{TrackStart, track_starts};
use crate::audio::pcm::temporary_file_error;

/// The message for an input without a single byte.
pub(super) const EMPTY: &str = "is empty (0 bytes)";

/// Bytes by which the kind of a file is told.
const HEAD: u64 = 22;

/// The first bytes of a reader.
pub(super) fn head(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    reader.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}

/// Whether a file that starts so is of a kind that is always decoded here.
pub(super) fn is_surely_supported(head: &[u8]) -> bool {
    // Layer 0 is AAC, of which some kinds are not.
    let mpeg = matches!(head, [0xff, second, ..] if second & 0xe0 == 0xe0 && second & 0x06 != 0);
    // What follows an ID3 tag may be AAC as well.
    mpeg || is_plain_wav(head) || head.starts_with(b"fLaC")
}

/// WAV whose samples are integers, floating-point numbers, A-law or mu-law. A RIFF file may hold much else.
fn is_plain_wav(head: &[u8]) -> bool {
    const PLAIN: [u16; 5] = [1, 3, 6, 7, 0xfffe];
    let at = |range: std::ops::Range<usize>| head.get(range).unwrap_or_default();
    let format = u16::from_le_bytes(at(20..22).try_into().unwrap_or_default());
    (at(0..4), at(8..12), at(12..16)) == (b"RIFF", b"WAVE", b"fmt ") && PLAIN.contains(&format)
}

/// What a file is by its first bytes.
pub(super) enum Container {
    /// One that is read here.
    Read(&'static str),
    /// One that is not, with its article.
    Foreign(&'static str),
}

/// Encoded audio to be decoded.
pub(super) struct Source {
    stream: Box<dyn MediaSource>,
    /// The first bytes.
    head: Vec<u8>,
    /// Where the tracks of an MP4 file begin.
    pub(super) starts: Vec<TrackStart>,
}

impl Source {
    /// A regular file.
    pub(super) fn file(mut file: File) -> io::Result<Source> {
        let head = head(&mut file)?;
        let starts = if is_mp4(&head) {
            track_starts(&mut io::BufReader::new(&mut file))?
        } else {
            Vec::new()
        };
        file.seek(SeekFrom::Start(0))?;
        Ok(Source {
            stream: Box::new(file),
            head,
            starts,
        })
    }

    /// A reader, of which the first bytes are known to be `head`; formats that need to be seekable are copied to a
    /// temporary file first.
    pub(super) fn reader(
        mut reader: impl Read + Send + Sync + 'static,
        head: Vec<u8>,
        name: &str,
    ) -> Result<Source> {
        let refuse = |reason: String| Error::Audio {
            name: name.into(),
            reason,
        };
        if !needs_seek(&head) {
            return Ok(Source {
                stream: Box::new(ReadOnlySource::new(reader)),
                head,
                starts: Vec::new(),
            });
        }
        let mut file = tempfile::tempfile().map_err(temporary_file_error)?;
        io::copy(&mut reader, &mut file)
            .map_err(|error| refuse(format!("could not be copied to a temporary file: {error}")))?;
        file.seek(SeekFrom::Start(0))
            .map_err(temporary_file_error)?;
        Source::file(file).map_err(temporary_file_error)
    }

    /// The container that the first bytes belong to, where they are those of one.
    pub(super) fn container(&self) -> Option<Container> {
        let signatures: [(&[u8], &str); 7] = [
            (b"fLaC", "FLAC"),
            (b"OggS", "Ogg"),
            (b"ID3", "MP3"),
            (b"FORM", "AIFF"),
            (b"caff", "CAF"),
            (&[0x1a, 0x45, 0xdf, 0xa3], "MKV or WebM"),
            (b"RF64", "RF64, a WAV of more than 4 GB,"),
        ];
        if is_mp4(&self.head) {
            return Some(Container::Read("MP4"));
        }
        if self.head.starts_with(b"RIFF") {
            return Some(match self.head.get(8..12) {
                Some(b"WAVE") | None => Container::Read("WAV"),
                Some(b"AVI ") => Container::Foreign("an AVI video"),
                Some(_) => Container::Foreign("a RIFF file other than WAV"),
            });
        }
        signatures
            .iter()
            .find(|(bytes, _)| self.head.starts_with(bytes))
            .map(|(_, name)| Container::Read(name))
    }

    pub(super) fn into_stream(self) -> MediaSourceStream<'static> {
        MediaSourceStream::new(self.stream, MediaSourceStreamOptions::default())
    }
}

/// Whether a file that starts so may keep what is needed first (an index, the sample format) at its end.
fn needs_seek(head: &[u8]) -> bool {
    is_mp4(head) || head.starts_with(b"FORM") || head.starts_with(b"caff")
}

fn is_mp4(head: &[u8]) -> bool {
    let kinds = [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"];
    head.get(4..8)
        .is_some_and(|kind| kinds.iter().any(|known| kind == *known))
}
