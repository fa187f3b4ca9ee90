//! Whether what goes to standard output is coloured.

use std::io::{self, IsTerminal};

use crate::cli::flags::values::Choice;

/// What was asked for; where that is left open, whether standard output is a terminal that can bear colours and whose user
/// wants them (`NO_COLOR`: no-color.org).
pub fn wanted(choice: Choice) -> bool {
    match choice {
        Choice::Yes => true,
        Choice::No => false,
        Choice::Auto => {
            let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
            io::stdout().is_terminal() && !unwanted && !dumb
        }
    }
}
