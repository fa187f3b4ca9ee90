//! Decoding of one window: logit filters, greedy and beam search, and what they found.
//!
//! Facts are openai/whisper's `decoding.py`; the numbers in the documentation are its lines.

mod beam_search;
mod cache_rows;
pub mod filters;
mod greedy;
mod hypothesis;
mod initial_tokens;
mod language;
mod logits;
mod on_device;
mod options;
mod ranking;
mod result;
mod task;
#[cfg(test)]
mod testing;

pub use language::{LanguageDetection, detect_language};
pub use options::DecodingOptions;
pub use result::DecodingResult;
pub use task::DecodingTask;
pub(crate) use task::SECONDS_PER_TIMESTAMP;
