//! Word and character error rates.

use std::collections::HashMap;
use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

use super::alignment::{Edit, align};
use super::characters::words;

/// How many units (words or characters) were right and wrong. Counts add up: the error rate of a corpus is the rate of
/// the sum of its texts' counts, so that a long text weighs more than a short one.
///
/// ```
/// use whisper_rs::compare::{ErrorCounts, word_errors};
///
/// let corpus = [("the cat sat", "the hat sat"), ("so it goes", "and so it goes")];
/// let sum: ErrorCounts = corpus.iter().map(|(said, heard)| word_errors(said, heard)).sum();
/// assert_eq!((sum.hits, sum.substitutions, sum.insertions, sum.deletions), (5, 1, 1, 0));
/// assert_eq!(sum.rate(), Some(2.0 / 6.0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ErrorCounts {
    /// Units that are the same in both.
    pub hits: usize,
    /// Units of the reference that are others in the hypothesis.
    pub substitutions: usize,
    /// Units of the reference that the hypothesis lacks.
    pub deletions: usize,
    /// Units that the hypothesis alone has.
    pub insertions: usize,
}

impl ErrorCounts {
    /// Counts of an alignment.
    pub fn of(edits: impl IntoIterator<Item = Edit>) -> Self {
        let mut counts = Self::default();
        for edit in edits {
            match edit {
                Edit::Hit => counts.hits += 1,
                Edit::Substitution => counts.substitutions += 1,
                Edit::Deletion => counts.deletions += 1,
                Edit::Insertion => counts.insertions += 1,
            }
        }
        counts
    }

    /// Substitutions, deletions and insertions together.
    pub fn errors(&self) -> usize {
        self.substitutions + self.deletions + self.insertions
    }

    /// Units of the reference.
    pub fn reference_len(&self) -> usize {
        self.hits + self.substitutions + self.deletions
    }

    /// Units of the hypothesis.
    pub fn hypothesis_len(&self) -> usize {
        self.hits + self.substitutions + self.insertions
    }

    /// Errors per unit of the reference: 0 is perfect, and insertions can bring it above 1.
    ///
    /// `None` for an empty reference, which has no rate, whatever the hypothesis is. In a corpus what is inserted where
    /// nothing was said counts as errors, and only a corpus without a word has no rate. (jiwer gives the number of
    /// insertions as the rate of an empty reference.)
    pub fn rate(&self) -> Option<f64> {
        match self.reference_len() {
            0 => None,
            units => Some(self.errors() as f64 / units as f64),
        }
    }

    /// The [`rate`](Self::rate) as people read it: `9.06 %`.
    pub fn percent(&self) -> Option<String> {
        self.rate().map(|rate| format!("{:.2} %", rate * 100.0))
    }
}

impl Add for ErrorCounts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            hits: self.hits + other.hits,
            substitutions: self.substitutions + other.substitutions,
            deletions: self.deletions + other.deletions,
            insertions: self.insertions + other.insertions,
        }
    }
}

impl AddAssign for ErrorCounts {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for ErrorCounts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), Add::add)
    }
}

/// A word of the reference beside that of the hypothesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlignedWord<'a> {
    /// What happened to the word.
    pub edit: Edit,
    /// The word that was said; none for an insertion.
    pub reference: Option<&'a str>,
    /// The word that was written; none for a deletion.
    pub hypothesis: Option<&'a str>,
}

/// The words of two texts side by side, in order, with as few errors as can be ([`align`] says which of several such
/// alignments).
///
/// Words are what white space parts, compared as they are: give the texts through a normaliser first.
pub fn align_words<'a>(reference: &'a str, hypothesis: &'a str) -> Vec<AlignedWord<'a>> {
    let reference: Vec<_> = words(reference).collect();
    let hypothesis: Vec<_> = words(hypothesis).collect();
    let edits = align_interned(&reference, &hypothesis);
    let (mut reference, mut hypothesis) = (reference.into_iter(), hypothesis.into_iter());
    let aligned = edits.into_iter().map(|edit| AlignedWord {
        edit,
        reference: (edit != Edit::Insertion)
            .then(|| reference.next())
            .flatten(),
        hypothesis: (edit != Edit::Deletion)
            .then(|| hypothesis.next())
            .flatten(),
    });
    aligned.collect()
}

/// The errors of a hypothesis, in words.
///
/// Words are what white space parts, compared as they are: give the texts through a normaliser first.
pub fn word_errors(reference: &str, hypothesis: &str) -> ErrorCounts {
    let reference: Vec<_> = words(reference).collect();
    let hypothesis: Vec<_> = words(hypothesis).collect();
    ErrorCounts::of(align_interned(&reference, &hypothesis))
}

/// The errors of a hypothesis, in characters (Unicode scalar values), the spaces between words included.
///
/// White space at the ends does not count. For letters with their marks, or without spaces, let
/// [`BasicTextNormalizer::split_letters`](super::BasicTextNormalizer::split_letters) make each a word, and count words.
pub fn character_errors(reference: &str, hypothesis: &str) -> ErrorCounts {
    let characters = |text| crate::text::python_strip(text).chars().collect::<Vec<_>>();
    ErrorCounts::of(align(&characters(reference), &characters(hypothesis)))
}

/// Aligns words by number, which compare faster than strings.
pub(super) fn align_interned(reference: &[&str], hypothesis: &[&str]) -> Vec<Edit> {
    let mut numbers = HashMap::new();
    let [reference, hypothesis] = [reference, hypothesis].map(|words| {
        let number = |&word| {
            let next = numbers.len() as u32;
            *numbers.entry(word).or_insert(next)
        };
        words.iter().map(number).collect::<Vec<_>>()
    });
    align(&reference, &hypothesis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_without_words_has_no_rate() {
        assert_eq!(word_errors("", "").rate(), None);
        let inserted = word_errors(" ", "thank you");
        assert_eq!((inserted.insertions, inserted.rate()), (2, None));
        let corpus = inserted + word_errors("one two", "");
        assert_eq!(corpus.rate(), Some(2.0));
        assert_eq!((corpus.reference_len(), corpus.hypothesis_len()), (2, 2));
    }

    #[test]
    fn words_stand_side_by_side() {
        let aligned = align_words("so  it goes on", "it went on and");
        let rows = aligned
            .iter()
            .map(|word| (word.edit, word.reference, word.hypothesis));
        assert_eq!(
            rows.collect::<Vec<_>>(),
            [
                (Edit::Deletion, Some("so"), None),
                (Edit::Hit, Some("it"), Some("it")),
                (Edit::Substitution, Some("goes"), Some("went")),
                (Edit::Hit, Some("on"), Some("on")),
                (Edit::Insertion, None, Some("and")),
            ]
        );
    }

    #[test]
    fn characters_count_inner_spaces() {
        let counts = character_errors(" a b\n", "ab");
        assert_eq!((counts.hits, counts.deletions, counts.errors()), (2, 1, 1));
    }
}
