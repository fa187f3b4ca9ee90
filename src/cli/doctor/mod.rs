//! `whisper-rs doctor`: whether this machine can transcribe and on what, and what to do about what is wrong.

mod advice;
mod devices;
mod print;
mod storage;
mod system;

use std::process::ExitCode;

use serde::Serialize;
use whisper_rs::{Error, audio, device};

use super::feedback::messages;
use super::models::{Models, StoreArguments};
use super::{FAILED, USAGE, output_lines};
use advice::advice;
use devices::{Devices, examine};
use storage::Storage;
use system::System;

/// The arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub struct DoctorArguments {
    /// Print the report as JSON
    #[arg(long)]
    json: bool,

    // The help names what this build can open.
    #[arg(
        long,
        default_value = "auto",
        help = format!("Device to examine; auto is all of them: {}", device::AVAILABLE.join(", ")),
    )]
    device: String,

    #[command(flatten)]
    store: StoreArguments,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Report {
    version: &'static str,
    system: System,
    /// The backends that are compiled in.
    backends: &'static [&'static str],
    #[serde(flatten)]
    devices: Devices,
    storage: Storage,
    /// What an installed ffmpeg says it is.
    ffmpeg: Option<String>,
    /// What to do about what is wrong, the most important first.
    advice: Vec<String>,
    /// Whether a device passes, and a model is there or can be fetched.
    can_transcribe: bool,
}

impl Report {
    fn can_transcribe(&self) -> bool {
        let device = self.devices.devices.iter().any(|device| device.passed());
        device && (!self.storage.models.is_empty() || self.storage.can_fetch())
    }
}

/// Prints the report. Succeeds where something can transcribe.
pub fn run(arguments: &DoctorArguments) -> ExitCode {
    let devices = match examine(&arguments.device) {
        Ok(devices) => devices,
        Err(error) => {
            messages::error(error);
            return ExitCode::from(USAGE);
        }
    };
    let report = report(devices, &arguments.store);
    match print(&report, arguments.json) {
        Ok(()) if report.can_transcribe => ExitCode::SUCCESS,
        Ok(()) => ExitCode::from(FAILED),
        Err(error) => {
            messages::error(error);
            ExitCode::from(FAILED)
        }
    }
}

fn report(devices: Devices, store: &StoreArguments) -> Report {
    let mut report = Report {
        version: env!("CARGO_PKG_VERSION"),
        system: System::find(),
        backends: device::BACKENDS,
        devices,
        storage: Storage::find(Models::open(store), store.offline),
        ffmpeg: audio::ffmpeg_version(),
        advice: Vec::new(),
        can_transcribe: false,
    };
    report.advice = advice(&report);
    report.can_transcribe = report.can_transcribe();
    report
}

fn print(report: &Report, json: bool) -> Result<(), Error> {
    match json {
        true => output_lines::print_json(report),
        false => output_lines::print(&print::text(report)),
    }
}
