//! Defaults of one's own: a config file and environment variables, behind the command line and before the built-in
//! defaults.

mod config_file;
mod source;
mod toml_words;
mod variables;

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::command_line::alike;
use config_file::{ConfigFile, Given};
pub use source::Source;
use toml_words::as_toml;
pub use variables::misspelt_variables;
use variables::{in_words_of, variable};

/// Flags that are no settings.
const NO_SETTINGS: [&str; 4] = ["config", "print_config", "help", "version"];

/// What the command line did not give: a flag's value, or its values.
#[derive(Debug)]
struct Setting {
    flag: String,
    values: Vec<OsString>,
    source: Source,
}

impl Setting {
    /// As words of the command line.
    fn words(&self) -> impl Iterator<Item = OsString> {
        self.values.iter().map(|value| {
            let mut word = OsString::from(format!("--{}=", self.flag));
            word.push(value);
            word
        })
    }
}

/// The settings of a run and where each comes from.
#[derive(Debug, Default)]
pub struct Settings {
    settings: Vec<Setting>,
}

impl Settings {
    /// Looks for every flag of `command` that `given` does not have: in the environment, then in the config file.
    ///
    /// # Errors
    ///
    /// A line when the file cannot be read or is no TOML, has a key that is no flag, or a value that its flag does
    /// not take.
    pub fn find(command: &Command, given: &ArgMatches) -> Result<Self, String> {
        let on_command_line =
            |arg: &Arg| given.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
        let named = given.get_one::<PathBuf>("config").cloned();
        let mut config = ConfigFile::open(command, named)?;
        let mut settings = Vec::new();
        for arg in settable(command) {
            let Some(long) = arg.get_long() else { continue };
            let in_config = config.take(long);
            if on_command_line(arg) {
                continue;
            }
            let (values, source) = match (variable(long), in_config) {
                (Some((name, value)), _) => {
                    let value = in_words_of(arg, command, value);
                    (vec![value], Source::Environment(name))
                }
                (None, Some(value)) => {
                    let values = value
                        .words_for(arg)
                        .map_err(|reason| format!("{}: {long}: {reason}", config.path.display()))?;
                    (values, Source::Config(config.path.clone()))
                }
                (None, None) => continue,
            };
            settings.push(Setting {
                flag: long.to_owned(),
                values,
                source,
            });
        }
        config.nothing_left(command)?;
        Ok(Settings { settings })
    }

    /// The settings one by one as words of a command line, each with its source.
    pub fn words(&self) -> impl Iterator<Item = (OsString, &Source)> {
        (self.settings.iter())
            .flat_map(|setting| setting.words().map(|word| (word, &setting.source)))
    }

    /// The flags among these that a line speaks of, each with its source.
    pub fn named_in<'a>(&'a self, line: &'a str) -> impl Iterator<Item = (&'a str, &'a Source)> {
        let in_name = |letter: char| letter.is_alphanumeric() || letter == '_';
        let names = move |flag: &str| line.split(|c| !in_name(c)).any(|word| word == flag);
        (self.settings.iter())
            .filter(move |setting| names(&setting.flag))
            .map(|setting| (setting.flag.as_str(), &setting.source))
    }

    /// Every flag's value, as a config file would have it, with its source behind it.
    pub fn print(&self, command: &Command, in_force: &ArgMatches) -> String {
        let found: HashMap<&str, &Source> = (self.settings.iter())
            .map(|setting| (setting.flag.as_str(), &setting.source))
            .collect();
        let mut lines = String::new();
        for arg in settable(command).filter(|arg| !arg.is_hide_set()) {
            let Some(long) = arg.get_long() else { continue };
            let id = arg.get_id().as_str();
            let source = match (found.get(long), in_force.value_source(id)) {
                (Some(source), _) => (*source).clone(),
                (None, Some(ValueSource::CommandLine)) => Source::CommandLine,
                _ => Source::Default,
            };
            let values: Option<Vec<_>> = (in_force.get_raw(id)).map(|values| {
                values
                    .map(|value| as_toml(&value.to_string_lossy()))
                    .collect()
            });
            // A path may have a line's end in it, and a comment may not.
            let source = source.to_string().replace(char::is_control, " ");
            lines += &match values {
                Some(values) if takes_many(arg) => {
                    format!("{long} = [{}]  # {source}\n", values.join(", "))
                }
                Some(values) => format!("{long} = {}  # {source}\n", values.join(",")),
                None => format!("# {long} is not set\n"),
            };
        }
        lines
    }
}

/// What a flag is set to elsewhere than on the command line, if that can be told: there may be mistakes in these settings.
pub fn elsewhere(command: &Command, config: Option<PathBuf>, long: &str) -> Option<OsString> {
    let in_config = || match ConfigFile::open(command, config).ok()?.take(long)? {
        Given::One(word) => Some(word),
        Given::List(_) => None,
    };
    (variable(long).map(|(_, value)| value)).or_else(in_config)
}

/// The flags that can be set from elsewhere than the command line.
fn settable(command: &Command) -> impl Iterator<Item = &Arg> {
    command
        .get_arguments()
        .filter(|arg| (arg.get_long()).is_some_and(|long| !NO_SETTINGS.contains(&long)))
}

/// Whether a flag may be given several times, each with a value of its own.
fn takes_many(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
}

/// The flag that a name may be meant for: the only one that it begins, or the one that it is a few typing errors away from.
fn nearest<'a>(command: &'a Command, name: &str) -> Option<&'a str> {
    let name = name.replace('-', "_");
    let flags = || settable(command).filter_map(Arg::get_long);
    let mut begun = flags().filter(|flag| flag.starts_with(&name));
    if let (Some(flag), None) = (begun.next(), begun.next()) {
        return Some(flag);
    }
    (flags()
        .filter_map(|flag| Some((alike::typing_errors(&name, flag)?, flag)))
        .min())
    .map(|(_, flag)| flag)
}

#[cfg(test)]
mod tests {
    use super::super::command;
    use super::*;

    #[test]
    fn only_a_flag_that_is_nearly_written_so_is_suggested() {
        let command = command();
        let transcribe = command.find_subcommand("transcribe").unwrap();
        for (name, flag) in [
            ("beam-sise", Some("beam_size")),
            ("modle", Some("model")),
            ("verb", Some("verbose")),
            ("word_timestamp", Some("word_timestamps")),
            ("initialprompt", Some("initial_prompt")),
            ("max_line", None),
            ("colour", None),
            ("font", None),
            ("test", None),
            ("api_key", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(transcribe, name), flag, "{name}");
        }
    }
}
