//! `whisper-rs bench`: how fast the parts are, on this machine and with the user's own file.

mod frontend;
mod load;
mod report;

use std::process::ExitCode;

use clap::Subcommand;

use super::{FAILED, messages};

pub use frontend::FrontendArguments;
pub use load::LoadArguments;

/// What can be measured.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// The fused log-Mel kernels beside the same composed of Burn's operations
    Frontend(FrontendArguments),
    /// How long a model takes to load, and the memory beside the model itself
    Load(LoadArguments),
}

/// Runs the benchmark and prints its report.
pub fn run(command: &BenchCommand) -> ExitCode {
    let done = match command {
        BenchCommand::Frontend(arguments) => frontend::run(arguments),
        BenchCommand::Load(arguments) => load::run(arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            messages::error(error);
            ExitCode::from(FAILED)
        }
    }
}
