//! Defaults of one's own: a config file and environment variables, behind the command line and before the built-in
//! defaults.

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use toml::{Table, Value};

use super::{alike, values};

/// Begins the name of each environment variable: `WHISPER_RS_BEAM_SIZE` is `--beam_size`.
const PREFIX: &str = "WHISPER_RS_";
/// Variables with that beginning that are no flags: the cache's folder, which the library reads, and the config file.
const OTHER_VARIABLES: [&str; 2] = ["CACHE", "CONFIG"];
/// Flags that are no settings.
const NO_SETTINGS: [&str; 4] = ["config", "print_config", "help", "version"];

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    CommandLine,
    Environment(String),
    Config(PathBuf),
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::CommandLine => f.write_str("command line"),
            Source::Environment(variable) => f.write_str(variable),
            Source::Config(path) => path.display().fmt(f),
            Source::Default => f.write_str("default"),
        }
    }
}

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
        let mut config = Config::open(command, named)?;
        let mut settings = Vec::new();
        for arg in settable(command) {
            let Some(long) = arg.get_long() else { continue };
            let in_config = config.take(long);
            if on_command_line(arg) {
                continue;
            }
            let (values, source) = match (variable(long), in_config) {
                (Some((name, value)), _) => (vec![value], Source::Environment(name)),
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
    let in_config = || match Config::open(command, config).ok()?.take(long)? {
        Given::One(word) => Some(word),
        Given::List(_) => None,
    };
    (variable(long).map(|(_, value)| value)).or_else(in_config)
}

/// A flag's environment variable and its value; none where it is empty, as if it were not there.
fn variable(long: &str) -> Option<(String, OsString)> {
    let name = format!("{PREFIX}{}", long.to_ascii_uppercase());
    let value = env::var_os(&name).filter(|value| !value.is_empty())?;
    Some((name, value))
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

/// A word as TOML writes it: numbers and truth values as such where they are read as the same word again, else a string.
fn as_toml(word: &str) -> String {
    match word {
        "True" => return "true".to_owned(),
        "False" => return "false".to_owned(),
        _ => {}
    }
    let number = word.parse::<Value>().ok();
    let same = number.is_some_and(|number| as_word(&number).is_some_and(|again| again == word));
    match same {
        true => word.to_owned(),
        false => quoted(word),
    }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => {
                quoted += &format!("\\u{:04X}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted + "\""
}

/// The keys of a config file that are not taken yet.
struct Config {
    path: PathBuf,
    /// By the flag's name: the key as it is written, and its value.
    values: HashMap<String, (String, Given)>,
}

/// A key's value in words of the command line.
enum Given {
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
    fn words_for(self, arg: &Arg) -> Result<Vec<OsString>, String> {
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

impl Config {
    /// The file that was named on the command line or in the environment, or the user's own if it is there.
    fn open(command: &Command, named: Option<PathBuf>) -> Result<Self, String> {
        let named = named.or_else(|| variable("config").map(|(_, path)| path.into()));
        let path = match &named {
            Some(path) => path.clone(),
            None => match user_config() {
                Some(path) if path.is_file() => path,
                _ => return Ok(Config::none()),
            },
        };
        let text =
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(command, path, &text)
    }

    fn none() -> Self {
        Config {
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
        Ok(Config { path, values })
    }

    fn take(&mut self, long: &str) -> Option<Given> {
        self.values.remove(long).map(|(_, value)| value)
    }

    /// Refuses keys that are no flags.
    fn nothing_left(&self, command: &Command) -> Result<(), String> {
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

/// A value as a word of the command line; none of what is no single value.
fn as_word(value: &Value) -> Option<OsString> {
    Some(match value {
        Value::String(text) => text.into(),
        Value::Integer(number) => number.to_string().into(),
        Value::Float(number) => format!("{number:?}").into(),
        Value::Boolean(true) => "True".into(),
        Value::Boolean(false) => "False".into(),
        Value::Array(_) | Value::Datetime(_) | Value::Table(_) => return None,
    })
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
    use super::super::command;
    use super::super::testing::{corpus, transcribe};
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        let command = command();
        let transcribe = command.find_subcommand("transcribe").unwrap();
        Config::parse(transcribe, PathBuf::from("config.toml"), text)
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

    #[test]
    fn printed_values_are_toml() {
        for (word, printed) in [
            ("5", "5"),
            ("-1.0", "-1.0"),
            ("True", "true"),
            ("None", "\"None\""),
            ("\"'“¿([{-", "\"\\\"'“¿([{-\""),
            ("a\\b\n", "\"a\\\\b\\u000A\""),
            ("0,1.5", "\"0,1.5\""),
            // Numbers that TOML would write in another way.
            ("0x10", "\"0x10\""),
            ("1_000", "\"1_000\""),
            ("-1.00", "\"-1.00\""),
            ("+5", "\"+5\""),
            ("true", "\"true\""),
        ] {
            assert_eq!(as_toml(word), printed);
            let table: Table = format!("key = {printed}").parse().unwrap();
            let read = as_word(&table["key"]).unwrap();
            assert_eq!(read.to_str().unwrap(), word);
        }
    }

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
