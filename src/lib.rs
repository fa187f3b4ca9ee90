//! Whisper speech to text in pure Rust on the Burn framework.
#![doc = include_str!("../README.md")]

pub mod device;
mod error;
pub mod model;

pub use error::{Error, Result};
