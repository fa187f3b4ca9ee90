//! The values that openai/whisper's flags take: the words True and False, None, numbers, languages.
//!
//! (openai/whisper: `utils.py`, `str2bool`, `optional_int`, `optional_float`.)

use std::any::TypeId;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{OsStringValueParser, TypedValueParser, ValueParser, ValueParserFactory};
use regex::Regex;
use whisper_rs::TranscribeOptions;
use whisper_rs::audio::RawFormat;
use whisper_rs::tokenizer::languages;

/// A value that may be the word `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Optional<T>(pub Option<T>);

impl<T: FromStr> FromStr for Optional<T> {
    type Err = T::Err;

    fn from_str(word: &str) -> Result<Self, T::Err> {
        if word.eq_ignore_ascii_case("none") {
            return Ok(Optional(None));
        }
        word.parse().map(|value| Optional(Some(value)))
    }
}

impl<T: fmt::Display> fmt::Display for Optional<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("None"),
        }
    }
}

/// Values with commas between; none where the word is empty.
#[derive(Debug, Clone, PartialEq)]
pub struct List<T>(pub Vec<T>);

impl<T: FromStr> FromStr for List<T> {
    type Err = T::Err;

    fn from_str(word: &str) -> Result<Self, T::Err> {
        if word.trim().is_empty() {
            return Ok(List(Vec::new()));
        }
        let values = word.split(',').map(|value| value.trim().parse());
        values.collect::<Result<_, _>>().map(List)
    }
}

/// The type alone says what is a threshold: a number or `None`.
impl ValueParserFactory for Optional<f64> {
    type Parser = ValueParser;

    fn value_parser() -> ValueParser {
        ValueParser::new(threshold)
    }
}

/// The type alone says what is a whole number or `None`.
impl ValueParserFactory for Optional<usize> {
    type Parser = ValueParser;

    fn value_parser() -> ValueParser {
        ValueParser::new(optional_whole_number)
    }
}

/// The type alone says what is a text or None.
impl ValueParserFactory for Optional<String> {
    type Parser = ValueParser;

    fn value_parser() -> ValueParser {
        ValueParser::new(|word: &str| word.parse::<Self>())
    }
}

/// The type alone says what is a path, which need not be UTF-8, or None.
impl ValueParserFactory for Optional<PathBuf> {
    type Parser = ValueParser;

    fn value_parser() -> ValueParser {
        OsStringValueParser::new().map(optional_path).into()
    }
}

/// A path, or `None`.
fn optional_path(word: OsString) -> Optional<PathBuf> {
    let none = word.eq_ignore_ascii_case("none");
    Optional((!none).then(|| PathBuf::from(word)))
}

/// How the help writes what a boolean flag takes.
pub const BOOLEAN: &str = "True|False";

/// Whether a flag's one value is a list, with commas between.
pub fn is_list(arg: &clap::Arg) -> bool {
    let parsed = arg.get_value_parser().type_id();
    parsed == TypeId::of::<List<f64>>() || parsed == TypeId::of::<List<i64>>()
}

/// Whether a flag may stand without a value, as booleans may.
pub fn may_stand_alone(arg: &clap::Arg) -> bool {
    arg.get_num_args()
        .is_some_and(|count| count.min_values() == 0)
}

/// `True`, `False`, or what fits the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    Auto,
    Yes,
    No,
}

/// `auto`, `True` or `False`, in any case.
pub fn choice(word: &str) -> Result<Choice, String> {
    if word.eq_ignore_ascii_case("auto") {
        return Ok(Choice::Auto);
    }
    match boolean(word) {
        Ok(true) => Ok(Choice::Yes),
        Ok(false) => Ok(Choice::No),
        Err(_) => Err("write auto, True or False".to_owned()),
    }
}

/// A number of threads; `None` is 0.
pub fn threads(word: &str) -> Result<usize, String> {
    const MOST: usize = 1024;
    match word.parse() {
        Ok(Optional(None)) => Ok(0),
        Ok(Optional(Some(threads))) if threads <= MOST => Ok(threads),
        _ => Err(format!("write a whole number from 0 to {MOST}")),
    }
}

/// `True` or `False`, in any case.
pub fn boolean(word: &str) -> Result<bool, String> {
    match word.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("write True or False".to_owned()),
    }
}

/// A threshold: a number or `None`. Infinities are numbers here; NaN, against which every comparison fails, is not.
pub fn threshold(word: &str) -> Result<Optional<f64>, String> {
    match word.parse() {
        Ok(Optional(Some(number))) if f64::is_nan(number) => {
            Err("write a number, or None".to_owned())
        }
        Ok(value) => Ok(value),
        Err(_) => Err("write a number, or None".to_owned()),
    }
}

/// A number. Infinities are no numbers here.
pub fn number(word: &str) -> Result<f64, String> {
    match word.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err("write a number".to_owned()),
    }
}

/// A whole number from 0 up.
pub fn whole_number(word: &str) -> Result<usize, String> {
    word.parse()
        .map_err(|_| "write a whole number from 0 up".to_owned())
}

/// A whole number from 0 up, or `None`.
pub fn optional_whole_number(word: &str) -> Result<Optional<usize>, String> {
    word.parse()
        .map_err(|_| "write a whole number from 0 up, or None".to_owned())
}

/// A sampling temperature.
pub fn temperature(word: &str) -> Result<f64, String> {
    match word.parse::<f64>() {
        Ok(number) if number >= 0.0 && number.is_finite() => Ok(number),
        _ => Err("write a number from 0 up".to_owned()),
    }
}

/// The smallest step between temperatures: from 0 to 1 in such steps are as many as the library takes.
const SMALLEST_INCREMENT: f64 = 0.01;

/// The step between the temperatures of a fallback: a number from 0.01 up, or `None`, which is 0 in whisper-cli.
pub fn temperature_increment(word: &str) -> Result<Optional<f64>, String> {
    match word.parse() {
        Ok(Optional(Some(0.0))) => Ok(Optional(None)),
        Ok(Optional(None)) => Ok(Optional(None)),
        Ok(Optional(Some(step))) if step >= SMALLEST_INCREMENT && f64::is_finite(step) => {
            Ok(Optional(Some(step)))
        }
        _ => Err(format!(
            "write a number from {SMALLEST_INCREMENT} up, or None"
        )),
    }
}

/// A count of beams or samples, or `None`, which is -1 in whisper-cli.
pub fn count(word: &str) -> Result<Optional<usize>, String> {
    const MOST: usize = TranscribeOptions::MAX_ROWS;
    match word.parse() {
        _ if word == "-1" => Ok(Optional(None)),
        Ok(Optional(None)) => Ok(Optional(None)),
        Ok(Optional(Some(count))) if (1..=MOST).contains(&count) => Ok(Optional(Some(count))),
        _ => Err(format!("write a whole number from 1 to {MOST}, or None")),
    }
}

/// The seed of the draws.
pub fn seed(word: &str) -> Result<u64, String> {
    word.parse()
        .map_err(|_| format!("write a whole number from 0 to {}", u64::MAX))
}

/// Token ids, and -1 for most symbols. Empty is none, as in openai/whisper.
pub fn token_ids(word: &str) -> Result<List<i64>, String> {
    word.parse()
        .map_err(|_| "write token ids with commas between, -1 for most symbols".to_owned())
}

/// A regular expression that whole texts match, or `None`.
pub fn whole_text(word: &str) -> Result<Optional<Regex>, String> {
    if word.eq_ignore_ascii_case("none") {
        return Ok(Optional(None));
    }
    // What it says of a mistake has many lines, the last of which is the reason.
    let reason = |error: regex::Error| {
        let said = error.to_string();
        let last = said.lines().next_back().unwrap_or_default();
        format!(
            "write a regular expression: {}",
            last.trim_start_matches("error: ")
        )
    };
    // Alone first: in brackets, those of a broken one might match.
    Regex::new(word).map_err(reason)?;
    let whole = Regex::new(&format!("^(?:{word})$")).map_err(reason)?;
    Ok(Optional(Some(whole)))
}

/// What samples without a header are, or `None`.
pub fn raw_format(word: &str) -> Result<Optional<RawFormat>, <RawFormat as FromStr>::Err> {
    word.parse()
}

/// Starts and ends of clips in seconds.
pub fn times(word: &str) -> Result<List<f64>, String> {
    word.parse()
        .map_err(|_| "write seconds with commas between".to_owned())
}

/// A language by code or English name, as openai/whisper's code for it; `None` and `auto` ask for detection.
pub fn language(word: &str) -> Result<Optional<&'static str>, String> {
    if word.eq_ignore_ascii_case("none") || word.eq_ignore_ascii_case("auto") {
        return Ok(Optional(None));
    }
    match languages::parse_language(word) {
        Ok(code) => Ok(Optional(Some(code))),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_words_in_any_case() {
        assert_eq!(boolean("True"), Ok(true));
        assert_eq!(boolean("false"), Ok(false));
        assert!(boolean("yes").is_err());
        assert!(boolean("").is_err());
    }

    #[test]
    fn none_is_a_value_and_nan_is_not() {
        assert_eq!(threshold("None"), Ok(Optional(None)));
        assert_eq!(threshold("-1.0"), Ok(Optional(Some(-1.0))));
        assert_eq!(threshold("inf"), Ok(Optional(Some(f64::INFINITY))));
        assert!(threshold("NaN").is_err());
        assert!(threshold("high").is_err());
    }

    #[test]
    fn numbers_are_finite_and_whole_ones_not_negative() {
        assert_eq!(number("-1.5"), Ok(-1.5));
        assert_eq!(whole_number("0"), Ok(0));
        assert_eq!(optional_whole_number("None"), Ok(Optional(None)));
        assert_eq!(optional_whole_number("7"), Ok(Optional(Some(7))));
        for word in ["nan", "inf", "", "much"] {
            assert!(number(word).is_err(), "{word}");
        }
        for word in ["-1", "1.5", "", "many"] {
            assert!(
                whole_number(word).is_err() && optional_whole_number(word).is_err(),
                "{word}"
            );
        }
    }

    #[test]
    fn counts_start_at_one() {
        assert_eq!(count("5"), Ok(Optional(Some(5))));
        assert_eq!(count("none"), Ok(Optional(None)));
        assert_eq!(count("-1"), Ok(Optional(None)));
        assert_eq!(count("64"), Ok(Optional(Some(64))));
        for word in ["0", "-2", "2.5", "", "65", "1000000000000"] {
            assert!(count(word).is_err(), "{word}");
        }
    }

    #[test]
    fn a_seed_is_a_whole_number() {
        assert_eq!(seed("0"), Ok(0));
        assert_eq!(seed("18446744073709551615"), Ok(u64::MAX));
        for word in ["-1", "1.5", "", "18446744073709551616"] {
            assert!(seed(word).is_err(), "{word}");
        }
    }

    #[test]
    fn lists_have_commas_and_may_be_empty() {
        assert_eq!(token_ids("-1, 50"), Ok(List(vec![-1, 50])));
        assert_eq!(token_ids(""), Ok(List(vec![])));
        assert_eq!(times("0,1.5"), Ok(List(vec![0.0, 1.5])));
        for word in ["a", "1;2", "1,,2", "1,"] {
            assert!(token_ids(word).is_err() && times(word).is_err(), "{word}");
        }
    }

    #[test]
    fn regular_expressions_match_whole_texts() {
        let digits = whole_text(" ?[0-9]+|%").unwrap().0.unwrap();
        assert!(digits.is_match(" 42") && digits.is_match("%"));
        assert!(!digits.is_match(" 42nd") && !digits.is_match("a 42"));
        for word in ["[0-9", ")(", "*"] {
            let message = whole_text(word).unwrap_err();
            assert!(!message.contains('\n') && message.len() > 30, "{message}");
        }
        assert!(whole_text("None").unwrap().0.is_none());
    }

    #[test]
    fn temperatures_and_their_step_are_in_range() {
        assert_eq!(temperature("0"), Ok(0.0));
        assert_eq!(temperature("1.5"), Ok(1.5));
        for word in ["-0.1", "inf", "nan", "hot"] {
            assert!(temperature(word).is_err(), "{word}");
        }
        assert_eq!(temperature_increment("0.2"), Ok(Optional(Some(0.2))));
        assert_eq!(temperature_increment("0.01"), Ok(Optional(Some(0.01))));
        assert_eq!(temperature_increment("0.0"), Ok(Optional(None)));
        for word in ["-0.2", "inf", "nan", "1e-300", "1e-12", "0.009"] {
            assert!(temperature_increment(word).is_err(), "{word}");
        }
    }

    #[test]
    fn languages_go_by_code_or_name() {
        for word in ["fr", "French", "french"] {
            assert_eq!(language(word), Ok(Optional(Some("fr"))), "{word}");
        }
        assert_eq!(language("auto"), Ok(Optional(None)));
        assert!(language("Klingon").is_err());
    }
}
