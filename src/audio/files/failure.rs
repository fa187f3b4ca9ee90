//! Why a source gives no audio, in words.

use symphonia::core::codecs::audio::AudioCodecId;
use symphonia::core::errors::Error as MediaError;

use super::codec_name::codec_name;
use super::source::Container;
use crate::Error;

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

/// How to get any audio into a form that is supported.
pub(super) const CONVERT: &str =
    "convert it first, for example with: ffmpeg -i INPUT -ac 1 -ar 16000 OUTPUT.wav";

/// Why a file could not be opened that starts as this container does.
pub(super) fn unreadable(error: &MediaError, container: Option<Container>) -> String {
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
pub(super) fn of_this_kind(codec: AudioCodecId, error: &MediaError) -> String {
    format!(
        "{} audio of this kind cannot be decoded ({}); {CONVERT}",
        codec_name(codec),
        describe(error)
    )
}

/// What symphonia says, without the names of its parts.
pub(super) fn describe(error: &MediaError) -> String {
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
