//! The errors of a transcript, in words and in characters.

use std::iter::Sum;
use std::ops::Add;

use serde::{Deserialize, Serialize};

use crate::compare::{
    BasicTextNormalizer, EnglishTextNormalizer, ErrorCounts, character_errors, word_errors,
};

/// Languages that are written without spaces: their letters are counted in the place of words, as in the Whisper paper
/// (Radford et al. 2022, section 4.4).
const WITHOUT_SPACES: [&str; 6] = ["zh", "yue", "ja", "th", "lo", "my"];

/// The errors of one transcript, or of many together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// In words; in letters for languages that are written without spaces.
    pub words: ErrorCounts,
    /// In characters, the spaces between words included where there are such.
    pub characters: ErrorCounts,
}

impl Score {
    /// The errors of a transcript in a language, given by its code, after openai/whisper's normalisers: English has its own,
    /// and the basic one is for all others and where the language is not known.
    pub fn of(said: &str, transcribed: &str, language: Option<&str>) -> Self {
        let [said, transcribed] = [said, transcribed].map(|text| normalize(text, language));
        if !is_without_spaces(language) {
            return Self {
                words: word_errors(&said, &transcribed),
                characters: character_errors(&said, &transcribed),
            };
        }
        let letters = [&said, &transcribed].map(|text| text.replace(' ', ""));
        Self {
            words: word_errors(&said, &transcribed),
            characters: character_errors(&letters[0], &letters[1]),
        }
    }
}

/// A text as transcripts in a language, given by its code, are compared: openai/whisper's normaliser for English, the basic one
/// for others, with a space between any two letters of languages that are written without spaces.
pub fn normalize(text: &str, language: Option<&str>) -> String {
    let split_letters = is_without_spaces(language);
    let basic = BasicTextNormalizer {
        split_letters,
        ..BasicTextNormalizer::default()
    };
    match language {
        Some("en") => EnglishTextNormalizer.normalize(text),
        _ => basic.normalize(text),
    }
}

fn is_without_spaces(language: Option<&str>) -> bool {
    language.is_some_and(|language| WITHOUT_SPACES.contains(&language))
}

impl Add for Score {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            words: self.words + other.words,
            characters: self.characters + other.characters,
        }
    }
}

impl Sum for Score {
    fn sum<I: Iterator<Item = Self>>(scores: I) -> Self {
        scores.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_is_counted_in_its_own_units() {
        let english = Score::of("Twenty colours!", "20 color", Some("en"));
        assert_eq!(
            (english.words.errors(), english.words.reference_len()),
            (1, 2)
        );
        assert_eq!(
            (
                english.characters.errors(),
                english.characters.reference_len()
            ),
            (1, 9)
        );
        // Without its normaliser the number is another word.
        assert_eq!(
            Score::of("Twenty colours!", "20 color", None)
                .words
                .errors(),
            2
        );
        let chinese = Score::of("广州市。", "广洲 市", Some("zh"));
        assert_eq!(
            (chinese.words.errors(), chinese.words.reference_len()),
            (1, 3)
        );
        assert_eq!(chinese.words, chinese.characters);
    }

    #[test]
    fn scores_add_up() {
        let scores = [("a b", "a"), ("c", "c d")].map(|(said, heard)| Score::of(said, heard, None));
        let sum: Score = scores.into_iter().sum();
        assert_eq!(
            (sum.words.hits, sum.words.deletions, sum.words.insertions),
            (2, 1, 1)
        );
        assert_eq!(sum.characters.errors(), 4);
    }
}
