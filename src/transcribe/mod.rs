//! All windows of a file: from audio to segments with times.

mod clips;
mod fallback;
mod language;
mod options;
mod prompt;
mod segment;
mod segments;
mod stages;
mod warm_up;
mod whisper;
mod window;
mod words;

pub use options::TranscribeOptions;
pub use segment::{Segment, Token, Transcript, Word};
pub use segments::Segments;
pub use stages::StageTimes;
pub use whisper::Whisper;
