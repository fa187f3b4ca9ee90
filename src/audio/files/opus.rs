//! Opus, which symphonia takes out of Ogg, WebM and MKV and does not decode (RFC 6716, RFC 7845).

use opus_decoder::OpusDecoder as PacketDecoder;
use symphonia::core::audio::layouts::{CHANNEL_LAYOUT_MONO, CHANNEL_LAYOUT_STEREO};
use symphonia::core::audio::{
    AsGenericAudioBufferRef, Audio, AudioBuffer, AudioMut, AudioSpec, GenericAudioBufferRef,
};
use symphonia::core::codecs::CodecInfo;
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{
    AudioCodecParameters, AudioDecoder, AudioDecoderOptions, FinalizeResult,
};
use symphonia::core::codecs::registry::{RegisterableAudioDecoder, SupportedAudioCodec};
use symphonia::core::errors::{Result, decode_error, unsupported_error};
use symphonia::core::packet::PacketRef;

/// The rate that Opus is decoded at, in samples per second.
const RATE: u32 = 48_000;
/// Frames that a packet may have: 120 ms.
const MOST_FRAMES: usize = RATE as usize * 120 / 1000;

/// What the identification header says (RFC 7845, section 5.1).
#[derive(Debug, Clone, Copy, PartialEq)]
struct Header {
    /// Frames to leave out at the start.
    pre_skip: u16,
    /// What samples are to be multiplied by.
    gain: f32,
}

impl Header {
    /// Of a header's bytes; where there are none that are one, nothing is left out and nothing multiplied.
    fn of(bytes: &[u8]) -> Header {
        let field = |at: usize| bytes.get(at..at + 2)?.first_chunk::<2>().copied();
        match (bytes.starts_with(b"OpusHead"), field(10), field(16)) {
            (true, Some(pre_skip), Some(gain)) => Header {
                pre_skip: u16::from_le_bytes(pre_skip),
                // In 256ths of a decibel.
                gain: 10_f32.powf(f32::from(i16::from_le_bytes(gain)) / (20.0 * 256.0)),
            },
            _ => Header {
                pre_skip: 0,
                gain: 1.0,
            },
        }
    }
}

/// Frames that a stream of Opus says are to be left out at its start, at 48 kHz.
pub(super) fn pre_skip(params: &AudioCodecParameters) -> u64 {
    Header::of(params.extra_data.as_deref().unwrap_or_default())
        .pre_skip
        .into()
}

/// A decoder of mono and stereo streams.
pub(super) struct OpusDecoder {
    params: AudioCodecParameters,
    packets: PacketDecoder,
    gain: f32,
    /// Samples of a packet, one channel after the other frame by frame.
    samples: Vec<i16>,
    buffer: AudioBuffer<f32>,
}

impl AudioDecoder for OpusDecoder {
    fn reset(&mut self) {
        self.packets.reset();
    }

    fn codec_info(&self) -> &CodecInfo {
        &SUPPORTED[0].info
    }

    fn codec_params(&self) -> &AudioCodecParameters {
        &self.params
    }

    fn decode_ref(&mut self, packet: &PacketRef<'_>) -> Result<GenericAudioBufferRef<'_>> {
        self.buffer.clear();
        let decoded = self.packets.decode(packet.data, &mut self.samples, false);
        let Ok(frames) = decoded else {
            return decode_error("opus: malformed packet");
        };
        self.buffer.render_uninit(Some(frames));
        let channels = self.buffer.spec().channels().count();
        for (channel, plane) in self.buffer.iter_planes_mut().enumerate() {
            let samples = self.samples.iter().skip(channel).step_by(channels);
            for (to, &sample) in plane.iter_mut().zip(samples) {
                *to = f32::from(sample) / 32768.0 * self.gain;
            }
        }
        let trimmed = |frames: u64| usize::try_from(frames).unwrap_or(usize::MAX);
        let (start, end) = (packet.trim_start.get(), packet.trim_end.get());
        self.buffer.trim(trimmed(start), trimmed(end));
        Ok(self.buffer.as_generic_audio_buffer_ref())
    }

    fn finalize(&mut self) -> FinalizeResult {
        FinalizeResult::default()
    }

    fn last_decoded(&self) -> GenericAudioBufferRef<'_> {
        self.buffer.as_generic_audio_buffer_ref()
    }
}

const SUPPORTED: &[SupportedAudioCodec] = &[SupportedAudioCodec {
    id: CODEC_ID_OPUS,
    info: CodecInfo {
        short_name: "opus",
        long_name: "Opus",
        profiles: &[],
    },
}];

impl RegisterableAudioDecoder for OpusDecoder {
    fn try_registry_new(
        params: &AudioCodecParameters,
        _: &AudioDecoderOptions,
    ) -> Result<Box<dyn AudioDecoder>> {
        let channels = params
            .channels
            .as_ref()
            .map_or(0, |channels| channels.count());
        let layout = match channels {
            1 => CHANNEL_LAYOUT_MONO,
            2 => CHANNEL_LAYOUT_STEREO,
            _ => return unsupported_error("opus: more than two channels"),
        };
        let Ok(packets) = PacketDecoder::new(RATE, channels) else {
            return unsupported_error("opus: no such stream");
        };
        Ok(Box::new(OpusDecoder {
            params: params.clone(),
            packets,
            gain: Header::of(params.extra_data.as_deref().unwrap_or_default()).gain,
            samples: vec![0; MOST_FRAMES * channels],
            buffer: AudioBuffer::new(AudioSpec::new(RATE, layout), MOST_FRAMES),
        }))
    }

    fn supported_codecs() -> &'static [SupportedAudioCodec] {
        SUPPORTED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_has_what_is_left_out_and_how_loud_it_is() {
        let mut bytes = b"OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00".to_vec();
        let plain = Header::of(&bytes);
        assert_eq!((plain.pre_skip, plain.gain), (312, 1.0));
        // -6 dB
        bytes[16..18].copy_from_slice(&(-6_i16 * 256).to_le_bytes());
        let softer = Header::of(&bytes).gain;
        assert!((softer - 0.501_187).abs() < 1e-5, "{softer}");
        for broken in [&bytes[..17], b"", b"OpusTags and something more"] {
            assert_eq!(Header::of(broken).pre_skip, 0);
        }
    }
}
