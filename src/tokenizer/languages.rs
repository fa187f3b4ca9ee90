//! The languages that Whisper was trained on, in the order of their tokens.

use crate::error::{Error, Result};

pub use whisper_weights::LANGUAGES;

/// Further names that users give a language, and its code (openai/whisper tokenizer.py:114-128).
pub const ALIASES: [(&str, &str); 12] = [
    ("burmese", "my"),
    ("valencian", "ca"),
    ("flemish", "nl"),
    ("haitian", "ht"),
    ("letzeburgesch", "lb"),
    ("pushto", "ps"),
    ("panjabi", "pa"),
    ("moldavian", "ro"),
    ("moldovan", "ro"),
    ("sinhalese", "si"),
    ("castilian", "es"),
    ("mandarin", "zh"),
];

/// The code of a language given by its code, English name or alias, in any case: `"DE"`, `"German"` and `"german"` are `"de"`.
pub fn language_code(name_or_code: &str) -> Option<&'static str> {
    let wanted = name_or_code.trim().to_lowercase();
    LANGUAGES
        .iter()
        .find(|(code, name)| *code == wanted || *name == wanted)
        .map(|(code, _)| *code)
        .or_else(|| {
            ALIASES
                .iter()
                .find(|(name, _)| *name == wanted)
                .map(|(_, code)| *code)
        })
}

/// The English name of a language code: `"de"` is `"german"`.
pub fn language_name(code: &str) -> Option<&'static str> {
    LANGUAGES
        .iter()
        .find(|(known, _)| *known == code)
        .map(|(_, name)| *name)
}

/// The code of a language given by its code or English name: [`language_code`] with an error for those that nobody knows.
///
/// # Errors
///
/// [`Error::Language`] that suggests the nearest known language.
pub fn parse_language(name_or_code: &str) -> Result<&'static str> {
    language_code(name_or_code).ok_or_else(|| Error::Language(unknown(name_or_code)))
}

/// The message for a language that nobody knows.
fn unknown(given: &str) -> String {
    match nearest_name(given) {
        Some(name) => format!("'{given}' is not known; did you mean '{name}'?"),
        None => format!(
            "'{given}' is not known; give a code such as 'en' or an English name such as 'german'"
        ),
    }
}

/// The known name most like what was given, where there is one that is like it at all.
fn nearest_name(given: &str) -> Option<&'static str> {
    /// Below this Jaro-Winkler similarity a suggestion reads like a guess.
    const ALIKE: f64 = 0.75;
    let given = given.trim().to_lowercase();
    let names = LANGUAGES
        .iter()
        .map(|(_, name)| *name)
        .chain(ALIASES.iter().map(|(name, _)| *name));
    names
        .map(|name| (strsim::jaro_winkler(&given, name), name))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_names_and_aliases_in_any_case() {
        for (given, code) in [
            ("en", "en"),
            ("German", "de"),
            ("HAITIAN CREOLE", "ht"),
            ("haitian", "ht"),
            ("Mandarin", "zh"),
            ("castilian", "es"),
            ("YUE", "yue"),
            (" flemish ", "nl"),
        ] {
            assert_eq!(language_code(given), Some(code), "{given}");
        }
        assert_eq!(language_code("klingon"), None);
        assert_eq!(language_code(""), None);
    }

    #[test]
    fn every_name_and_alias_leads_to_a_listed_code() {
        for (code, name) in LANGUAGES {
            assert_eq!(language_code(name), Some(code));
            assert_eq!(language_code(code), Some(code));
            assert_eq!(language_name(code), Some(name));
        }
        for (name, code) in ALIASES {
            assert_eq!(language_code(name), Some(code));
            assert!(language_name(code).is_some());
        }
    }

    #[test]
    fn an_unknown_language_names_the_nearest() {
        let message = |given| parse_language(given).unwrap_err().to_string();
        assert!(
            message("germn").contains("did you mean 'german'?"),
            "{}",
            message("germn")
        );
        assert!(message("portugese").contains("'portuguese'"));
        assert!(
            message("xyzzy").contains("give a code"),
            "{}",
            message("xyzzy")
        );
    }
}
