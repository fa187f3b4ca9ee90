//! Whisper speech to text in pure Rust on the Burn framework.
#![doc = include_str!("../README.md")]

mod error;

pub use error::{Error, Result};
