//! The flags of `transcribe` in the groups of its help, and the values that they take.

pub mod context;
pub mod decoding;
pub mod engine;
pub mod feedback;
pub mod heading;
pub mod input;
pub mod later;
pub mod model;
pub mod output;
pub mod settings;
pub mod speech;
pub mod values;
pub mod word;
