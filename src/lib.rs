//! Whisper speech to text in pure Rust on the Burn framework.
#![doc = include_str!("../README.md")]

pub mod audio;
mod error;
pub mod frontend;

pub use audio::Audio;
pub use error::{Error, Result};
