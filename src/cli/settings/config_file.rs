//! The config file: its keys are flags, its values their words.

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Arg, Command};
use toml::{Table, Value};

use super::toml_words::as_word;
use super::variables::variable;
use super::{nearest, settable, takes_many};
use crate::cli::flags::values;

/// The keys of a config file that are not taken yet.
pub struct ConfigFile {
    pub path: PathBuf,
    /// By the flag's name: the key as it is written, and its value.
    values: HashMap<String, (String, Given)>,
}

/// A key's value in words of the command line.
pub enum Given {
    One(OsString),
    List(Vec<OsString>),
}

impl Given {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Array(values) => values
                .iter()
                .map(as_word)
                .collect::<Option<_>>()
                .map(Given::List),
            value => as_word(value).map(Given::One),
        }
    }

    /// The flag's words: each of a list where it may be given several times; where its one value is a list, that.
    pub fn words_for(self, arg: &Arg) -> Result<Vec<OsString>, String> {
        match self {
            Given::One(word) => Ok(vec![word]),
            Given::List(words) if takes_many(arg) => Ok(words),
            Given::List(words) if values::is_list(arg) => {
                Ok(vec![words.join(&OsString::from(","))])
            }
            Given::List(_) => Err("write one value, not a list".to_owned()),
        }
    }
}

impl ConfigFile {
    /// The file that was named on the command line or in the environment, or the user's own if it is there.
    pub fn open(command: &Command, named: Option<PathBuf>) -> Result<Self, String> {
        let named = named.or_else(|| variable("config").map(|(_, path)| path.into()));
        let path = match &named {
            Some(path) => path.clone(),
            None => match user_config() {
                Some(path) if path.is_file() => path,
                _ => return Ok(ConfigFile::none()),
            },
        };
        let text =
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(command, path, &text)
    }

    fn none() -> Self {
        ConfigFile {
            path: PathBuf::new(),
            values: HashMap::new(),
        }
    }

    fn parse(command: &Command, path: PathBuf, text: &str) -> Result<Self, String> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map_or(1, |span| {
                1 + text[..span.start.min(text.len())].matches('\n').count()
            });
            format!("{}: line {line}: {}", path.display(), error.message())
        })?;
        let mut values = HashMap::new();
        for (key, value) in table {
            let given = Given::of(&value).ok_or_else(|| {
                format!(
                    "{}: {key}: write a string, a number, true or false, or a list of these",
                    path.display()
                )
            })?;
            let name = canonical(command, &key);
            if values.insert(name, (key.clone(), given)).is_some() {
                return Err(format!("{}: {key} is there twice", path.display()));
            }
        }
        Ok(ConfigFile { path, values })
    }

    pub fn take(&mut self, long: &str) -> Option<Given> {
        self.values.remove(long).map(|(_, value)| value)
    }

    /// Refuses keys that are no flags.
    pub fn nothing_left(&self, command: &Command) -> Result<(), String> {
        let Some(key) = self.values.values().map(|(key, _)| key).min() else {
            return Ok(());
        };
        let hint = nearest(command, key)
            .map(|name| format!("; did you mean {name}?"))
            .unwrap_or_default();
        Err(format!(
            "{}: {key} is no flag of transcribe{hint}",
            self.path.display()
        ))
    }
}

/// A key's flag by its name: with underscores, and for an alias what it is an alias of.
fn canonical(command: &Command, key: &str) -> String {
    let name = key.replace('-', "_");
    let named = settable(command).find(|arg| {
        let aliases = arg.get_all_aliases().unwrap_or_default();
        arg.get_long() == Some(name.as_str()) || aliases.contains(&name.as_str())
    });
    named.and_then(Arg::get_long).unwrap_or(&name).to_owned()
}

/// `whisper-rs/config.toml` in the folder where the system keeps a user's settings.
fn user_config() -> Option<PathBuf> {
    let folder = |variable: &str| env::var_os(variable).filter(|value| !value.is_empty());
    let base = if cfg!(windows) {
        PathBuf::from(folder("APPDATA")?)
    } else if let Some(config) = folder("XDG_CONFIG_HOME") {
        PathBuf::from(config)
    } else if cfg!(target_os = "macos") {
        Path::new(&folder("HOME")?).join("Library/Application Support")
    } else {
        Path::new(&folder("HOME")?).join(".config")
    };
    Some(base.join("whisper-rs").join("config.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command;
    use crate::cli::testing::{corpus, transcribe};

    fn parse(text: &str) -> Result<ConfigFile, String> {
        let command = command();
        let transcribe = command.find_subcommand("transcribe").unwrap();
        ConfigFile::parse(transcribe, PathBuf::from("config.toml"), text)
    }

    #[test]
    fn values_are_words_of_the_command_line() {
        let mut config = parse(
            "model = 'tiny.en'\nbeam-size = 3\nlogprob_threshold = -0.5\nword_timestamps = true\n\
             output_format = ['srt', 'json']\nclip_timestamps = [1, 2.5]\nnormalize = 'peak'\n\
             output_file = ['a,b', 'c']\ninitial_prompt = ['a', 'b']\n",
        )
        .unwrap();
        let command = command();
        let transcribe = command.find_subcommand("transcribe").unwrap();
        let mut words = |flag: &str| {
            let arg = settable(transcribe).find(|arg| arg.get_long() == Some(flag));
            let words = config.take(flag).unwrap().words_for(arg.unwrap())?;
            let words = words.iter().map(|word| word.to_str().unwrap());
            Ok::<_, String>(words.collect::<Vec<_>>().join(" "))
        };
        for (flag, word) in [
            ("model", "tiny.en"),
            ("beam_size", "3"),
            ("logprob_threshold", "-0.5"),
            ("word_timestamps", "True"),
            ("output_format", "srt json"),
            ("output_file", "a,b c"),
            ("clip_timestamps", "1,2.5"),
            ("normalise", "peak"),
        ] {
            assert_eq!(words(flag).unwrap(), word, "{flag}");
        }
        assert!(words("initial_prompt").unwrap_err().contains("one value"));
        assert!(config.take("language").is_none());
    }

    #[test]
    fn mistakes_in_a_file_are_told_with_their_place() {
        for (text, says) in [
            ("beam_size = ", "line 1"),
            ("model = 'base'\nbeam_size 5", "line 2"),
            ("beam_size = 2020-01-01", "beam_size: write"),
            ("output_format = [['srt']]", "output_format: write"),
            ("beam_size = 1\nbeam-size = 2", "twice"),
        ] {
            let message = parse(text).err().unwrap();
            assert!(
                message.starts_with("config.toml: ") && message.contains(says),
                "{message}"
            );
            assert!(!message.contains('\n'), "{message}");
        }
        let command = command();
        let transcribe = command.find_subcommand("transcribe").unwrap();
        let unknown = parse("beam_sise = 5").unwrap().nothing_left(transcribe);
        assert_eq!(
            unknown.unwrap_err(),
            "config.toml: beam_sise is no flag of transcribe; did you mean beam_size?"
        );
    }

    /// Any bytes are a config that can be printed and read again, or are refused by one line that names the file.
    #[test]
    fn the_corpus_of_configs() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.toml");
        let flag = format!("--config={}", config.display());
        for (path, bytes) in corpus("config") {
            fs::write(&config, bytes).unwrap();
            let told = transcribe(&[&flag, "--print_config"]).unwrap_err();
            match told.strip_prefix("printed ") {
                Some(printed) => drop(printed.parse::<Table>().unwrap()),
                None => assert!(
                    told.starts_with(&*config.display().to_string()) && !told.contains('\n'),
                    "{path}: {told}"
                ),
            }
        }
    }
}
