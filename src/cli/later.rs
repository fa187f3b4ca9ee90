//! Flags of openai/whisper's command that this version knows but cannot serve yet.
//!
//! Each is taken with the value that describes what is done anyway, so that a pasted command runs where its result
//! would be right, and is refused by name with any other value, so that none is ignored in silence.

use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

/// A flag's name, and the values (in any case) that ask for what is done anyway.
const FLAGS: &[(&str, &[&str])] = &[("fp16", &["False"])];

/// Takes part in parsing for the sake of its refusals; holds nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Later;

/// The error for a flag or a value that is not there yet.
pub fn not_supported_yet(flag: &str, value: impl std::fmt::Display, instead: &str) -> clap::Error {
    clap::Error::raw(
        ErrorKind::ValueValidation,
        format!("not supported yet: --{flag} {value}; {instead}\n"),
    )
}

impl Args for Later {
    fn augment_args(command: Command) -> Command {
        FLAGS.iter().fold(command, |command, &(name, _)| {
            command.arg(
                Arg::new(name)
                    .long(name)
                    .hide(true)
                    .allow_hyphen_values(true)
                    .value_name("VALUE"),
            )
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Later {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        for &(name, taken) in FLAGS {
            let Some(value) = matches.get_one::<String>(name) else {
                continue;
            };
            if !taken.iter().any(|word| word.eq_ignore_ascii_case(value)) {
                let instead = match taken {
                    [] => "leave the flag out".to_owned(),
                    words => format!("leave the flag out, or give {}", words.join(" or ")),
                };
                return Err(not_supported_yet(name, value, &instead));
            }
        }
        Ok(Later)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
