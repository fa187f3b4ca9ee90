//! Decoding: packets of any container and codec that symphonia knows, as a stream to 16-bit PCM.

use std::panic::{AssertUnwindSafe, catch_unwind};

use symphonia::core::errors::Error as MediaError;
use symphonia::core::formats::FormatOptions;
use symphonia::core::formats::probe::Hint;
use symphonia::core::meta::MetadataOptions;

use crate::error::{Error, Result};

use super::convert::{Converter, Refused};
use super::encoder_delay::Delay;
use super::failure::{Failure, describe, of_this_kind, unreadable};
use super::options::Channel;
use super::outcome::Outcome;
use super::pcm_writer::{PcmWriter, SAMPLES_IN_MEMORY};
use super::source::Source;
use super::track::Track;
use crate::audio::Audio;

/// Decodes the whole of a source, of several channels all or one. `ffmpeg` may be asked about what is not supported then; Opus
/// is left to it where it is installed, since its samples are openai/whisper's: it has a decoder of its own, which differs from
/// the reference at low rates.
///
/// Where symphonia panics on damaged data, as with a sum that overflows where such are looked for, the source is refused.
pub(super) fn decode(
    source: Source,
    name: &str,
    channel: Channel,
    ffmpeg: bool,
) -> Result<Audio, Failure> {
    // Nothing outlives a panic but the error.
    let decoded = catch_unwind(AssertUnwindSafe(|| {
        decode_all(source, name, channel, ffmpeg)
    }));
    decoded.unwrap_or_else(|_| {
        Err(Failure::Unsupported(
            "is damaged in a way that its decoder does not bear".into(),
        ))
    })
}

fn decode_all(
    mut source: Source,
    name: &str,
    channel: Channel,
    ffmpeg: bool,
) -> Result<Audio, Failure> {
    let refuse = |reason: String| Error::Audio {
        name: name.into(),
        reason,
    };

    let starts = std::mem::take(&mut source.starts);
    let container = source.container();
    let mut format = symphonia::default::get_probe()
        .probe(
            &Hint::new(),
            source.into_stream(),
            FormatOptions::default(),
            MetadataOptions::default(),
        )
        .map_err(|error| Failure::Unsupported(unreadable(&error, container)))?;
    let mut track = Track::open(format.as_ref(), ffmpeg).map_err(Failure::Unsupported)?;
    let mut delay = Delay::of(format.as_mut(), &track, &starts);

    let mut writer = PcmWriter::new(SAMPLES_IN_MEMORY);
    let mut converter: Option<Converter> = None;
    let mut outcome = Outcome::default();
    let mut channels = None;

    loop {
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            // A chained stream: another one follows in the same file.
            Err(MediaError::ResetRequired) if !outcome.reset => {
                outcome.reset = true;
                match Track::open(format.as_ref(), ffmpeg) {
                    Ok(next) => track = next,
                    Err(reason) => {
                        outcome.stopped = Some(reason);
                        break;
                    }
                }
                continue;
            }
            Err(error @ MediaError::Unsupported(_)) if outcome.decoded_packets == 0 => {
                return Err(Failure::Unsupported(of_this_kind(track.codec, &error)));
            }
            Err(error) => {
                outcome.stopped = Some(describe(&error));
                break;
            }
        };
        outcome.reset = false;
        if packet.track_id != track.id {
            continue;
        }
        delay.look_at(&packet.data, &track);
        let buffer = match track.decoder.decode(&packet) {
            Ok(buffer) => buffer,
            Err(error @ (MediaError::DecodeError(_) | MediaError::IoError(_))) => {
                outcome.skip(describe(&error));
                continue;
            }
            Err(error @ MediaError::Unsupported(_)) => {
                outcome.skip_unsupported(track.codec, &error);
                continue;
            }
            Err(error) => {
                outcome.stopped = Some(describe(&error));
                break;
            }
        };
        outcome.decoded_packets += 1;
        if buffer.frames() == 0 {
            continue;
        }
        channels = channels.max(Some(buffer.spec().channels().count()));

        // A converter serves as long as rate and channels stay the same.
        let same = converter.take_if(|converter| converter.takes(&buffer, track.bits));
        if let Some(other) = converter.take() {
            other.finish(&mut writer)?;
        }
        let current = match same {
            Some(same) => same,
            None => Converter::new(&buffer, track.bits, channel).map_err(refuse)?,
        };
        let current = converter.insert(current);
        let skipped = delay.take(buffer.frames(), buffer.spec().rate());
        match current.push(&buffer, skipped, &mut writer) {
            Ok(()) => outcome.seconds += seconds(buffer.frames(), buffer.spec().rate()),
            Err(Refused::NotFinite { frame }) => {
                let position = outcome.seconds + seconds(frame, buffer.spec().rate());
                return Err(refuse(crate::audio::not_finite(position)).into());
            }
            Err(Refused::Error(error)) => return Err(error.into()),
        }
    }
    if let Some(reason) = outcome.unsupported() {
        return Err(Failure::Unsupported(reason));
    }
    if let Some(last) = converter {
        last.finish(&mut writer)?;
    }
    outcome.compare(&track.claimed);
    let warnings = outcome.warnings().map_err(refuse)?;
    Audio::from_writer(writer, warnings, channels).map_err(Failure::Error)
}

/// How long so many frames last.
fn seconds(frames: usize, rate: u32) -> f64 {
    frames as f64 / f64::from(rate)
}
