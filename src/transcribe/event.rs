//! What a transcription tells of its progress.

use serde::Serialize;

/// Something that happened during a transcription, with times in seconds from the beginning of the recording.
///
/// Written by serde, an event is an object with its name, such as `{"event": "window_done", "position": 27.5, "seconds": 61.0}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A language was detected: the recording's, or with [`multilingual`](super::TranscribeOptions::multilingual) the one of
    /// the window at `position`.
    #[non_exhaustive]
    LanguageFound {
        /// Where it was heard.
        position: f64,
        /// Its code, such as `en`.
        language: &'static str,
    },
    /// A window is about to be encoded and decoded.
    #[non_exhaustive]
    WindowBegun {
        /// Where it begins.
        position: f64,
        /// How long it is.
        length: f64,
    },
    /// The text of a window failed the thresholds: it is decoded again.
    #[non_exhaustive]
    Fallback {
        /// Where the window begins.
        position: f64,
        /// The temperature of the new attempt.
        temperature: f64,
    },
    /// A window is done; its segments come next.
    #[non_exhaustive]
    WindowDone {
        /// How much of the recording is done: where the next window begins.
        position: f64,
        /// How long the recording is.
        seconds: f64,
    },
}
