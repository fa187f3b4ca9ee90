//! What is made from the table of flags besides the help: the manual pages and the shells' completions.

use clap::{Arg, Command};
use clap_complete::Shell;
use whisper_rs::Error;

use super::output_lines;

/// Writes the manual page of the command or of one of its subcommands, as troff.
///
/// # Errors
///
/// [`Error::Option`] when there is no such subcommand, [`Error::Io`] when standard output cannot be written.
pub fn manual_page(mut command: Command, subcommand: Option<&str>) -> Result<(), Error> {
    command.build();
    let page = match subcommand {
        None => command,
        Some(name) => (command.find_subcommand(name).cloned())
            .ok_or_else(|| Error::Option(format!("'{name}' is no subcommand of whisper-rs")))?,
    };
    let page = page.mut_args(with_text);
    let mut text = Vec::new();
    output_lines::unless_closed(clap_mangen::Man::new(page).render(&mut text))?;
    output_lines::print_text(&String::from_utf8_lossy(&text))
}

/// The page leaves out the text of a flag that the short help leaves out, unless it is a long one.
fn with_text(arg: Arg) -> Arg {
    match (arg.get_help().cloned(), arg.get_long_help()) {
        (Some(text), None) => arg.long_help(text),
        _ => arg,
    }
}

/// Writes a shell's completions, of both spellings of each flag.
///
/// # Errors
///
/// [`Error::Io`] when standard output cannot be written.
pub fn completions(command: Command, shell: Shell) -> Result<(), Error> {
    let mut command = with_visible_aliases(command);
    let mut text = Vec::new();
    let name = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, name, &mut text);
    let mut text = String::from_utf8_lossy(&text).into_owned();
    if shell == Shell::Bash {
        // clap_complete 4 writes the hyphen of a program's name in two ways, so that no subcommand is found.
        text = text.replace("whisper__subcmd__rs", "whisper__rs");
    }
    output_lines::print_text(&text)
}

/// Completions have what the help would show: here second names as well.
fn with_visible_aliases(command: Command) -> Command {
    let command = command.mut_args(|arg| {
        let aliases: Vec<String> = (arg.get_all_aliases().unwrap_or_default().iter())
            .map(ToString::to_string)
            .collect();
        // The hidden ones make way for visible ones.
        arg.alias(None::<&'static str>).visible_aliases(aliases)
    });
    command.mut_subcommands(with_visible_aliases)
}
