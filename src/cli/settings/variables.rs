//! Settings in environment variables.

use std::env;
use std::ffi::OsString;

use clap::builder::{BoolishValueParser, TypedValueParser};
use clap::{Arg, Command};

use super::{nearest, settable};
use crate::cli::flags::values;

/// Begins the name of each environment variable: `WHISPER_RS_BEAM_SIZE` is `--beam_size`.
const PREFIX: &str = "WHISPER_RS_";
/// Variables with that beginning that are no flags: the cache's folder, which the library reads, and the config file.
const OTHER_VARIABLES: [&str; 2] = ["CACHE", "CONFIG"];

/// A flag's environment variable and its value; none where it is empty, as if it were not there.
pub fn variable(long: &str) -> Option<(String, OsString)> {
    let name = format!("{PREFIX}{}", long.to_ascii_uppercase());
    let value = env::var_os(&name).filter(|value| !value.is_empty())?;
    Some((name, value))
}

/// A variable's value in its flag's words: what is True or False may be 1 or 0, yes or no, on or off, as is the custom of variables.
pub fn in_words_of(arg: &Arg, command: &Command, value: OsString) -> OsString {
    if !values::may_stand_alone(arg) {
        return value;
    }
    match BoolishValueParser::new().parse_ref(command, Some(arg), &value) {
        Ok(true) => "True".into(),
        Ok(false) => "False".into(),
        Err(_) => value,
    }
}

/// What to say of each environment variable that looks like a setting of `transcribe` and is none.
pub fn misspelt_variables(command: &Command) -> Vec<String> {
    let Some(transcribe) = command.find_subcommand("transcribe") else {
        return Vec::new();
    };
    let mut names: Vec<String> = env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .collect();
    names.sort();
    (names.iter())
        .filter_map(|name| misspelt(transcribe, name))
        .collect()
}

/// What to say of a variable that has the beginning of the settings' names and is none of them.
fn misspelt(command: &Command, variable: &str) -> Option<String> {
    let name = variable.strip_prefix(PREFIX)?;
    let flag = name.to_ascii_lowercase();
    let is_flag = settable(command).any(|arg| arg.get_long() == Some(&flag));
    if OTHER_VARIABLES.contains(&name) || (is_flag && name == flag.to_ascii_uppercase()) {
        return None;
    }
    let hint = nearest(command, &flag)
        .map(|flag| format!("; did you mean {PREFIX}{}?", flag.to_ascii_uppercase()))
        .unwrap_or_default();
    Some(format!("{variable} is no setting and has no effect{hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command;

    #[test]
    fn a_variable_that_is_no_setting_is_told() {
        let command = command();
        let transcribe = command.find_subcommand("transcribe").unwrap();
        for known in [
            "WHISPER_RS_BEAM_SIZE",
            "WHISPER_RS_CACHE",
            "WHISPER_RS_CONFIG",
            "PATH",
        ] {
            assert_eq!(misspelt(transcribe, known), None, "{known}");
        }
        assert_eq!(
            misspelt(transcribe, "WHISPER_RS_BEAM_SISE").unwrap(),
            "WHISPER_RS_BEAM_SISE is no setting and has no effect; did you mean WHISPER_RS_BEAM_SIZE?"
        );
        assert!(misspelt(transcribe, "WHISPER_RS_beam_size").is_some());
    }
}
