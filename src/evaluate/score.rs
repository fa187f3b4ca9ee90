//! The errors of a transcript, in words and in characters.

use std::iter::Sum;
use std::ops::Add;

use serde::{Deserialize, Serialize};

use crate::compare::{ErrorCounts, Normalizer, character_errors, word_errors};

/// The errors of one transcript, or of many together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Score {
    /// In words; in letters for languages that are written without spaces.
    pub words: ErrorCounts,
    /// In characters, the spaces between words included where there are such.
    pub characters: ErrorCounts,
}

impl Score {
    /// The errors of a transcript in a language, given by its code, after the [`Normalizer`] for it.
    pub fn of(said: &str, transcribed: &str, language: Option<&str>) -> Self {
        let normalizer = Normalizer::for_language(language);
        let [said, transcribed] = [said, transcribed].map(|text| normalizer.normalize(text));
        let words = word_errors(&said, &transcribed);
        Self {
            words,
            characters: match normalizer.splits_letters() {
                true => words,
                false => character_errors(&said, &transcribed),
            },
        }
    }
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
