//! What the decoder is asked to write down.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What to do with the speech: write it down, or translate it into English.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Task {
    /// Write the speech down in its own language.
    #[default]
    Transcribe,
    /// Write the speech down in English, whatever its language.
    Translate,
}

impl Task {
    /// The name that openai/whisper's `--task` gives it.
    pub fn as_str(self) -> &'static str {
        match self {
            Task::Transcribe => "transcribe",
            Task::Translate => "translate",
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Task {
    type Err = Error;

    fn from_str(name: &str) -> Result<Task> {
        match name {
            "transcribe" => Ok(Task::Transcribe),
            "translate" => Ok(Task::Translate),
            _ => Err(Error::Option(format!(
                "task '{name}' is not known; give 'transcribe' or 'translate'"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_command_line() {
        for task in [Task::Transcribe, Task::Translate] {
            assert_eq!(task.to_string().parse::<Task>().unwrap(), task);
        }
        assert!(
            "summarise"
                .parse::<Task>()
                .unwrap_err()
                .to_string()
                .contains("'summarise'")
        );
    }
}
