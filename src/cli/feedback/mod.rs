//! What a run tells meanwhile: the transcript as it comes, progress, messages, and how it is interrupted.

pub mod colours;
pub mod interrupt;
pub mod log;
pub mod messages;
pub mod progress;
pub mod progress_line;
pub mod reports;
pub mod transcript_lines;
pub mod waiting;
