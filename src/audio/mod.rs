//! Audio in: any file, reader or samples to 16 kHz mono.
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
mod downmix;
mod encoder_delay;
mod failure;
mod ffmpeg;
mod mp4_edit;
mod options;
mod opus;
mod outcome;
mod pcm;
mod raw;
mod resample;
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

use crate::error::{Error, Result};
use failure::Failure;
use pcm::{PcmStore, PcmWriter};
use resample::Resampler;
use source::Source;

/// The rate that the models hear, in samples per second (openai `audio.py:13`).
pub const SAMPLE_RATE: usize = 16_000;

/// 16 kHz mono audio, in memory or, when long, in an anonymous temporary file.
///
/// Reading takes `&self`, so one `Audio` can be shared between threads.
#[derive(Debug)]
pub struct Audio {
    samples: Samples,
    warnings: Vec<String>,
    source_channels: Option<usize>,
}

/// What an [`Audio`] holds: decoded files as 16-bit samples, the caller's own samples as they came.
#[derive(Debug)]
enum Samples {
    Pcm16(PcmStore),
    Float(Vec<f32>),
}

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
        let copy = tempfile::NamedTempFile::new().map_err(pcm::temporary_file_error)?;
        io::copy(&mut whole, &mut copy.as_file())
            .map_err(|error| refuse(format!("could not be copied to a temporary file: {error}")))?;
        let file = copy.reopen().map_err(pcm::temporary_file_error)?;
        let source = Source::file(file).map_err(pcm::temporary_file_error)?;
        match decode::decode(source, name, options.channel, true) {
            Err(Failure::Unsupported(reason)) => {
                by_ffmpeg(copy.path(), name, reason, options.channel)
            }
            result => result.map_err(|failure| failure.into_error(name)),
        }
    }

    /// Audio of 16-bit samples at 16 kHz, mono.
    pub fn from_pcm16(samples: Vec<i16>) -> Audio {
        Audio {
            samples: Samples::Pcm16(PcmStore::Memory(samples)),
            warnings: Vec::new(),
            source_channels: None,
        }
    }

    /// Audio of samples in [-1, 1] at 16 kHz, mono. They are used as they are, not rounded to 16 bits.
    ///
    /// # Errors
    ///
    /// A sample is NaN or infinite.
    pub fn from_samples(samples: Vec<f32>) -> Result<Audio> {
        check_finite(&samples, 1, SAMPLE_RATE as u32)?;
        Ok(Audio {
            samples: Samples::Float(samples),
            warnings: Vec::new(),
            source_channels: None,
        })
    }

    /// Audio of interleaved samples in [-1, 1] at any rate (in Hz) and channel count, downmixed and
    /// resampled to 16 kHz mono. They are not rounded to 16 bits.
    ///
    /// # Errors
    ///
    /// A sample is NaN or infinite, the rate is outside what can be resampled, the channel count is
    /// zero, or the last frame is incomplete.
    pub fn from_samples_at(samples: &[f32], sample_rate: u32, channels: usize) -> Result<Audio> {
        let refuse = |reason: String| {
            Err(Error::Audio {
                name: "samples".into(),
                reason,
            })
        };
        if channels == 0 || !samples.len().is_multiple_of(channels) {
            return refuse(format!(
                "{} samples are no whole number of frames of {channels} channels",
                samples.len()
            ));
        }
        if let Err(reason) = resample::check_rate(sample_rate) {
            return refuse(reason);
        }
        check_finite(samples, channels, sample_rate)?;

        let mix = downmix::Downmix::for_count(channels);
        let mono: Vec<f32> = samples
            .chunks_exact(channels)
            .map(|frame| mix.frame(frame))
            .collect();
        let samples = if sample_rate as usize == SAMPLE_RATE {
            mono
        } else {
            let mut resampler = Resampler::new(sample_rate);
            let mut out = Vec::new();
            resampler.push(&mono, &mut out);
            resampler.finish(&mut out);
            out
        };
        Ok(Audio {
            samples: Samples::Float(samples),
            warnings: Vec::new(),
            source_channels: None,
        })
    }

    /// Number of samples at 16 kHz.
    pub fn len(&self) -> usize {
        match &self.samples {
            Samples::Pcm16(store) => store.len(),
            Samples::Float(samples) => samples.len(),
        }
    }

    /// Whether there is no sample at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        self.len() as f64 / SAMPLE_RATE as f64
    }

    /// What was wrong with the input but did not stop it from being decoded, one line each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Channels of the file that this was decoded from, the most where they change; none where that is not known, as of
    /// samples.
    pub fn source_channels(&self) -> Option<usize> {
        self.source_channels
    }

    /// Reads the samples `start..start + out.len()` as f32 (16-bit samples divided by 32768); those
    /// past the end are 0.
    ///
    /// # Errors
    ///
    /// The temporary file that holds long audio could not be read.
    pub fn read(&self, start: usize, out: &mut [f32]) -> Result<()> {
        match &self.samples {
            Samples::Pcm16(store) => store.read(start, out),
            Samples::Float(samples) => {
                let present = samples.get(start..).unwrap_or_default();
                let count = present.len().min(out.len());
                let (head, tail) = out.split_at_mut(count);
                head.copy_from_slice(&present[..count]);
                tail.fill(0.0);
                Ok(())
            }
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

/// Refuses samples that are NaN or infinite: one would turn the maximum of the whole file's features,
/// and with it every window, into NaN.
fn check_finite(samples: &[f32], channels: usize, sample_rate: u32) -> Result<()> {
    match samples.iter().position(|sample| !sample.is_finite()) {
        None => Ok(()),
        Some(index) => Err(Error::Audio {
            name: "samples".into(),
            reason: not_finite((index / channels) as f64 / f64::from(sample_rate)),
        }),
    }
}

/// The message for a sample that is no finite number, at this position.
fn not_finite(seconds: f64) -> String {
    format!(
        "the sample at {seconds:.3} s is not a finite number (NaN or infinite); repair the file or write it anew"
    )
}
