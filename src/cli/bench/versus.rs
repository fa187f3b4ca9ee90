//! This program beside another one: whole processes that take turns.

use std::ffi::OsString;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde::Serialize;
use wait4::Wait4;
use whisper_rs::Error;
use whisper_rs::measure::Series;

use super::report::{Lines, bytes, time};

/// What both programs took.
#[derive(Debug, Serialize)]
pub struct Versus {
    /// The other program's command.
    command: String,
    /// Pairs of runs; who goes first changes from pair to pair.
    pairs: usize,
    measures: Vec<Measure>,
}

/// Something that was measured of whole processes.
#[derive(Debug, Serialize)]
struct Measure {
    name: &'static str,
    ours: f64,
    theirs: f64,
    /// Median of ours over theirs, pair by pair: below 1 this program takes less.
    ratio: f64,
    /// From the least to the greatest of these ratios.
    ratios: [f64; 2],
}

/// What one process took.
struct Process {
    wall: f64,
    cpu: f64,
    peak: f64,
}

/// Runs `transcribe` with these flags and the shell's command in turns, after one run each that is not measured.
pub fn run(file: &Path, flags: &[OsString], command: &str, pairs: usize) -> Result<Versus, Error> {
    let program = std::env::current_exe().map_err(|source| Error::Io {
        path: "whisper-rs".into(),
        source,
    })?;
    let ours = || {
        let mut process = Command::new(&program);
        process.arg("transcribe").args(flags).arg("--").arg(file);
        measured(process, "whisper-rs transcribe")
    };
    let theirs = || {
        let mut process = Command::new(if cfg!(windows) { "cmd" } else { "sh" });
        process
            .arg(if cfg!(windows) { "/C" } else { "-c" })
            .arg(command);
        measured(process, command)
    };
    ours()?;
    theirs()?;
    let mut taken = Vec::new();
    for pair in 0..pairs {
        taken.push(if pair % 2 == 0 {
            let first = ours()?;
            (first, theirs()?)
        } else {
            let first = theirs()?;
            (ours()?, first)
        });
    }
    let measures = [
        measure("wall time", &taken, |process| process.wall),
        measure("CPU time", &taken, |process| process.cpu),
        measure("peak memory", &taken, |process| process.peak),
    ];
    Ok(Versus {
        command: command.to_owned(),
        pairs,
        measures: measures.into_iter().flatten().collect(),
    })
}

/// Runs a process to its end.
fn measured(mut command: Command, name: &str) -> Result<Process, Error> {
    let failed = |source| Error::Io {
        path: name.into(),
        source,
    };
    let mut told = tempfile::tempfile().map_err(failed)?;
    let begin = Instant::now();
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(told.try_clone().map_err(failed)?)
        .spawn()
        .map_err(failed)?;
    let end = child.wait4().map_err(failed)?;
    let wall = begin.elapsed().as_secs_f64();
    if !end.status.success() {
        let mut text = String::new();
        let read = told.seek(SeekFrom::Start(0));
        // What cannot be read is not told.
        let _ = read.and_then(|_| told.read_to_string(&mut text));
        let last = text.trim().lines().last().unwrap_or("it said nothing");
        return Err(failed(io::Error::other(format!("{}: {last}", end.status))));
    }
    let used = end.rusage;
    Ok(Process {
        wall,
        cpu: (used.utime + used.stime).as_secs_f64(),
        peak: used.maxrss as f64,
    })
}

/// None where the system does not tell.
fn measure(
    name: &'static str,
    pairs: &[(Process, Process)],
    of: fn(&Process) -> f64,
) -> Option<Measure> {
    let ours = Series::new(pairs.iter().map(|(ours, _)| of(ours)).collect())?;
    let theirs = Series::new(pairs.iter().map(|(_, theirs)| of(theirs)).collect())?;
    let ratio = ours.ratio(&theirs)?;
    Some(Measure {
        name,
        ours: ours.median(),
        theirs: theirs.median(),
        ratio: ratio.median(),
        ratios: [ratio.min(), ratio.max()],
    })
}

impl Versus {
    /// Says both programs' medians and their ratio.
    pub fn describe(&self, lines: &mut Lines) {
        lines.add(format!(
            "\nwhole processes, {} pairs in turns, beside: {}",
            self.pairs, self.command
        ));
        for measure in &self.measures {
            let value = |value: f64| match measure.name {
                "peak memory" => bytes(value as u64),
                _ => time(value),
            };
            lines.add(format!(
                "  {:<12} {:>10}   beside {:>10}   ratio {:.3} ({:.3} to {:.3})",
                measure.name,
                value(measure.ours),
                value(measure.theirs),
                measure.ratio,
                measure.ratios[0],
                measure.ratios[1]
            ));
        }
    }
}
