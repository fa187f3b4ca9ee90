//! What a subcommand was asked for, on standard output.

use std::io::{self, ErrorKind, Write};
use std::path::Path;

use serde::Serialize;
use whisper_rs::Error;

/// Prints text and a line's end. A reader that went away has seen enough.
pub fn print(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
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
