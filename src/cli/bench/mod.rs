//! `whisper-rs bench`: how fast the parts are, on this machine and with the user's own file.

mod counted;
mod frontend;
mod load;
mod network;
mod profile;
pub mod report;
mod room;
mod transcribe;
mod versus;

use std::process::ExitCode;

use burn::tensor::Device;
use clap::Subcommand;
use whisper_rs::Error;

use super::code_of;
use super::feedback::messages;

pub use frontend::FrontendArguments;
pub use load::LoadArguments;
pub use network::NetworkArguments;
pub use transcribe::TranscribeBenchArguments;

/// What can be measured.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// The fused log-Mel kernels beside the same composed of Burn's operations
    Frontend(FrontendArguments),
    /// How long a model takes to load, and the memory beside the model itself
    Load(LoadArguments),
    /// Encoder and decoder alone, on features of noise and forced tokens; also meant by bench --random_weights MODEL
    Network(NetworkArguments),
    /// Transcribing a file, stage by stage; also meant by bench FILE
    Transcribe(Box<TranscribeBenchArguments>),
}

/// Runs the benchmark and prints its report.
pub fn run(command: &BenchCommand) -> ExitCode {
    let done = match command {
        BenchCommand::Frontend(arguments) => frontend::run(arguments),
        BenchCommand::Load(arguments) => load::run(arguments),
        BenchCommand::Network(arguments) => network::run(arguments),
        BenchCommand::Transcribe(arguments) => transcribe::run(arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = code_of(&error);
            messages::error(error);
            ExitCode::from(code)
        }
    }
}

/// Waits for all work that the device was given.
fn sync(device: &Device) -> Result<(), Error> {
    let synced = device.sync();
    synced.map_err(|error| Error::Device(format!("the work failed: {error}")))
}
