//! What the tests of the command line share.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::command_line::parse::{Stop, one_line, try_parse};
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
        Err(Stop::Refused(refused)) => Err(refused.to_string()),
        Err(Stop::Printed(text)) => Err(format!("printed {text}")),
    }
}

/// The files that a fuzz target found worth keeping, with their paths.
pub fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap().path());
    let files: Vec<_> = paths
        .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
        .collect();
    assert!(files.len() > 5, "{} files of {target}", files.len());
    files
}
