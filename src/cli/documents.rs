//! What is made from the table of flags besides the help: the manual pages and the shells' completions.

use std::io::{self, Write};

use clap::{Arg, Command};
use clap_complete::Shell;

/// Writes the manual page of the command or of one of its subcommands, as troff.
///
/// # Errors
///
/// A line when there is no such subcommand, or standard output cannot be written.
pub fn manual_page(mut command: Command, subcommand: Option<&str>) -> Result<(), String> {
    command.build();
    let page = match subcommand {
        None => command,
        Some(name) => (command.find_subcommand(name).cloned())
            .ok_or_else(|| format!("'{name}' is no subcommand of whisper-rs"))?,
    };
    let page = page.mut_args(with_text);
    let mut text = Vec::new();
    clap_mangen::Man::new(page)
        .render(&mut text)
        .and_then(|()| print(&text))
        .map_err(|error| format!("standard output: {error}"))
}

/// The page leaves out the text of a flag that the short help leaves out, unless it is a long one.
fn with_text(arg: Arg) -> Arg {
    match (arg.get_help().cloned(), arg.get_long_help()) {
        (Some(text), None) => arg.long_help(text),
        _ => arg,
    }
}

/// Writes a shell's completions.
///
/// # Errors
///
/// A line when standard output cannot be written.
pub fn completions(mut command: Command, shell: Shell) -> Result<(), String> {
    let mut text = Vec::new();
    let name = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, name, &mut text);
    print(&text).map_err(|error| format!("standard output: {error}"))
}

/// A reader that closed the pipe has seen enough.
fn print(text: &[u8]) -> io::Result<()> {
    match io::stdout().write_all(text) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
