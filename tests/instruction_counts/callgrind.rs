//! Counting by valgrind's tool callgrind.

use std::path::Path;
use std::process::{Command, Stdio};

/// Set in the environment of what is counted.
const COUNTING: &str = "WHISPER_RS_COUNTING";

/// Whether this process is the one that is counted.
pub fn is_counting() -> bool {
    std::env::var_os(COUNTING).is_some()
}

/// Runs a test of this program under callgrind, and gives the instructions of each call of `function`, in their order.
pub fn count(test: &str, function: &str, calls: usize) -> Vec<u64> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("out");
    let program = std::env::current_exe().expect("the path of this program");
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--toggle-collect={function}"))
        .arg(format!("--dump-after={function}"))
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .args(["--exact", test, "--test-threads=1", "--nocapture"])
        .env(COUNTING, "1")
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("valgrind: {error}; is it installed?"));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "valgrind failed: {told}");
    // Each call is a file of its own; what is collected after the last one, which is nothing, has no number.
    (1..=calls)
        .map(|call| total(&out.with_extension(call.to_string())))
        .collect()
}

/// The sum at the end of one of callgrind's files.
fn total(path: &Path) -> u64 {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    let total = total.and_then(|total| total.trim().parse().ok());
    total.unwrap_or_else(|| panic!("{}: no totals", path.display()))
}
