//! Samples without a header.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::audio::resample::check_rate;

/// What a header would say of raw samples: `s16le,16000,1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RawFormat {
    sample: RawSample,
    /// In samples per second.
    rate: u32,
    channels: u16,
}

/// Types of raw samples, by ffmpeg's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RawSample {
    U8,
    S16,
    S24,
    S32,
    F32,
    F64,
    Alaw,
    Mulaw,
}

/// Names, types, WAV format tags and bits per sample.
const SAMPLES: [(&str, RawSample, u16, u16); 8] = [
    ("u8", RawSample::U8, 1, 8),
    ("s16le", RawSample::S16, 1, 16),
    ("s24le", RawSample::S24, 1, 24),
    ("s32le", RawSample::S32, 1, 32),
    ("f32le", RawSample::F32, 3, 32),
    ("f64le", RawSample::F64, 3, 64),
    ("alaw", RawSample::Alaw, 6, 8),
    ("mulaw", RawSample::Mulaw, 7, 8),
];

/// More channels than any recording has.
const MAX_CHANNELS: u16 = 64;

impl FromStr for RawFormat {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let parts: Vec<&str> = word.split(',').map(str::trim).collect();
        let [sample, rate, channels] = parts[..] else {
            return Err("write sample type, rate and channels as s16le,16000,1".to_owned());
        };
        let Some((_, sample, _, _)) = SAMPLES.iter().find(|(name, ..)| *name == sample) else {
            let known: Vec<&str> = SAMPLES.iter().map(|(name, ..)| *name).collect();
            return Err(format!(
                "'{sample}' is no known sample type; give one of {}",
                known.join(", ")
            ));
        };
        let rate = rate
            .parse()
            .map_err(|_| format!("'{rate}' is no sample rate in Hz"))?;
        check_rate(rate)?;
        let channels = match channels.parse() {
            Ok(channels @ 1..=MAX_CHANNELS) => channels,
            _ => {
                return Err(format!(
                    "'{channels}' is no number of channels; give 1 to {MAX_CHANNELS}"
                ));
            }
        };
        Ok(RawFormat {
            sample: *sample,
            rate,
            channels,
        })
    }
}

impl TryFrom<String> for RawFormat {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        word.parse()
    }
}

impl From<RawFormat> for String {
    fn from(format: RawFormat) -> String {
        format.to_string()
    }
}

impl fmt::Display for RawFormat {
    /// As it is parsed: `s16le,16000,1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, ..) = self.sample_type();
        write!(f, "{name},{},{}", self.rate, self.channels)
    }
}

impl RawFormat {
    fn sample_type(&self) -> &'static (&'static str, RawSample, u16, u16) {
        SAMPLES
            .iter()
            .find(|(_, sample, ..)| *sample == self.sample)
            .unwrap_or(&SAMPLES[1])
    }

    /// The header of a WAV file of these samples, of a length that is not known.
    pub(super) fn wav_header(&self) -> Vec<u8> {
        let &(_, _, tag, bits) = self.sample_type();
        let frame = self.channels * bits / 8;
        // What is not linear has the length of further parameters, of which there are none, behind the usual ones.
        let more = matches!(self.sample, RawSample::Alaw | RawSample::Mulaw);
        let mut header = Vec::with_capacity(46);
        header.extend(b"RIFF\xff\xff\xff\xffWAVEfmt ");
        header.extend((if more { 18u32 } else { 16 }).to_le_bytes());
        header.extend(tag.to_le_bytes());
        header.extend(self.channels.to_le_bytes());
        header.extend(self.rate.to_le_bytes());
        header.extend(self.rate.saturating_mul(frame.into()).to_le_bytes());
        header.extend(frame.to_le_bytes());
        header.extend(bits.to_le_bytes());
        if more {
            header.extend(0u16.to_le_bytes());
        }
        header.extend(b"data\xff\xff\xff\xff");
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_type_rate_and_channels() {
        let format: RawFormat = "s16le, 16000,1".parse().unwrap();
        assert_eq!((format.rate, format.channels), (16_000, 1));
        assert_eq!(format.wav_header().len(), 44);
        for (word, says) in [
            ("s16le", "s16le,16000,1"),
            ("s16be,16000,1", "one of u8, s16le"),
            ("s16le,fast,1", "sample rate"),
            ("s16le,16000,0", "channels"),
            ("s16le,16000,65536", "channels"),
            ("s16le,1,1", "1"),
        ] {
            let message = word.parse::<RawFormat>().unwrap_err();
            assert!(message.contains(says), "{message}");
        }
    }
}
