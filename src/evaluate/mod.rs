//! Evaluating a model on clips with known transcripts: errors, speed and memory, clip by clip and together.
//!
//! ```no_run
//! use whisper_rs::evaluate::{Manifest, Score};
//! use whisper_rs::{Audio, TranscribeOptions, Whisper, device};
//!
//! # fn main() -> whisper_rs::Result<()> {
//! let whisper = Whisper::load("base", &device::open("auto")?)?;
//! let mut sum = Score::default();
//! for clip in Manifest::read("clips/manifest.tsv")?.clips {
//!     let transcript = whisper.transcribe(&Audio::open(&clip.path)?, &TranscribeOptions::default())?;
//!     if let Some(said) = &clip.transcript {
//!         sum = sum + Score::of(said, &transcript.text, clip.speech.code());
//!     }
//! }
//! println!("word error rate {:?}", sum.words.rate());
//! # Ok(())
//! # }
//! ```

mod agreement;
mod evaluation;
mod manifest;
mod record;
mod score;

pub use agreement::{Agreement, References};
pub use evaluation::{Cost, Errors, EvaluatedClip, Evaluation, Group};
pub use manifest::{Clip, Manifest, Speech};
pub use record::{Record, RecordFile};
pub use score::Score;
