//! Decoding: packets of any container and codec that symphonia knows, as a stream to 16-bit PCM.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_AAC, CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_MP3, CODEC_ID_OPUS,
};
use symphonia::core::codecs::audio::{
    AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions,
};
use symphonia::core::codecs::registry::CodecRegistry;
use symphonia::core::errors::Error as MediaError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::well_known::FORMAT_ID_WAVE;
use symphonia::core::formats::{FormatId, FormatOptions, FormatReader, TrackType};
use symphonia::core::meta::MetadataOptions;

use crate::error::{Error, Result};

use super::Audio;
use super::codec_name::codec_name;
use super::convert::{Converter, Refused};
use super::encoder_delay::{FAAC_DELAY, is_faac, itunes_delay};
use super::ffmpeg::ffmpeg_version;
use super::mp4_edit::TrackStart;
use super::options::Channel;
use super::opus::{self, OpusDecoder};
use super::pcm::{PcmWriter, SAMPLES_IN_MEMORY};
use super::resample::check_rate;
use super::source::{Container, Source};

/// How to get any audio into a form that is supported.
const CONVERT: &str =
    "convert it first, for example with: ffmpeg -i INPUT -ac 1 -ar 16000 OUTPUT.wav";

/// Why a source gives no audio.
#[derive(Debug)]
pub(super) enum Failure {
    /// Its format or codec is not supported, or it is no audio: another decoder may know.
    Unsupported(String),
    Error(Error),
}

impl Failure {
    /// The error for an input of this name.
    pub(super) fn into_error(self, name: &str) -> Error {
        match self {
            Failure::Unsupported(reason) => Error::Audio {
                name: name.into(),
                reason,
            },
            Failure::Error(error) => error,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Error(error)
    }
}

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
    let mut progress = Progress::default();
    let mut channels = None;

    loop {
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            // A chained stream: another one follows in the same file.
            Err(MediaError::ResetRequired) if !progress.reset => {
                progress.reset = true;
                match Track::open(format.as_ref(), ffmpeg) {
                    Ok(next) => track = next,
                    Err(reason) => {
                        progress.stopped = Some(reason);
                        break;
                    }
                }
                continue;
            }
            Err(error @ MediaError::Unsupported(_)) if progress.decoded_packets == 0 => {
                return Err(Failure::Unsupported(of_this_kind(track.codec, &error)));
            }
            Err(error) => {
                progress.stopped = Some(describe(&error));
                break;
            }
        };
        progress.reset = false;
        if packet.track_id != track.id {
            continue;
        }
        delay.look_at(&packet.data, &track);
        let buffer = match track.decoder.decode(&packet) {
            Ok(buffer) => buffer,
            Err(error @ (MediaError::DecodeError(_) | MediaError::IoError(_))) => {
                progress.skip(describe(&error));
                continue;
            }
            Err(error @ MediaError::Unsupported(_)) => {
                progress.skip_unsupported(track.codec, &error);
                continue;
            }
            Err(error) => {
                progress.stopped = Some(describe(&error));
                break;
            }
        };
        progress.decoded_packets += 1;
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
            Ok(()) => progress.seconds += seconds(buffer.frames(), buffer.spec().rate()),
            Err(Refused::NotFinite { frame }) => {
                let position = progress.seconds + seconds(frame, buffer.spec().rate());
                return Err(refuse(super::not_finite(position)).into());
            }
            Err(Refused::Error(error)) => return Err(error.into()),
        }
    }
    if let Some(reason) = progress.unsupported() {
        return Err(Failure::Unsupported(reason));
    }
    if let Some(last) = converter {
        last.finish(&mut writer)?;
    }
    progress.compare(&track.claimed);
    let warnings = progress.warnings().map_err(refuse)?;
    Audio::from_writer(writer, warnings, channels).map_err(Failure::Error)
}

/// The codecs that can be decoded.
static CODECS: LazyLock<CodecRegistry> = LazyLock::new(|| {
    let mut codecs = CodecRegistry::new();
    symphonia::default::register_enabled_codecs(&mut codecs);
    codecs.register_audio_decoder::<OpusDecoder>();
    codecs
});

/// The track that is decoded.
struct Track {
    id: u32,
    decoder: Box<dyn AudioDecoder>,
    codec: AudioCodecId,
    /// Bits per sample, where the format has such a thing.
    bits: Option<u32>,
    /// How long the header says that the track is, in seconds.
    claimed: Claim,
}

/// The length that a header gives.
enum Claim {
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
    fn open(format: &dyn FormatReader, ffmpeg: bool) -> Result<Track, String> {
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

/// Frames that are still to be left out at the start.
struct Delay {
    ticks: u64,
    timescale: u32,
    /// Whether the first packet is yet to be seen.
    first: bool,
}

impl Delay {
    /// What the container says: by an edit list, a header, or a tag.
    fn of(format: &mut dyn FormatReader, track: &Track, starts: &[TrackStart]) -> Delay {
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
    fn look_at(&mut self, packet: &[u8], track: &Track) {
        if std::mem::take(&mut self.first)
            && self.ticks == 0
            && track.codec == CODEC_ID_AAC
            && is_faac(packet)
        {
            self.ticks = FAAC_DELAY;
        }
    }

    /// How many of the next `frames` frames are left out. A timescale of 0 is the sample rate.
    fn take(&mut self, frames: usize, rate: u32) -> usize {
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

/// How far decoding came and what went wrong on the way.
#[derive(Default)]
struct Progress {
    /// Seconds decoded so far.
    seconds: f64,
    decoded_packets: usize,
    skipped_packets: usize,
    /// Where the first skipped packet was, and what was wrong with it.
    first_skipped: Option<(f64, String)>,
    /// How many of the skipped packets use what the decoder lacks, and what that is.
    unsupported: Option<(usize, String)>,
    /// Why decoding ended before the end.
    stopped: Option<String>,
    /// The length in seconds that the header claims, where much less was there.
    missing: Option<f64>,
    /// Whether the last thing the container asked for was a new decoder.
    reset: bool,
}

impl Progress {
    fn skip(&mut self, reason: String) {
        self.skipped_packets += 1;
        let seconds = self.seconds;
        self.first_skipped.get_or_insert((seconds, reason));
    }

    /// Counts a packet that uses what the decoder lacks.
    fn skip_unsupported(&mut self, codec: AudioCodecId, error: &MediaError) {
        self.skip(describe(error));
        let (packets, _) =
            (self.unsupported).get_or_insert_with(|| (0, of_this_kind(codec, error)));
        *packets += 1;
    }

    /// Why the stream is of a kind that is not supported. Damage makes a packet now and then look so; of a stream that is so
    /// too much would be left out.
    fn unsupported(&mut self) -> Option<String> {
        let packets = self.decoded_packets + self.skipped_packets;
        let (_, reason) =
            (self.unsupported).take_if(|(unsupported, _)| *unsupported * 100 >= packets)?;
        Some(reason)
    }

    /// Compares what was decoded with what the header claims.
    fn compare(&mut self, claimed: &Claim) {
        match *claimed {
            Claim::Endless => self.stopped = None,
            // A packet or two may be missing at the end of any compressed file.
            Claim::Seconds(claimed) if self.stopped.is_none() && self.seconds + 0.1 < claimed => {
                self.missing = Some(claimed);
            }
            Claim::Seconds(_) | Claim::Unknown => {}
        }
    }

    /// What was wrong, one line each; or why nothing came of it at all.
    fn warnings(self) -> Result<Vec<String>, String> {
        if self.decoded_packets == 0 {
            let reason = self
                .first_skipped
                .map(|(_, reason)| reason)
                .or(self.stopped);
            return match reason {
                Some(reason) => Err(format!("nothing in it can be decoded ({reason})")),
                None => Ok(Vec::new()),
            };
        }
        let skipped = self.first_skipped.map(|(seconds, reason)| {
            let packets = if self.skipped_packets == 1 {
                "packet"
            } else {
                "packets"
            };
            format!(
                "{} broken {packets} left out, the first at {seconds:.1} s: {reason}",
                self.skipped_packets
            )
        });
        let stopped = self
            .stopped
            .map(|reason| format!("decoding stopped at {:.1} s: {reason}", self.seconds));
        let missing = self.missing.map(|claimed| {
            format!(
                "cut off or damaged: {:.1} s of the {claimed:.1} s that its header claims",
                self.seconds
            )
        });
        Ok(skipped.into_iter().chain(stopped).chain(missing).collect())
    }
}

/// How long so many frames last.
fn seconds(frames: usize, rate: u32) -> f64 {
    frames as f64 / f64::from(rate)
}

/// Why a file could not be opened that starts as this container does.
fn unreadable(error: &MediaError, container: Option<Container>) -> String {
    match (error, container) {
        (MediaError::Unsupported(_), Some(Container::Read(name))) => {
            format!("starts as {name} but cannot be read; it may be cut off or damaged")
        }
        (MediaError::Unsupported(_), Some(Container::Foreign(name))) => {
            format!("is {name}, which is not supported; {CONVERT}")
        }
        (MediaError::Unsupported(_), None) => format!(
            "is not audio in a format that is known (wav, flac, mp3, ogg, m4a/mp4, aiff, mkv/webm, caf, aac); \
             if it is audio, {CONVERT}"
        ),
        (error, _) => format!("cannot be read as audio ({})", describe(error)),
    }
}

/// Why a stream is refused whose codec is known.
fn of_this_kind(codec: AudioCodecId, error: &MediaError) -> String {
    format!(
        "{} audio of this kind cannot be decoded ({}); {CONVERT}",
        codec_name(codec),
        describe(error)
    )
}

/// What symphonia says, without the names of its parts.
fn describe(error: &MediaError) -> String {
    match error {
        MediaError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            "the file breaks off".into()
        }
        MediaError::IoError(error) => error.to_string(),
        MediaError::DecodeError(reason) => format!("malformed data: {}", without_prefix(reason)),
        MediaError::Unsupported(reason) => format!("unsupported: {}", without_prefix(reason)),
        MediaError::LimitError(reason) => format!("limit reached: {}", without_prefix(reason)),
        error => error.to_string(),
    }
}

/// `"mp4 (stsd): too short"` to `"too short"`.
fn without_prefix(reason: &str) -> &str {
    reason.split_once(": ").map_or(reason, |(_, rest)| rest)
}
