//! Whisper speech to text in pure Rust on the Burn framework.
#![doc = include_str!("../README.md")]

mod error;
pub mod output;
pub mod text;
pub mod tokenizer;
pub mod transcribe;

pub use error::{Error, Result};
pub use tokenizer::{Task, Tokenizer};
pub use transcribe::{Segment, Transcript};
