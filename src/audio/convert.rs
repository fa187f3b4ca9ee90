//! Decoded packets of one signal specification to 16 kHz mono 16-bit samples.

use symphonia::core::audio::{AudioSpec, GenericAudioBufferRef};

use crate::error::{Error, Result};

use super::downmix::Downmix;
use super::pcm::PcmWriter;
use super::resample::{self, Resampler};

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
/// At any other rate: mixed and resampled in f32, rounded.
pub(super) struct Converter {
    spec: AudioSpec,
    /// Whether the samples are integers of at most 16 bits, whatever type they are decoded to.
    narrow: bool,
    downmix: Downmix,
    /// None at 16 kHz.
    resampler: Option<Resampler>,
    scratch: Scratch,
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
    /// A converter for packets of this specification, of which each sample has `bits` bits where that
    /// is known. Says in one line why a specification is refused.
    pub(super) fn new(spec: &AudioSpec, bits: Option<u32>) -> Result<Converter, String> {
        resample::check_rate(spec.rate())?;
        if spec.channels().count() == 0 {
            return Err("has no audio channels".into());
        }
        Ok(Converter {
            spec: spec.clone(),
            narrow: bits.is_some_and(|bits| bits <= 16),
            downmix: Downmix::new(spec.channels()),
            resampler: Resampler::new(spec.rate()),
            scratch: Scratch::default(),
        })
    }

    /// The specification of the packets that this converter takes.
    pub(super) fn spec(&self) -> &AudioSpec {
        &self.spec
    }

    /// Converts `frames` of one packet and appends them to `out`.
    pub(super) fn push(
        &mut self,
        packet: &GenericAudioBufferRef<'_>,
        out: &mut PcmWriter,
    ) -> Result<(), Refused> {
        let kind = SampleKind::of(packet, self.narrow);
        if kind == SampleKind::Float {
            check_finite(packet, &mut self.scratch.planes_64)?;
        }
        let mono = self.downmix.channels() == 1;
        let Scratch {
            planes_16,
            planes,
            planes_64,
            mono: mixed,
            resampled,
            pcm,
        } = &mut self.scratch;

        match (&mut self.resampler, kind) {
            (None, SampleKind::Narrow) => {
                packet.copy_to_vecs_planar::<i16>(planes_16);
                self.downmix.planes_16(planes_16, pcm);
            }
            (None, SampleKind::Wide) if mono => {
                packet.copy_to_vecs_planar::<i16>(planes_16);
                self.downmix.planes_16(planes_16, pcm);
            }
            (None, SampleKind::Float) if mono => {
                pcm.clear();
                pcm.extend(
                    planes_64
                        .iter()
                        .flatten()
                        .map(|&sample| round_to_16(sample)),
                );
            }
            (None, _) => {
                packet.copy_to_vecs_planar::<f32>(planes);
                self.downmix.planes(planes, mixed);
                pcm.clear();
                pcm.extend(mixed.iter().map(|&sample| round_to_16(sample.into())));
            }
            (Some(resampler), _) => {
                packet.copy_to_vecs_planar::<f32>(planes);
                self.downmix.planes(planes, mixed);
                resampled.clear();
                resampler.push(mixed, resampled);
                pcm.clear();
                pcm.extend(resampled.iter().map(|&sample| round_to_16(sample.into())));
            }
        }
        out.push(pcm)?;
        Ok(())
    }

    /// Appends what the resampler still holds to `out`.
    pub(super) fn finish(self, out: &mut PcmWriter) -> Result<()> {
        let Some(mut resampler) = self.resampler else {
            return Ok(());
        };
        let mut resampled = self.scratch.resampled;
        resampled.clear();
        resampler.finish(&mut resampled);
        let pcm: Vec<i16> = resampled
            .into_iter()
            .map(|sample| round_to_16(sample.into()))
            .collect();
        out.push(&pcm)
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
    fn of(packet: &GenericAudioBufferRef<'_>, narrow: bool) -> SampleKind {
        use GenericAudioBufferRef as B;
        match packet {
            B::F32(_) | B::F64(_) => SampleKind::Float,
            B::U8(_) | B::S8(_) | B::U16(_) | B::S16(_) => SampleKind::Narrow,
            B::U24(_) | B::S24(_) | B::U32(_) | B::S32(_) if narrow => SampleKind::Narrow,
            B::U24(_) | B::S24(_) | B::U32(_) | B::S32(_) => SampleKind::Wide,
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
        let mut converter = Converter::new(&spec, bits).unwrap();
        assert!(
            converter
                .push(&buffer.as_generic_audio_buffer_ref(), &mut writer)
                .is_ok()
        );
        converter.finish(&mut writer).unwrap();
        let audio = Audio::from_writer(writer, Vec::new()).unwrap();
        let mut out = vec![0.0; audio.len()];
        audio.read(0, &mut out).unwrap();
        out.into_iter().map(|x| (x * 32768.0) as i16).collect()
    }

    #[test]
    fn sixteen_bit_mono_at_16_khz_is_untouched() {
        let samples: Vec<i16> = vec![i16::MIN, -1, 0, 1, 12345, i16::MAX];
        assert_eq!(convert(16_000, Some(16), &[samples.clone()]), samples);
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
