//! All windows of a file: from audio to segments with times.

mod segment;

pub use segment::{Segment, Transcript};
