//! Which normaliser fits a language.

use super::{BasicTextNormalizer, EnglishTextNormalizer};

/// Languages that Whisper knows and that write no spaces between words.
const WITHOUT_SPACES: [&str; 6] = ["zh", "ja", "th", "lo", "my", "yue"];

/// How texts are made comparable before their words are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Normalizer {
    /// openai/whisper's for English.
    English,
    /// openai/whisper's for all other languages.
    Basic(BasicTextNormalizer),
    /// Texts are compared as they are: case and punctuation count.
    None,
}

impl Normalizer {
    /// The normaliser for a language by its code: English's for `en`; for languages without spaces between words the basic
    /// one that makes each letter a word; for others, and where the language is not known, the basic one.
    pub fn for_language(code: Option<&str>) -> Self {
        match code {
            Some("en") => Self::English,
            code => Self::basic(code),
        }
    }

    /// The basic normaliser as it fits a language by its code.
    pub fn basic(code: Option<&str>) -> Self {
        Self::Basic(BasicTextNormalizer {
            split_letters: code.is_some_and(|code| WITHOUT_SPACES.contains(&code)),
            ..BasicTextNormalizer::default()
        })
    }

    /// The normalised text.
    pub fn normalize(&self, text: &str) -> String {
        match self {
            Self::English => EnglishTextNormalizer.normalize(text),
            Self::Basic(basic) => basic.normalize(text),
            Self::None => text.to_owned(),
        }
    }

    /// `english`, `basic` or `none`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::English => "english",
            Self::Basic(_) => "basic",
            Self::None => "none",
        }
    }

    /// Whether each letter is a word, so that word and character error rate are the same.
    pub fn splits_letters(&self) -> bool {
        matches!(self, Self::Basic(basic) if basic.split_letters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_has_its_normalizer() {
        for (code, text, normalized) in [
            (Some("en"), "Mr. Colour", "mister color"),
            (Some("de"), "Herr Müller!", "herr müller "),
            (Some("ja"), "広州", "広 州"),
            (None, "Mr. Colour", "mr colour"),
        ] {
            assert_eq!(Normalizer::for_language(code).normalize(text), normalized);
        }
        assert_eq!(Normalizer::None.normalize("A, b"), "A, b");
        assert_eq!(
            Normalizer::basic(Some("en")).normalize("Mr. Colour"),
            "mr colour"
        );
    }
}
