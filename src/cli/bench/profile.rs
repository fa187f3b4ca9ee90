//! `whisper-rs bench FILE --profile`: what each operation of each stage takes on the CPU, and how near to the chip's peak it is.

use std::collections::BTreeMap;

use serde::Serialize;
use whisper_kernels::{Bound, HostOperation, HostPeaks, HostWork};
use whisper_rs::transcribe::{Stage, StageWork};
use whisper_rs::{Audio, Error};

use super::report::{Lines, time};
use crate::cli::engine::Engine;

/// The stages of one transcription.
#[derive(Debug, Serialize)]
pub struct Profile {
    peaks: Peaks,
    stages: Vec<StageProfile>,
}

/// The most that the chip did in a second, with as many threads.
#[derive(Debug, Serialize)]
struct Peaks {
    float_operations: f64,
    integer_operations: f64,
    bytes: f64,
}

#[derive(Debug, Serialize)]
struct StageProfile {
    name: &'static str,
    seconds: f64,
    /// Of all stages' time.
    share: f64,
    operations: Vec<OperationProfile>,
    /// What is not in the operations: filters, sampling, sums and copies.
    rest_seconds: f64,
}

#[derive(Debug, Serialize)]
struct OperationProfile {
    name: &'static str,
    /// Inputs and outputs of a weight, or keys and the width of a head.
    shape: [usize; 2],
    calls: usize,
    seconds: f64,
    /// Of the stage's time.
    share: f64,
    /// What there is most of in a second: products and sums, or bytes.
    bound: &'static str,
    per_second: f64,
    share_of_peak: f64,
}

impl Profile {
    /// Transcribes once, and measures the peaks afterwards.
    pub fn of(engine: &Engine, audio: &Audio) -> Result<Self, Error> {
        let whisper = &engine.whisper;
        let (_, work) = whisper.transcribe_noting_work(audio, &engine.options)?;
        let peaks = HostPeaks::measure();
        let n_vocab = whisper.tokenizer().n_vocab();
        Ok(Self::new(&work, peaks, n_vocab))
    }

    fn new(work: &BTreeMap<Stage, StageWork>, peaks: HostPeaks, n_vocab: usize) -> Self {
        let all: f64 = work.values().map(|stage| stage.time.as_secs_f64()).sum();
        let stages = work.iter().map(|(stage, work)| {
            let seconds = work.time.as_secs_f64();
            let operations = work.operations.iter();
            let mut operations: Vec<_> = operations
                .map(|(operation, work)| {
                    OperationProfile::new(operation, work, seconds, peaks, n_vocab)
                })
                .collect();
            operations.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
            let inside: f64 = operations.iter().map(|operation| operation.seconds).sum();
            StageProfile {
                name: name_of(*stage),
                seconds,
                share: share(seconds, all),
                operations,
                rest_seconds: (seconds - inside).max(0.0),
            }
        });
        Self {
            stages: stages.collect(),
            peaks: Peaks {
                float_operations: peaks.floats,
                integer_operations: peaks.integers,
                bytes: peaks.memory,
            },
        }
    }

    /// A table for people.
    pub fn describe(&self, lines: &mut Lines) {
        lines.add(format!(
            "\nthe CPU at most: {:.0} GFLOP/s in float32, {:.0} Gop/s in 16-bit integers, {:.1} GB/s from memory",
            self.peaks.float_operations / 1e9,
            self.peaks.integer_operations / 1e9,
            self.peaks.bytes / 1e9,
        ));
        for stage in &self.stages {
            lines.add(format!(
                "{:<38} {:>10} {:>5.1} % of all stages",
                stage.name,
                time(stage.seconds),
                100.0 * stage.share
            ));
            for operation in &stage.operations {
                operation.describe(lines);
            }
            lines.add(format!(
                "  {:<36} {:>10} {:>5.1} %",
                "all else",
                time(stage.rest_seconds),
                100.0 * share(stage.rest_seconds, stage.seconds)
            ));
        }
    }
}

impl OperationProfile {
    fn new(
        operation: &HostOperation,
        work: &HostWork,
        of_stage: f64,
        peaks: HostPeaks,
        n_vocab: usize,
    ) -> Self {
        let (bound, peak) = match operation.bound {
            Bound::Floats => ("float operations", peaks.floats),
            Bound::Integers => ("integer operations", peaks.integers),
            Bound::Memory => ("bytes", peaks.memory),
        };
        let per_second = work.amount / work.seconds.max(1e-9);
        Self {
            name: match operation.shape[1] == n_vocab {
                true => "vocabulary projection",
                false => operation.name,
            },
            shape: operation.shape,
            calls: work.calls,
            seconds: work.seconds,
            share: share(work.seconds, of_stage),
            bound,
            per_second,
            share_of_peak: per_second / peak,
        }
    }

    fn describe(&self, lines: &mut Lines) {
        let [first, second] = self.shape;
        let shape = match (self.name.starts_with("attention"), first) {
            (true, 0) => String::new(),
            (true, keys) => format!(", {keys} keys"),
            (false, _) => format!(" {first} -> {second}"),
        };
        let unit = if self.bound == "bytes" {
            "GB/s"
        } else {
            "Gop/s"
        };
        lines.add(format!(
            "  {:<36} {:>10} {:>5.1} % {:>6} x {:>8.1} {unit:<5} {:>4.0} % of the peak",
            format!("{}{shape}", self.name),
            time(self.seconds),
            100.0 * self.share,
            self.calls,
            self.per_second / 1e9,
            100.0 * self.share_of_peak,
        ));
    }
}

fn name_of(stage: Stage) -> &'static str {
    match stage {
        Stage::Frontend => "frontend",
        Stage::Encoder => "encoder",
        Stage::CrossKeysAndValues => "cross keys and values",
        Stage::Decoder => "decoder",
        Stage::Words => "words",
        _ => "other",
    }
}

fn share(part: f64, all: f64) -> f64 {
    if all > 0.0 { part / all } else { 0.0 }
}
