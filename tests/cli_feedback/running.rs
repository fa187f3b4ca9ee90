//! Runs that go on, and what is done to them.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::{data, model, whisper_rs};

/// Several windows of speech.
pub const LONG: &str = "clips/sonnet1.flac";

pub fn arguments<'a>(clip: &'a str, flags: &[&'a str]) -> Vec<&'a str> {
    [&["transcribe", "-m", model("tiny.en"), clip], flags].concat()
}

pub fn start(flags: &[&str]) -> Child {
    let clip = data(LONG);
    whisper_rs(&arguments(clip.to_str().unwrap(), flags))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits for the first segment.
pub fn first_line(child: &mut Child) -> (String, impl Read + use<>) {
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert!(!line.is_empty(), "the command has ended");
    (line, stdout)
}

#[cfg(unix)]
pub fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Waits until a run has begun its outputs, and with them its work.
#[cfg(unix)]
pub fn wait_for(path: &Path) {
    let begun = Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < Duration::from_secs(300), "no {path:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
