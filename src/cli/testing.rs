//! What the tests of the command line share.

use std::ffi::OsString;

use super::parse::{Stop, one_line, try_parse};
use super::{Command, TranscribeArguments};

/// The arguments of `transcribe a.wav` with these flags, or the line of the error.
pub fn transcribe(flags: &[&str]) -> Result<TranscribeArguments, String> {
    let words = (["whisper-rs", "transcribe", "a.wav"].iter())
        .chain(flags)
        .map(OsString::from);
    match try_parse(words) {
        Ok(Command::Transcribe(arguments)) => Ok(*arguments),
        Ok(other) => Err(format!("parsed as {other:?}")),
        Err(Stop::Clap(error)) => Err(one_line(&error)),
        Err(Stop::Printed(text)) => Err(format!("printed {text}")),
    }
}
