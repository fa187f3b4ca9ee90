//! Decoding of one window: logit filters, the greedy decoder, and what it found.
//!
//! Facts are openai/whisper's `decoding.py`; the numbers in the documentation are its lines.

pub mod filters;
mod greedy;
mod language;
mod options;
mod result;
mod task;

pub use language::{LanguageDetection, detect_language};
pub use options::DecodingOptions;
pub use result::DecodingResult;
pub use task::DecodingTask;
pub(crate) use task::SECONDS_PER_TIMESTAMP;
