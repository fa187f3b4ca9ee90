//! Audio from files and readers.
//!
//! ```text
//! file, reader -> decode (symphonia) -> downmix -> resample -> round to 16 bits -> pcm (memory or temporary file)
//! ```
//!
//! Everything is a stream: a packet is decoded, mixed to one channel, resampled and stored before
//! the next one is read, so memory does not grow with the length of the file.

mod codec_name;
mod convert;
mod decode;
mod encoder_delay;
mod failure;
mod ffmpeg;
mod mp4_edit;
mod options;
mod opus;
mod outcome;
mod pcm_writer;
mod positions;
mod raw;
mod source;
mod track;

use std::fs::File;
use std::io::{self, Cursor, Read};
#[cfg(unix)]
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

pub use ffmpeg::ffmpeg_version;
pub use options::{AudioOptions, Channel};
pub use raw::RawFormat;

use super::pcm::temporary_file_error;
use super::{Audio, Samples};
use crate::error::{Error, Result};
use failure::Failure;
use pcm_writer::PcmWriter;
use source::Source;

impl Audio {
    /// Decodes a file: WAV, FLAC, MP3, Ogg (Vorbis, Opus), M4A/MP4 (AAC, ALAC), AIFF, MKV/WebM, CAF or raw
    /// AAC (ADTS), at any sample rate and channel count.
    ///
    /// The samples are rounded to 16 bits as openai/whisper has ffmpeg do (`audio.py:44-59`). A file
    /// that breaks off in the middle gives what can be decoded, and a line in [`Audio::warnings`].
    ///
    /// # Errors
    ///
    /// The file is missing, a folder, empty, no supported audio, has nothing that can be decoded, or
    /// has samples that are not finite numbers.
    pub fn open(path: impl AsRef<Path>) -> Result<Audio> {
        Audio::open_with(path, &AudioOptions::default())
    }

    /// As [`Audio::open`], with options.
    ///
    /// # Errors
    ///
    /// As [`Audio::open`]; where ffmpeg was to be asked and is not installed, the error says so.
    pub fn open_with(path: impl AsRef<Path>, options: &AudioOptions) -> Result<Audio> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let io_error = |source| Error::Io {
            path: path.to_path_buf(),
            source,
        };

        let file = File::open(path).map_err(io_error)?;
        let metadata = file.metadata().map_err(io_error)?;
        if metadata.is_dir() {
            return Err(Error::Audio {
                name,
                reason: "is a folder; give the audio files in it".into(),
            });
        }
        #[cfg(unix)]
        if metadata.file_type().is_char_device() || metadata.file_type().is_block_device() {
            // Which may be endless, as /dev/zero is.
            return Err(Error::Audio {
                name,
                reason: "is a device; give a file or a pipe".into(),
            });
        }
        if !metadata.is_file() {
            // A pipe: it can be read once, from front to back.
            return Audio::from_reader_with(file, &name, options);
        }
        if metadata.len() == 0 {
            return Err(Error::Audio {
                name,
                reason: source::EMPTY.into(),
            });
        }
        if let Some(raw) = options.raw {
            return from_raw(raw, file, &name, options.channel);
        }
        let source = Source::file(file).map_err(io_error)?;
        match decode::decode(source, &name, options.channel, options.ffmpeg) {
            Err(Failure::Unsupported(reason)) if options.ffmpeg => {
                by_ffmpeg(path, &name, reason, options.channel)
            }
            result => result.map_err(|failure| failure.into_error(&name)),
        }
    }

    /// Decodes what a reader gives, in any format that [`Audio::open`] knows; `name` is for messages.
    ///
    /// The reader need not be seekable. Formats that may keep their index at the end (MP4, AIFF, CAF)
    /// are first copied to a temporary file, the others are decoded as they arrive.
    ///
    /// # Errors
    ///
    /// As [`Audio::open`], and whatever the reader reports.
    pub fn from_reader(reader: impl Read + Send + Sync + 'static, name: &str) -> Result<Audio> {
        Audio::from_reader_with(reader, name, &AudioOptions::default())
    }

    /// As [`Audio::from_reader`], with options. Where ffmpeg may be asked, what it may be asked about is copied to a
    /// temporary file first.
    ///
    /// # Errors
    ///
    /// As [`Audio::open_with`], and whatever the reader reports.
    pub fn from_reader_with(
        mut reader: impl Read + Send + Sync + 'static,
        name: &str,
        options: &AudioOptions,
    ) -> Result<Audio> {
        if let Some(raw) = options.raw {
            return from_raw(raw, reader, name, options.channel);
        }
        let refuse = |reason: String| Error::Audio {
            name: name.into(),
            reason,
        };
        let head = source::head(&mut reader)
            .map_err(|error| refuse(format!("could not be read: {error}")))?;
        if head.is_empty() {
            return Err(refuse(source::EMPTY.into()));
        }
        let mut whole = Cursor::new(head.clone()).chain(reader);
        if !options.ffmpeg || source::is_surely_supported(&head) {
            let source = Source::reader(whole, head, name)?;
            return decode::decode(source, name, options.channel, false)
                .map_err(|failure| failure.into_error(name));
        }
        let copy = tempfile::NamedTempFile::new().map_err(temporary_file_error)?;
        io::copy(&mut whole, &mut copy.as_file())
            .map_err(|error| refuse(format!("could not be copied to a temporary file: {error}")))?;
        let file = copy.reopen().map_err(temporary_file_error)?;
        let source = Source::file(file).map_err(temporary_file_error)?;
        match decode::decode(source, name, options.channel, true) {
            Err(Failure::Unsupported(reason)) => {
                by_ffmpeg(copy.path(), name, reason, options.channel)
            }
            result => result.map_err(|failure| failure.into_error(name)),
        }
    }

    /// The end of a decode: what was written, what was wrong with the input, and how many channels it has.
    fn from_writer(
        writer: PcmWriter,
        warnings: Vec<String>,
        source_channels: Option<usize>,
    ) -> Result<Audio> {
        Ok(Audio {
            samples: Samples::Pcm16(writer.finish()?),
            warnings,
            source_channels,
        })
    }
}

/// Decodes samples without a header.
fn from_raw(
    raw: RawFormat,
    reader: impl Read + Send + Sync + 'static,
    name: &str,
    channel: Channel,
) -> Result<Audio> {
    let header = raw.wav_header();
    let whole = Cursor::new(header.clone()).chain(reader);
    decode::decode(Source::reader(whole, header, name)?, name, channel, false)
        .map_err(|failure| failure.into_error(name))
}

/// Has ffmpeg decode a file that is not supported here, for this reason.
fn by_ffmpeg(path: &Path, name: &str, reason: String, channel: Channel) -> Result<Audio> {
    let reason = match ffmpeg::decode(path, name, channel) {
        Ok(audio) => return Ok(audio),
        Err(ffmpeg::Refusal::Error(error)) => return Err(error),
        Err(ffmpeg::Refusal::Absent) => {
            format!("{reason} (an installed ffmpeg would be asked, and there is none)")
        }
        Err(ffmpeg::Refusal::Unknown(said)) => {
            format!("{reason} (nor does ffmpeg know it: {said})")
        }
    };
    Err(Error::Audio {
        name: name.into(),
        reason,
    })
}
