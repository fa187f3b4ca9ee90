//! What the tests of the built command share: running it, reading its results, and making inputs.
#![allow(dead_code, reason = "each test file uses a part")]

pub mod wav;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

/// A file of `tests/data`.
pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

/// openai/whisper's result for a clip, greedy and without fallback.
pub fn reference(model: &str, clip: &str) -> serde_json::Value {
    json(&data(&format!("reference/{model}/{clip}.json")))
}

/// A file of JSON.
pub fn json(path: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A model's name, once it is on this machine: what the command then prints has no word of a fetch.
pub fn model(name: &str) -> &str {
    whisper_weights::fetch(name, &whisper_weights::Silent).expect("the model can be fetched");
    name
}

/// The built command with a subcommand and its arguments.
pub fn whisper_rs(arguments: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_whisper-rs"));
    command.args(arguments);
    command
}

/// Runs the built command to its end. One at a time: each run uses all cores, and two at once would
/// take longer than one after the other.
pub fn run(arguments: &[impl AsRef<OsStr>]) -> Run {
    static CORES: Mutex<()> = Mutex::new(());
    let _cores = CORES.lock().unwrap_or_else(PoisonError::into_inner);
    Run::of(whisper_rs(arguments).output().expect("the command starts"))
}

/// How a run of the command ended.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub fn of(output: Output) -> Self {
        Run {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }

    /// Asserts that the run failed with this exit code, printed nothing but one line of error, and did not
    /// panic; returns the line without `error: `.
    #[track_caller]
    pub fn one_error(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        assert!(
            !self.stderr.contains("panicked") && !self.stderr.contains("internal error"),
            "{self:?}"
        );
        let line = self
            .stderr
            .strip_suffix('\n')
            .unwrap_or_else(|| panic!("no whole line: {self:?}"));
        assert!(!line.contains('\n'), "more than one line: {self:?}");
        line.strip_prefix("error: ")
            .unwrap_or_else(|| panic!("no error: {self:?}"))
    }

    #[track_caller]
    pub fn succeeded(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }
}

/// Asserts that a JSON transcript is openai/whisper's: text, tokens, seek and language equal, numbers within what
/// float arithmetic in another order may move them by.
#[track_caller]
pub fn assert_transcript_equals(ours: &serde_json::Value, reference: &serde_json::Value) {
    assert_eq!(keys(ours), keys(reference));
    assert_eq!(ours["text"], reference["text"]);
    assert_eq!(ours["language"], reference["language"]);
    let segments = |transcript: &serde_json::Value| {
        transcript["segments"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    };
    let (ours, reference) = (segments(ours), segments(reference));
    assert_eq!(ours.len(), reference.len(), "segments");
    for (ours, reference) in ours.iter().zip(&reference) {
        assert_eq!(keys(ours), keys(reference));
        for key in ["id", "seek", "text", "tokens", "temperature"] {
            assert_eq!(ours[key], reference[key], "{key}");
        }
        for (key, tolerance) in [
            ("start", 1e-9),
            ("end", 1e-9),
            ("avg_logprob", 1e-3),
            ("compression_ratio", 1e-9),
            ("no_speech_prob", 1e-3),
        ] {
            let (ours, reference) = (
                ours[key].as_f64().unwrap(),
                reference[key].as_f64().unwrap(),
            );
            assert!(
                (ours - reference).abs() <= tolerance,
                "{key}: {ours} for {reference}"
            );
        }
    }
}

fn keys(object: &serde_json::Value) -> Vec<&String> {
    let mut keys: Vec<_> = object.as_object().expect("an object").keys().collect();
    keys.sort();
    keys
}
