//! Samples that an encoder puts in front of the sound, where the decoder does not leave them out itself.
//!
//! What is left out is what ffmpeg leaves out, so that the sound begins at the same sample as in
//! openai/whisper.

use symphonia::core::codecs::audio::well_known::{CODEC_ID_AAC, CODEC_ID_OPUS};
use symphonia::core::formats::FormatReader;
use symphonia::core::meta::{Metadata, MetadataRevision, RawValue};

use super::mp4_edit::TrackStart;
use super::opus;
use super::track::Track;

/// What FAAC puts in front and does not declare.
const FAAC_DELAY: u64 = 1024;

/// Frames that are still to be left out at the start.
pub(super) struct Delay {
    ticks: u64,
    timescale: u32,
    /// Whether the first packet is yet to be seen.
    first: bool,
}

impl Delay {
    /// What the container says: by an edit list, a header, or a tag.
    pub(super) fn of(format: &mut dyn FormatReader, track: &Track, starts: &[TrackStart]) -> Delay {
        if let Some(start) = starts.iter().find(|start| start.track == track.id) {
            return Delay {
                ticks: start.ticks,
                timescale: start.timescale,
                first: true,
            };
        }
        let ticks = match track.codec {
            CODEC_ID_OPUS => opus::pre_skip(track.decoder.codec_params()),
            _ => itunes_delay(&mut format.metadata()).unwrap_or(0),
        };
        Delay {
            ticks,
            timescale: 0,
            first: true,
        }
    }

    /// What the first packet says, if the container says nothing.
    pub(super) fn look_at(&mut self, packet: &[u8], track: &Track) {
        if std::mem::take(&mut self.first)
            && self.ticks == 0
            && track.codec == CODEC_ID_AAC
            && is_faac(packet)
        {
            self.ticks = FAAC_DELAY;
        }
    }

    /// How many of the next `frames` frames are left out. A timescale of 0 is the sample rate.
    pub(super) fn take(&mut self, frames: usize, rate: u32) -> usize {
        if self.timescale != 0 && self.timescale != rate {
            let ticks = u128::from(self.ticks) * u128::from(rate) / u128::from(self.timescale);
            self.ticks = u64::try_from(ticks).unwrap_or(u64::MAX);
        }
        self.timescale = 0;
        let skipped = self.ticks.min(frames as u64);
        self.ticks -= skipped;
        skipped as usize
    }
}

/// The delay that iTunes and Apple's encoders write into a tag: the second of a row of hexadecimal
/// numbers.
fn itunes_delay(metadata: &mut Metadata<'_>) -> Option<u64> {
    let revision: &MetadataRevision = metadata.skip_to_latest()?;
    let tag = revision
        .media
        .tags
        .iter()
        .find(|tag| tag.raw.key.ends_with("iTunSMPB"))?;
    match &tag.raw.value {
        RawValue::String(value) => parse_itunes(value),
        _ => None,
    }
}

fn parse_itunes(value: &str) -> Option<u64> {
    u64::from_str_radix(value.split_whitespace().nth(1)?, 16)
        .ok()
        .filter(|&delay| delay > 0)
}

/// Whether an AAC packet says that it is FAAC's: the encoder signs its first one, at any bit position.
fn is_faac(packet: &[u8]) -> bool {
    const SIGNATURE: &[u8] = b"libfaac ";
    (0..8u32).any(|shift| {
        packet.windows(SIGNATURE.len() + 1).any(|window| {
            window.windows(2).zip(SIGNATURE).all(|(pair, &wanted)| {
                let both = u16::from_be_bytes([pair[0], pair[1]]);
                (both >> (8 - shift)) as u8 == wanted
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_is_the_second_number() {
        assert_eq!(
            parse_itunes(" 00000000 00000840 000000D4 00000000000766EC 00000000"),
            Some(2112)
        );
        assert_eq!(parse_itunes(" 00000000 00000000 000000D4"), None);
        assert_eq!(parse_itunes("00000000"), None);
        assert_eq!(parse_itunes("0 x"), None);
    }

    #[test]
    fn the_signature_is_found_at_any_bit() {
        for shift in 0..8u32 {
            let mut bits = vec![0u8; 3];
            bits.extend_from_slice(b"libfaac 1.28");
            bits.push(0);
            let shifted: Vec<u8> = bits
                .windows(2)
                .map(|pair| (u16::from_be_bytes([pair[0], pair[1]]) >> shift) as u8)
                .collect();
            assert!(is_faac(&shifted), "shifted by {shift}");
        }
        assert!(!is_faac(b"Lavc59.37.100 and more"));
        assert!(!is_faac(b"libfaac"));
    }
}
