//! The `whisper-rs` command: parses the command line and calls the subcommand.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::messages::one_line_panics();
    match cli::parse(std::env::args_os()) {
        Ok(cli::Command::Transcribe(arguments)) => cli::transcribe::run(&arguments),
        Ok(cli::Command::Models(command)) => cli::models::run(&command),
        Ok(cli::Command::Bench(command)) => cli::bench::run(&command),
        Err(exit) => exit,
    }
}
