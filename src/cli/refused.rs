//! Why a run is not begun.

use std::process::ExitCode;

use whisper_rs::Error;

use super::feedback::messages;
use super::{FAILED, USAGE, code_of};

/// Why a run is not begun, in a line.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The command line is wrong.
    #[error("{0}")]
    Usage(String),
    /// What the command line names cannot be used.
    #[error("{0}")]
    Failed(String),
}

impl Refused {
    /// Tells the line, and returns the exit code of the run.
    pub fn end(self) -> ExitCode {
        let code = match &self {
            Refused::Usage(_) => USAGE,
            Refused::Failed(_) => FAILED,
        };
        messages::error(self);
        ExitCode::from(code)
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        match code_of(&error) {
            USAGE => Refused::Usage(error.to_string()),
            _ => Refused::Failed(error.to_string()),
        }
    }
}
