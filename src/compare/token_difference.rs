//! How the tokens of two transcripts differ.

use std::ops::Range;

use super::alignment::{Edit, align};
use super::timed_text::TextToken;
use super::word_error_rate::ErrorCounts;

/// The tokens of two transcripts, aligned. Timestamps count as other tokens do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenDifference {
    /// Tokens that are the same and that are not.
    pub counts: ErrorCounts,
    /// The stretches that differ, in order.
    pub stretches: Vec<TokenStretch>,
}

/// Neighbouring tokens that differ. One of the two may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenStretch {
    /// Place of the first token in the reference, counted from 0.
    pub at: usize,
    /// The tokens of the reference.
    pub reference: Vec<TextToken>,
    /// The tokens of the hypothesis.
    pub hypothesis: Vec<TextToken>,
}

impl TokenDifference {
    /// `None` unless both have tokens.
    pub(super) fn of(reference: &[TextToken], hypothesis: &[TextToken]) -> Option<Self> {
        if reference.is_empty() || hypothesis.is_empty() {
            return None;
        }
        let ids = |tokens: &[TextToken]| tokens.iter().map(|token| token.id).collect::<Vec<_>>();
        let edits = align(&ids(reference), &ids(hypothesis));
        let mut stretches = Vec::new();
        let (mut i, mut j) = (0, 0);
        for stretch in edits.chunk_by(|a, b| (*a == Edit::Hit) == (*b == Edit::Hit)) {
            let [said, heard] = [Edit::Insertion, Edit::Deletion]
                .map(|lacks| stretch.iter().filter(|&&edit| edit != lacks).count());
            if stretch[0] != Edit::Hit {
                let tokens = |tokens: &[TextToken], range: Range<usize>| tokens[range].to_vec();
                stretches.push(TokenStretch {
                    at: i,
                    reference: tokens(reference, i..i + said),
                    hypothesis: tokens(hypothesis, j..j + heard),
                });
            }
            i += said;
            j += heard;
        }
        Some(Self {
            counts: ErrorCounts::of(edits),
            stretches,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(ids: &[u32]) -> Vec<TextToken> {
        let token = |&id: &u32| TextToken { id, text: None };
        ids.iter().map(token).collect()
    }

    #[test]
    fn neighbours_that_differ_are_one_stretch() {
        let found = TokenDifference::of(&tokens(&[1, 2, 3, 4, 5]), &tokens(&[1, 9, 8, 7, 4, 5, 6]));
        let found = found.unwrap();
        assert_eq!((found.counts.hits, found.counts.errors()), (3, 4));
        let stretch = |at, reference: &[u32], hypothesis: &[u32]| TokenStretch {
            at,
            reference: tokens(reference),
            hypothesis: tokens(hypothesis),
        };
        let expected = [stretch(1, &[2, 3], &[9, 8, 7]), stretch(5, &[], &[6])];
        assert_eq!(found.stretches, expected);
    }

    #[test]
    fn without_tokens_there_is_nothing_to_say() {
        assert_eq!(TokenDifference::of(&tokens(&[1]), &[]), None);
        let same = TokenDifference::of(&tokens(&[1]), &tokens(&[1])).unwrap();
        assert!(same.stretches.is_empty());
    }
}
