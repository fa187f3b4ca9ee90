//! Whisper speech to text in pure Rust on the Burn framework.
#![doc = include_str!("../README.md")]

pub mod audio;
mod cancel;
#[cfg(feature = "compare")]
pub mod compare;
mod compute_type;
pub mod decoding;
pub mod device;
mod error;
#[cfg(feature = "evaluate")]
pub mod evaluate;
pub mod frontend;
#[cfg(feature = "measure")]
pub mod measure;
pub mod model;
#[cfg(feature = "output")]
pub mod output;
mod panics;
#[cfg(feature = "plot")]
pub mod plot;
#[cfg(feature = "report")]
pub mod report;
mod self_test;
pub mod text;
pub mod threads;
pub mod tokenizer;
pub mod transcribe;

pub use audio::Audio;
pub use burn::tensor::Device;
pub use cancel::CancelToken;
pub use compute_type::{ComputeType, Numbers, Weights};
pub use error::{Error, Result};
pub use self_test::{SelfTest, Stage, self_test};
pub use tokenizer::{Task, Tokenizer};
pub use transcribe::{
    Event, Segment, Segments, Token, TranscribeOptions, Transcript, Transcription, Whisper,
    WhisperBuilder, Word,
};
/// The crate of weights: checkpoints, the catalogue of models, fetching.
pub use whisper_weights as weights;
