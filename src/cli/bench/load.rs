//! `whisper-rs bench load`: how long a model takes to load, and the memory that takes beside the model itself.

use std::path::PathBuf;
use std::time::Instant;

use burn::tensor::Device;
use clap::Args;
use serde::Serialize;
use whisper_rs::measure::{self, HostMemory};
use whisper_rs::{Error, Whisper, device};
use whisper_weights::{Checkpoint, for_each_tensor};

use super::report::{bytes, time};
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
    file_bytes: u64,
    /// From the path to a model that can transcribe.
    seconds: f64,
    /// The model's parameters in f32, as they are on the device.
    tensor_bytes: u64,
    /// Host memory that the load added at most; unknown where the system does not tell.
    peak_bytes: Option<u64>,
    /// Host memory that is still added when the model is loaded.
    kept_bytes: Option<u64>,
    /// The peak without the tensors, where these are in host memory.
    beside_tensors_bytes: Option<u64>,
    /// The same over the size of the file.
    beside_over_file: Option<f64>,
}

pub fn run(arguments: &LoadArguments) -> Result<(), Error> {
    let path = Models::open(&arguments.store)?.fetch(&arguments.model)?;
    let device = device::open(&arguments.device)?;
    // What starts with the device or with the first use of all cores is no part of the load.
    wait(&device)?;
    let reset = measure::reset_host_peak();
    let before = measure::host_memory().filter(|_| reset);

    let begun = Instant::now();
    let checkpoint = Checkpoint::open(&path)?;
    let (format, file_bytes) = (checkpoint.format(), checkpoint.file_size());
    let mut parameters = 0;
    for_each_tensor(checkpoint.dims(), |_, shape| {
        parameters += shape.iter().product::<usize>();
    });
    let whisper = Whisper::from_checkpoint(&checkpoint, &device)?;
    drop(checkpoint);
    wait(&device)?;
    let seconds = begun.elapsed().as_secs_f64();
    let after = measure::host_memory().filter(|_| reset);
    drop(whisper);

    let added = |of: fn(&HostMemory) -> u64| {
        Some(of(after.as_ref()?).saturating_sub(before.as_ref()?.current))
    };
    let tensor_bytes = 4 * parameters as u64;
    // A device with an allocator of its own has the tensors there.
    let on_host = match measure::device_memory(&device) {
        Some(_) => 0,
        None => tensor_bytes,
    };
    let peak_bytes = added(|memory| memory.peak);
    let beside = peak_bytes.map(|peak| peak.saturating_sub(on_host));
    let report = Report {
        path,
        format,
        device: arguments.device.clone(),
        file_bytes,
        seconds,
        tensor_bytes,
        peak_bytes,
        kept_bytes: added(|memory| memory.current),
        beside_tensors_bytes: beside,
        beside_over_file: beside.map(|bytes| bytes as f64 / file_bytes as f64),
    };
    if arguments.json {
        return output_lines::print_json(&report);
    }
    output_lines::print(&describe(&report))
}

/// Waits until the device has done what it was given.
fn wait(device: &Device) -> Result<(), Error> {
    device
        .sync()
        .map_err(|error| Error::Device(format!("loading failed: {error}")))
}

fn describe(report: &Report) -> String {
    let mut text = format!(
        "{} of {} loaded in {}",
        report.format,
        bytes(report.file_bytes),
        time(report.seconds)
    );
    if let (Some(peak), Some(beside), Some(ratio)) = (
        report.peak_bytes,
        report.beside_tensors_bytes,
        report.beside_over_file,
    ) {
        text += &format!(
            "; host memory rose by {} at most, {} beside the tensors: {ratio:.2} of the file",
            bytes(peak),
            bytes(beside)
        );
    }
    text
}
