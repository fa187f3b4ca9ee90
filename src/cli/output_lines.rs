//! What a subcommand was asked for, on standard output.

use std::io::{self, ErrorKind, Write};
use std::path::Path;

use serde::Serialize;
use whisper_rs::Error;

/// Prints text and a line's end.
pub fn print(text: &str) -> Result<(), Error> {
    print_text(&format!("{text}\n"))
}

/// Prints text as it is.
pub fn print_text(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    unless_closed((stdout.write_all(text.as_bytes())).and_then(|()| stdout.flush()))
}

/// How printing went: a reader that went away has seen enough.
pub fn unless_closed(printed: io::Result<()>) -> Result<(), Error> {
    match printed {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::Io {
            path: Path::new("standard output").to_path_buf(),
            source: error,
        }),
        _ => Ok(()),
    }
}

/// Prints a value as JSON, indented.
pub fn print_json(value: &impl Serialize) -> Result<(), Error> {
    let json = serde_json::to_string_pretty(value)
        .map_err(|error| Error::Option(format!("the output cannot be written: {error}")))?;
    print(&json)
}
