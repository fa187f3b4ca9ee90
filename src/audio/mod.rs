//! Audio in: any file, reader or samples to 16 kHz mono.

// Of these, decoded files need more than the caller's samples.
#[cfg_attr(not(feature = "audio-files"), allow(dead_code))]
mod downmix;
#[cfg_attr(not(feature = "audio-files"), allow(dead_code))]
mod pcm;
#[cfg_attr(not(feature = "audio-files"), allow(dead_code))]
mod resample;

#[cfg(feature = "audio-files")]
mod files;

#[cfg(feature = "audio-files")]
pub use files::{AudioOptions, Channel, RawFormat, ffmpeg_version};

use crate::error::{Error, Result};
use pcm::PcmStore;
use resample::Resampler;

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
