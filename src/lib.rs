//! Whisper speech to text in pure Rust on the Burn framework.
#![doc = include_str!("../README.md")]

pub mod audio;
pub mod compare;
mod compute_type;
pub mod decoding;
pub mod device;
mod error;
pub mod evaluate;
pub mod frontend;
pub mod measure;
pub mod model;
pub mod output;
mod panics;
pub mod plot;
pub mod report;
mod self_test;
pub mod text;
pub mod tokenizer;
pub mod transcribe;

pub use audio::Audio;
pub use compute_type::{ComputeType, Numbers, Weights};
pub use error::{Error, Result};
pub use self_test::{SelfTest, Stage, self_test};
pub use tokenizer::{Task, Tokenizer};
pub use transcribe::{Segment, Segments, Token, TranscribeOptions, Transcript, Whisper, Word};
