//! The `whisper-rs` command: parses the command line and calls the subcommand.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::freed_memory::keep();
    cli::feedback::log::start();
    cli::feedback::messages::one_line_panics();
    // One thread uses the devices here.
    whisper_rs::device::allow_recordings(true);
    match cli::parse(std::env::args_os()) {
        Ok(cli::Command::Transcribe(arguments)) => cli::transcribe::run(&arguments),
        Ok(cli::Command::Eval(arguments)) => cli::eval::run(&arguments),
        Ok(cli::Command::Models(command)) => cli::models::run(&command),
        Ok(cli::Command::Bench(command)) => cli::bench::run(&command),
        Ok(cli::Command::Compare(arguments)) => cli::compare::run(&arguments),
        Ok(cli::Command::Plot(arguments)) => cli::plot::run(&arguments),
        Ok(cli::Command::Doctor(arguments)) => cli::doctor::run(&arguments),
        Ok(cli::Command::Completions { shell }) => {
            cli::ended(cli::documents::completions(cli::command(), shell))
        }
        Ok(cli::Command::Man { subcommand }) => cli::ended(cli::documents::manual_page(
            cli::command(),
            subcommand.as_deref(),
        )),
        Err(exit) => exit,
    }
}
