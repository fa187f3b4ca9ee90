//! The track of a container that is decoded, and what its header claims.

use std::sync::LazyLock;

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_MP3, CODEC_ID_OPUS,
};
use symphonia::core::codecs::audio::{
    AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions,
};
use symphonia::core::codecs::registry::CodecRegistry;
use symphonia::core::formats::well_known::FORMAT_ID_WAVE;
use symphonia::core::formats::{FormatId, FormatReader, TrackType};

use super::codec_name::codec_name;
use super::failure::{CONVERT, of_this_kind};
use super::ffmpeg::ffmpeg_version;
use super::opus::OpusDecoder;
use crate::audio::resample::check_rate;

/// The codecs that can be decoded.
static CODECS: LazyLock<CodecRegistry> = LazyLock::new(|| {
    let mut codecs = CodecRegistry::new();
    symphonia::default::register_enabled_codecs(&mut codecs);
    codecs.register_audio_decoder::<OpusDecoder>();
    codecs
});

/// The track that is decoded.
pub(super) struct Track {
    pub(super) id: u32,
    pub(super) decoder: Box<dyn AudioDecoder>,
    pub(super) codec: AudioCodecId,
    /// Bits per sample, where the format has such a thing.
    pub(super) bits: Option<u32>,
    /// How long the header says that the track is, in seconds.
    pub(super) claimed: Claim,
}

/// The length that a header gives.
pub(super) enum Claim {
    /// None, or only a guess from the bit rate.
    Unknown,
    Seconds(f64),
    /// None that could be true: a program that writes to a pipe does not know the length, and WAV has
    /// no way to say so but an impossible one.
    Endless,
}

impl Claim {
    fn of(
        format: FormatId,
        track: &symphonia::core::formats::Track,
        params: &AudioCodecParameters,
    ) -> Claim {
        let (Some(frames), Some(rate)) = (track.num_frames, params.sample_rate) else {
            return if format == FORMAT_ID_WAVE {
                Claim::Endless
            } else {
                Claim::Unknown
            };
        };
        // Raw MPEG audio says how long it is only in the tag that also gives the encoder's delay.
        let mpeg = [CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_MP3].contains(&params.codec);
        if mpeg && track.delay.is_none() {
            return Claim::Unknown;
        }
        let channels = params
            .channels
            .as_ref()
            .map_or(1, |channels| channels.count()) as u64;
        let bytes =
            frames.saturating_mul(channels * u64::from(params.bits_per_sample.unwrap_or(0) / 8));
        if bytes >= 0x7fff_0000 {
            return Claim::Endless;
        }
        Claim::Seconds(frames as f64 / f64::from(rate))
    }
}

impl Track {
    /// Opens the audio track that a player would play. Says in one line why there is none.
    pub(super) fn open(format: &dyn FormatReader, ffmpeg: bool) -> Result<Track, String> {
        let tracks = || format.tracks().iter();
        let track = format
            .default_track(TrackType::Audio)
            .or_else(|| tracks().find(|track| track.track_type() == Some(TrackType::Audio)))
            .ok_or("has no audio track that is known")?;
        let Some(CodecParameters::Audio(params)) = &track.codec_params else {
            return Err("has no audio track that is known".into());
        };
        check_claims(params)?;
        if params.codec == CODEC_ID_OPUS && ffmpeg && ffmpeg_version().is_some() {
            return Err("is Opus, which is left to ffmpeg where there is one".into());
        }
        let codecs = &*CODECS;
        if codecs.get_audio_decoder(params.codec).is_none() {
            let codec = codec_name(params.codec);
            return Err(format!("{codec} audio is not supported; {CONVERT}"));
        }
        let decoder = codecs
            .make_audio_decoder(params, &AudioDecoderOptions::default())
            .map_err(|error| of_this_kind(params.codec, &error))?;
        Ok(Track {
            id: track.id,
            decoder,
            codec: params.codec,
            bits: params.bits_per_sample,
            claimed: Claim::of(format.format_info().format, track, params),
        })
    }
}

/// Samples of all channels in one packet that a header may claim. A decoder allocates as many.
const MAX_SAMPLES_A_PACKET: u64 = 1 << 24;

/// Refuses what no real file has, before a decoder is made for it. Says in one line what is wrong.
fn check_claims(params: &AudioCodecParameters) -> Result<(), String> {
    if let Some(rate) = params.sample_rate {
        check_rate(rate)?;
    }
    let channels = params
        .channels
        .as_ref()
        .map_or(1, |channels| channels.count().max(1)) as u64;
    let frames = params
        .max_frames_per_packet
        .unwrap_or(0)
        .max(params.frames_per_block.unwrap_or(0));
    if frames.saturating_mul(channels) > MAX_SAMPLES_A_PACKET {
        return Err(format!(
            "claims {frames} frames of {channels} channels in a packet; its header is broken"
        ));
    }
    Ok(())
}
