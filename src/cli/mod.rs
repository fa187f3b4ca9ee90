//! The command line: one file per subcommand, and what they share.
//!
//! Exit codes: 0 when everything went through, 1 when something failed, 2 for a wrong command line, 130 when interrupted.

mod arguments;
pub mod bench;
mod chosen_device;
mod command_line;
pub mod compare;
pub mod doctor;
pub mod documents;
mod engine;
pub mod eval;
pub mod feedback;
mod flags;
pub mod freed_memory;
mod inputs;
pub mod models;
mod output_lines;
mod outputs;
pub mod plot;
mod precision;
mod refused;
mod settings;
mod standard_output;
#[cfg(test)]
mod testing;
mod threads;
pub mod transcribe;
mod transcriber;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use clap_complete::Shell;
use whisper_rs::Error;

use arguments::TranscribeArguments;

pub use command_line::parse::parse;
pub use command_line::table::command;
pub use flags::speech::SmoothingKind;

/// Exit code of a run in which something failed.
const FAILED: u8 = 1;
/// Exit code for a command line that cannot be run.
const USAGE: u8 = 2;
/// Exit code of a run that was interrupted, as shells have it for Ctrl-C.
const INTERRUPTED: u8 = 130;

/// Whisper speech to text: from an audio file to a transcript, in pure Rust.
#[derive(Debug, Parser)]
#[command(
    name = "whisper-rs",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "Without a command, a file or a flag means transcribe: whisper-rs talk.mp3 -f srt"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What the command can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Transcribe audio files, with the flags of OpenAI's `whisper` command
    // Its name is what `talk.wav --version` prints.
    #[command(display_name = "whisper-rs", after_long_help = SETTINGS_HELP)]
    Transcribe(Box<TranscribeArguments>),
    /// List, describe, fetch, convert and remove models
    #[command(subcommand)]
    Models(models::ModelsCommand),
    /// Measure errors, speed and memory on clips with known transcripts
    Eval(Box<eval::EvalArguments>),
    /// Measure how fast the parts are on this machine
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    /// Compare transcripts with references: error rates, aligned words, times, tokens, and a page for the browser
    Compare(Box<compare::CompareArguments>),
    /// Draw a recording: waveform, log-Mel features plain and smoothed, and words, on one time axis
    Plot(Box<plot::PlotArguments>),
    /// Tell whether this machine can transcribe and on what, and what to do about what is wrong
    Doctor(doctor::DoctorArguments),
    /// Print completions of the command line for a shell
    Completions {
        /// Shell
        shell: Shell,
    },
    /// Print the manual page, as troff: whisper-rs man transcribe | man -l -
    Man {
        /// Subcommand that the page is about
        subcommand: Option<String>,
    },
}

/// What the help says at its end.
const SETTINGS_HELP: &str = "\
Every flag can also be set by an environment variable (WHISPER_RS_BEAM_SIZE for --beam_size) and in the config file
(beam_size = 5). The command line goes before the environment, and that before the file. Flags may be written with
hyphens (--beam-size); a boolean flag without a word behind it is True; None unsets what is optional. Flags of
whisper-cli that mean the same are known by its names.

Exit codes: 0 when everything went through, 1 when something failed (the other files are done all the same), 2 for a wrong
command line, 130 when interrupted.";

/// The exit code of what ends with this result, after its error was told.
pub fn ended(result: Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = code_of(&error);
            feedback::messages::error(error);
            ExitCode::from(code)
        }
    }
}

/// The exit code for an error: [`USAGE`] for what is wrong on any machine, whatever files there are.
fn code_of(error: &Error) -> u8 {
    match error {
        Error::Option(_)
        | Error::Language(_)
        | Error::Weights(whisper_weights::Error::UnknownModel { .. }) => USAGE,
        Error::Weights(whisper_weights::Error::Cancelled) => INTERRUPTED,
        _ => FAILED,
    }
}
