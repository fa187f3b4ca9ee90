//! `whisper-rs bench load`: how long a model takes to load, and the memory that takes beside the model itself.

use std::hint::black_box;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde::Serialize;
use whisper_rs::device::ChosenDevice;
use whisper_rs::measure::{self, HostMemory};
use whisper_rs::{Error, Whisper, device};
use whisper_weights::Checkpoint;

use super::report::{bytes, time};
use super::sync;
use crate::cli::chosen_device;
use crate::cli::feedback::waiting::Waiting;
use crate::cli::models::{Models, StoreArguments};
use crate::cli::output_lines;

/// The arguments of `bench load`.
#[derive(Debug, Args)]
pub struct LoadArguments {
    /// Model: a name, or the path of a file or folder with weights
    #[arg(value_name = "PATH_OR_NAME")]
    pub model: String,

    /// Device to load to
    #[arg(long, default_value = "auto", help = format!("Device to load to: {}", device::AVAILABLE.join(", ")))]
    pub device: String,

    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub store: StoreArguments,
}

/// What one load took. It is that of a process that has loaded nothing before: run it again for another one.
#[derive(Debug, Serialize)]
struct Report {
    path: PathBuf,
    format: &'static str,
    device: String,
    device_description: Option<String>,
    file_bytes: u64,
    /// From the path to a model that can transcribe.
    seconds: f64,
    /// The model's parameters in f32.
    tensor_bytes: u64,
    /// Host memory that the load added at most, the tensors among it where the device uses the host's.
    peak_bytes: Option<u64>,
    /// Host memory that is still added when the model is loaded.
    kept_bytes: Option<u64>,
    /// Host memory that it takes at most to bring the file's tensors to f32, one after the other, as for a device with memory of
    /// its own: what a load needs beside the tensors.
    beside_tensors_bytes: Option<u64>,
    /// The same over the size of the file.
    beside_over_file: Option<f64>,
}

pub fn run(arguments: &LoadArguments) -> Result<(), Error> {
    let path = Models::open(&arguments.store)?.fetch(&arguments.model)?;
    let chosen = chosen_device::open(&arguments.device)?;
    let device = &chosen.device;
    // What starts with the device is no part of the load.
    sync(device)?;
    let waiting = Waiting::for_model(device);
    let memory = Memory::now();
    let begun = Instant::now();
    let checkpoint = Checkpoint::open(&path)?;
    let whisper = Whisper::from_checkpoint(&checkpoint, device)?;
    sync(device)?;
    let seconds = begun.elapsed().as_secs_f64();
    drop(waiting);
    let (peak_bytes, kept_bytes) = memory.added().unzip();
    drop(whisper);
    drop(checkpoint);

    let memory = Memory::now();
    let checkpoint = Checkpoint::open(&path)?;
    let parameters = parameters_one_by_one(&checkpoint)?;
    let beside = memory.added().map(|(peak, _)| peak);
    let file_bytes = checkpoint.file_size();
    let report = Report {
        path,
        format: checkpoint.format(),
        device: chosen.name.clone(),
        device_description: chosen.description.clone(),
        file_bytes,
        seconds,
        tensor_bytes: 4 * parameters as u64,
        peak_bytes,
        kept_bytes,
        beside_tensors_bytes: beside,
        beside_over_file: beside.map(|bytes| bytes as f64 / file_bytes as f64),
    };
    if arguments.json {
        return output_lines::print_json(&report);
    }
    output_lines::print(&describe(&report, &chosen))
}

/// Brings each tensor to f32 and lets it go again, as a loader does; gives the number of parameters.
fn parameters_one_by_one(checkpoint: &Checkpoint) -> Result<usize, Error> {
    let mut parameters = 0;
    for name in checkpoint.tensor_names() {
        let values = black_box(checkpoint.tensor(name)?.to_f32());
        parameters += values.len();
        checkpoint.release_pages();
    }
    Ok(parameters)
}

/// The host's memory at the beginning of something.
struct Memory(Option<HostMemory>);

impl Memory {
    fn now() -> Self {
        Memory(measure::host_memory().filter(|_| measure::reset_host_peak()))
    }

    /// What has been added since, at most and now; unknown where the system does not tell.
    fn added(&self) -> Option<(u64, u64)> {
        let (before, after) = (self.0?.current, measure::host_memory()?);
        Some((
            after.peak.saturating_sub(before),
            after.current.saturating_sub(before),
        ))
    }
}

fn describe(report: &Report, chosen: &ChosenDevice) -> String {
    let mut text = format!(
        "{} of {} loaded to {} in {}",
        report.format,
        bytes(report.file_bytes),
        chosen_device::title(chosen),
        time(report.seconds)
    );
    if let (Some(peak), Some(beside), Some(ratio)) = (
        report.peak_bytes,
        report.beside_tensors_bytes,
        report.beside_over_file,
    ) {
        text += &format!(
            "; host memory rose by {} at most; beside the tensors {} are needed, {ratio:.2} of the file",
            bytes(peak),
            bytes(beside)
        );
    }
    text
}
