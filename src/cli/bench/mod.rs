//! `whisper-rs bench`: how fast the parts are, on this machine and with the user's own file.

mod frontend;
mod report;

use clap::Subcommand;
use whisper_rs::Error;

pub use frontend::FrontendArguments;

/// What can be measured.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// The fused log-Mel kernels beside the same composed of Burn's operations
    Frontend(FrontendArguments),
}

/// Runs the benchmark and prints its report.
///
/// # Errors
///
/// The file cannot be read, or the device is not there or fails.
pub fn run(command: &BenchCommand) -> Result<(), Error> {
    match command {
        BenchCommand::Frontend(arguments) => frontend::run(arguments),
    }
}
