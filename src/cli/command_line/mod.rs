//! From the words that a user types to the flags: spelling, aliases, the table of all flags.

pub mod abbreviations;
pub mod alike;
pub mod parse;
pub mod spelling;
pub mod table;
pub mod whisper_cli;
