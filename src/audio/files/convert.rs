//! Decoded packets of one signal specification to 16 kHz mono 16-bit samples.

use symphonia::core::audio::{AudioSpec, GenericAudioBufferRef};

use crate::error::{Error, Result};

use super::options::Channel;
use super::pcm_writer::PcmWriter;
use crate::audio::SAMPLE_RATE;
use crate::audio::downmix::Downmix;
use crate::audio::resample::{self, Resampler};

/// Converts the packets of one stretch of constant sample rate and channels.
///
/// What happens to a sample depends on what changes, so that files at 16 kHz give the very samples
/// that openai gets from ffmpeg:
///
/// | at 16 kHz | up to 16 bits | more bits | float |
/// |---|---|---|---|
/// | mono | as it is | cut to 16 bits | rounded, half to even |
/// | several channels | mixed in integers | mixed in f32, rounded | mixed in f32, rounded |
///
/// At any other rate samples of up to 16 bits are mixed and resampled in 16-bit integers, all others in
/// f32 and then rounded.
pub(super) struct Converter {
    spec: AudioSpec,
    kind: SampleKind,
    downmix: Downmix,
    resampler: Option<AnyResampler>,
    scratch: Scratch,
}

/// A resampler for either kind of arithmetic.
enum AnyResampler {
    /// One a channel: libswresample resamples before it mixes, and in integers the order tells.
    Narrow(Vec<Resampler<i16>>),
    /// One for the mix: in floats the order does not tell.
    Wide(Resampler<f32>),
}

/// Buffers that are used again for every packet.
#[derive(Default)]
struct Scratch {
    planes_16: Vec<Vec<i16>>,
    planes: Vec<Vec<f32>>,
    planes_64: Vec<Vec<f64>>,
    mono: Vec<f32>,
    resampled: Vec<f32>,
    pcm: Vec<i16>,
    resampled_16: Vec<Vec<i16>>,
}

/// Why a packet was not converted.
pub(super) enum Refused {
    /// A sample of this frame of the packet is NaN or infinite.
    NotFinite { frame: usize },
    /// The samples could not be stored.
    Error(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        Refused::Error(error)
    }
}

impl Converter {
    /// A converter for packets like this one, of whose channels all or one are heard and of which each sample has `bits` bits where that is known.
    /// Says in one line why they are refused.
    pub(super) fn new(
        packet: &GenericAudioBufferRef<'_>,
        bits: Option<u32>,
        channel: Channel,
    ) -> Result<Converter, String> {
        let spec = packet.spec();
        resample::check_rate(spec.rate())?;
        if spec.channels().count() == 0 {
            return Err("has no audio channels".into());
        }
        let kind = SampleKind::of(packet, bits);
        let resampler = (spec.rate() as usize != SAMPLE_RATE).then(|| match kind {
            SampleKind::Narrow => AnyResampler::Narrow(
                (0..spec.channels().count())
                    .map(|_| Resampler::new(spec.rate()))
                    .collect(),
            ),
            SampleKind::Wide | SampleKind::Float => AnyResampler::Wide(Resampler::new(spec.rate())),
        });
        Ok(Converter {
            spec: spec.clone(),
            kind,
            downmix: match channel.index(spec.channels().count()) {
                None => Downmix::new(spec.channels()),
                Some(index) => Downmix::alone(index, spec.channels().count()),
            },
            resampler,
            scratch: Scratch::default(),
        })
    }

    /// Whether this converter is the one for a packet.
    pub(super) fn takes(&self, packet: &GenericAudioBufferRef<'_>, bits: Option<u32>) -> bool {
        self.spec == *packet.spec() && self.kind == SampleKind::of(packet, bits)
    }

    /// Converts one packet and appends it to `out`, without its first `skipped` frames.
    pub(super) fn push(
        &mut self,
        packet: &GenericAudioBufferRef<'_>,
        skipped: usize,
        out: &mut PcmWriter,
    ) -> Result<(), Refused> {
        let Scratch {
            planes_16,
            planes,
            planes_64,
            mono,
            resampled,
            pcm,
            resampled_16,
        } = &mut self.scratch;
        let single = self.downmix.channels() == 1;
        if self.kind == SampleKind::Float {
            check_finite(packet, planes_64)?;
        }
        match (&mut self.resampler, self.kind) {
            (None, SampleKind::Float) if single => {
                drop_front(planes_64, skipped);
                pcm.clear();
                pcm.extend(
                    planes_64
                        .iter()
                        .flatten()
                        .map(|&sample| round_to_16(sample)),
                );
            }
            (None, kind) if single || kind == SampleKind::Narrow => {
                packet.copy_to_vecs_planar::<i16>(planes_16);
                drop_front(planes_16, skipped);
                self.downmix.planes_16(planes_16, pcm);
            }
            (Some(AnyResampler::Narrow(resamplers)), _) => {
                packet.copy_to_vecs_planar::<i16>(planes_16);
                drop_front(planes_16, skipped);
                resampled_16.resize_with(planes_16.len(), Vec::new);
                for ((resampler, plane), resampled) in resamplers
                    .iter_mut()
                    .zip(&*planes_16)
                    .zip(&mut *resampled_16)
                {
                    resampled.clear();
                    resampler.push(plane, resampled);
                }
                self.downmix.planes_16(resampled_16, pcm);
            }
            (resampler, _) => {
                packet.copy_to_vecs_planar::<f32>(planes);
                drop_front(planes, skipped);
                self.downmix.planes(planes, mono);
                if let Some(AnyResampler::Wide(resampler)) = resampler {
                    resampled.clear();
                    resampler.push(mono, resampled);
                    std::mem::swap(mono, resampled);
                }
                pcm.clear();
                pcm.extend(mono.iter().map(|&sample| round_to_16(sample.into())));
            }
        }
        out.push(pcm)?;
        Ok(())
    }

    /// Appends what the resampler still holds to `out`.
    pub(super) fn finish(self, out: &mut PcmWriter) -> Result<()> {
        let mut rest = Vec::new();
        match self.resampler {
            None => {}
            Some(AnyResampler::Narrow(resamplers)) => {
                let finish = |mut resampler: Resampler<i16>| {
                    let mut plane = Vec::new();
                    resampler.finish(&mut plane);
                    plane
                };
                let planes: Vec<Vec<i16>> = resamplers.into_iter().map(finish).collect();
                self.downmix.planes_16(&planes, &mut rest);
            }
            Some(AnyResampler::Wide(mut resampler)) => {
                let mut samples = Vec::new();
                resampler.finish(&mut samples);
                rest.extend(samples.into_iter().map(|sample| round_to_16(sample.into())));
            }
        }
        out.push(&rest)
    }
}

/// What a decoder's samples are.
#[derive(Clone, Copy, PartialEq)]
enum SampleKind {
    /// Integers of at most 16 bits.
    Narrow,
    /// Integers of more bits.
    Wide,
    Float,
}

impl SampleKind {
    fn of(packet: &GenericAudioBufferRef<'_>, bits: Option<u32>) -> SampleKind {
        use GenericAudioBufferRef as B;
        // Decoders may give samples in a wider type than they have bits.
        let narrow = bits.is_some_and(|bits| bits <= 16);
        match packet {
            B::F32(_) | B::F64(_) => SampleKind::Float,
            B::U8(_) | B::S8(_) | B::U16(_) | B::S16(_) => SampleKind::Narrow,
            B::U24(_) | B::S24(_) | B::U32(_) | B::S32(_) if narrow => SampleKind::Narrow,
            B::U24(_) | B::S24(_) | B::U32(_) | B::S32(_) => SampleKind::Wide,
        }
    }
}

/// Drops the first `count` samples of every plane.
fn drop_front<S>(planes: &mut [Vec<S>], count: usize) {
    if count > 0 {
        for plane in planes {
            plane.drain(..count.min(plane.len()));
        }
    }
}

/// Copies a packet of floats to `planes` and finds the first frame that is not finite.
fn check_finite(
    packet: &GenericAudioBufferRef<'_>,
    planes: &mut Vec<Vec<f64>>,
) -> Result<(), Refused> {
    packet.copy_to_vecs_planar::<f64>(planes);
    let first = planes
        .iter()
        .filter_map(|plane| plane.iter().position(|sample| !sample.is_finite()))
        .min();
    match first {
        Some(frame) => Err(Refused::NotFinite { frame }),
        None => Ok(()),
    }
}

/// A sample in [-1, 1) as 16 bits: rounded to nearest, halves to even, clipped, as ffmpeg's `lrint`.
fn round_to_16(sample: f64) -> i16 {
    // Casting a float to an integer saturates.
    (sample * 32768.0).round_ties_even() as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::Audio;
    use symphonia::core::audio::{
        AsGenericAudioBufferRef, AudioBuffer, AudioMut, Channels, Position,
    };

    fn convert<S>(rate: u32, bits: Option<u32>, planes: &[Vec<S>]) -> Vec<i16>
    where
        S: symphonia::core::audio::sample::Sample,
        AudioBuffer<S>: AsGenericAudioBufferRef,
    {
        let positions = Position::from_count(planes.len() as u32).unwrap();
        let spec = AudioSpec::new(rate, Channels::Positioned(positions));
        let frames = planes[0].len();
        let mut buffer = AudioBuffer::<S>::new(spec.clone(), frames);
        buffer.render_silence(Some(frames));
        for (index, plane) in planes.iter().enumerate() {
            buffer.plane_mut(index).unwrap().copy_from_slice(plane);
        }
        let mut writer = PcmWriter::new(1 << 20);
        let mut converter =
            Converter::new(&buffer.as_generic_audio_buffer_ref(), bits, Channel::Mix).unwrap();
        assert!(
            converter
                .push(&buffer.as_generic_audio_buffer_ref(), 0, &mut writer)
                .is_ok()
        );
        converter.finish(&mut writer).unwrap();
        let audio = Audio::from_writer(writer, Vec::new(), None).unwrap();
        let mut out = vec![0.0; audio.len()];
        audio.read(0, &mut out).unwrap();
        out.into_iter().map(|x| (x * 32768.0) as i16).collect()
    }

    #[test]
    fn sixteen_bit_mono_at_16_khz_is_untouched() {
        let samples: Vec<i16> = vec![i16::MIN, -1, 0, 1, 12345, i16::MAX];
        assert_eq!(
            convert(16_000, Some(16), std::slice::from_ref(&samples)),
            samples
        );
        let wide: Vec<i32> = samples.iter().map(|&s| i32::from(s) << 16).collect();
        assert_eq!(convert(16_000, Some(16), &[wide]), samples);
    }

    #[test]
    fn more_bits_are_cut_and_floats_rounded_half_to_even() {
        assert_eq!(
            convert(16_000, Some(24), &[vec![0x0001_ffff_i32, -1, 0x7fff_ffff]]),
            [1, -1, i16::MAX]
        );
        let step = 1.0f32 / 32768.0;
        let floats = vec![
            0.5 * step,
            1.5 * step,
            2.5 * step,
            -0.5 * step,
            1.0,
            -1.0,
            7.0,
            -7.0,
        ];
        assert_eq!(
            convert(16_000, None, &[floats]),
            [0, 2, 2, 0, 32767, -32768, 32767, -32768]
        );
    }

    #[test]
    fn stereo_is_mixed_in_integers_only_up_to_16_bits() {
        assert_eq!(
            convert(16_000, Some(16), &[vec![3i16, -3], vec![4, -4]]),
            [4, -3]
        );
        // 3.5 and -3.5 in float: half to even.
        let wide = [vec![3i32 << 16, -3 << 16], vec![4 << 16, -4 << 16]];
        assert_eq!(convert(16_000, Some(24), &wide), [4, -4]);
    }
}
