//! All windows of a file: from audio to segments with times.

mod builder;
mod clips;
mod event;
mod fallback;
mod language;
mod options;
mod prompt;
mod segment;
mod segments;
mod stages;
mod transcription;
mod warm_up;
mod watch;
mod whisper;
mod window;
mod words;

pub use builder::WhisperBuilder;
pub use event::Event;
pub use options::TranscribeOptions;
pub use segment::{Segment, Token, Transcript, Word};
pub use segments::Segments;
pub use stages::{Stage, StageTimes, StageWork};
pub use transcription::Transcription;
pub use whisper::Whisper;
