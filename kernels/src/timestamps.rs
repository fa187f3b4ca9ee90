//! Whisper's rules for timestamp tokens, where the logits are.

use std::ops::Range;

use burn::backend::Dispatch;
use burn::tensor::{Int, Tensor};

use crate::backends::SamplingOps;
use crate::host::sampling;

/// The tokens that the rules speak of. Text comes first in the vocabulary, then `end_of_text` and other marks, `no_timestamps`
/// among them, and timestamps last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampTokens {
    /// The first token that is not text.
    pub end_of_text: u32,
    /// The token that switches timestamps off; it is never sampled.
    pub no_timestamps: u32,
    /// The token of 0.00 s, first of the timestamps.
    pub begin: u32,
    /// The latest timestamp that may be sampled first, if not all may.
    pub latest_first: Option<u32>,
}

/// What the tokens sampled so far allow next: these, but for the token that switches timestamps off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedTokens {
    /// Of the tokens before the timestamps.
    pub text: Range<usize>,
    /// Of the timestamps.
    pub timestamps: Range<usize>,
}

impl TimestampTokens {
    /// What may follow `sampled` in a vocabulary of `n_vocab` tokens (openai/whisper, decoding.py:462-492).
    ///
    /// A timestamp is first. After a pair of timestamps comes text; after text and a timestamp comes its partner, or the
    /// end. Timestamps never decrease, and a segment has a length: only the partner of the timestamp that ends a segment
    /// may equal it.
    pub fn allowed(&self, sampled: &[u32], n_vocab: usize) -> AllowedTokens {
        let begin = self.begin as usize;
        let Some((&last, before)) = sampled.split_last() else {
            let latest = self.latest_first.map_or(usize::MAX, |token| token as usize);
            return AllowedTokens {
                text: begin..begin,
                timestamps: begin..n_vocab.min(latest.saturating_add(1)),
            };
        };
        let is_timestamp = |token: u32| token >= self.begin;
        // A lone first timestamp counts as a pair: text has to follow it.
        let after_timestamp = before.last().is_none_or(|&token| is_timestamp(token));
        let awaits_partner = is_timestamp(last) && !after_timestamp;
        let first_text = if awaits_partner { self.end_of_text } else { 0 };
        let latest = sampled.iter().rev().find(|&&token| is_timestamp(token));
        let first_timestamp = match latest {
            Some(_) if is_timestamp(last) && after_timestamp => n_vocab,
            Some(&latest) if awaits_partner => latest as usize,
            Some(&latest) => latest as usize + 1,
            None => begin,
        };
        AllowedTokens {
            text: first_text as usize..begin,
            timestamps: first_timestamp.min(n_vocab)..n_vocab,
        }
    }

    /// Forbids in one row of logits in the host's memory, `[n_vocab]`, what [`timestamp_rules`] forbids after these tokens.
    pub fn apply(&self, sampled: &[u32], logits: &mut [f32]) {
        sampling::timestamp_rules(logits, sampled, *self);
    }
}

/// Forbids, by negative infinity, what the rules for timestamps forbid after `step` sampled tokens, and then all text where
/// the timestamps together are more probable than the most probable text (openai/whisper, decoding.py:442-505).
///
/// The tokens sampled so far are read where they are, so they need not be known on the host.
///
/// # Shapes
///
/// - logits: `[rows, n_vocab]`
/// - sampled: `[rows, n]` of `i32` with `n >= step`, of which the first `step` columns have been sampled
/// - output: `[rows, n_vocab]`
///
/// # Panics
///
/// If the shapes do not fit, or the timestamps begin beyond the vocabulary.
pub fn timestamp_rules(
    logits: Tensor<2>,
    sampled: Tensor<2, Int>,
    step: usize,
    tokens: TimestampTokens,
) -> Tensor<2> {
    let [rows, n_vocab] = logits.dims();
    let [sampled_rows, capacity] = sampled.dims();
    assert!(
        rows == sampled_rows && step <= capacity && tokens.begin as usize <= n_vocab,
        "timestamp_rules: {step} tokens of {rows} rows of {n_vocab} logits, but [{sampled_rows}, {capacity}] were given, and {tokens:?}"
    );
    Tensor::from_dispatch(Dispatch::ruled_logits(
        logits.into_dispatch(),
        sampled.into_dispatch(),
        step,
        tokens,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts 0 to 3, the end of text 4, `no_timestamps` 5, timestamps from 6 to 15.
    const TOKENS: TimestampTokens = TimestampTokens {
        end_of_text: 4,
        no_timestamps: 5,
        begin: 6,
        latest_first: Some(8),
    };

    #[track_caller]
    fn check(sampled: &[u32], text: Range<usize>, timestamps: Range<usize>) {
        let allowed = TOKENS.allowed(sampled, 16);
        assert_eq!(allowed, AllowedTokens { text, timestamps }, "{sampled:?}");
    }

    #[test]
    fn timestamps_are_first_in_pairs_and_in_order() {
        check(&[], 6..6, 6..9);
        check(&[7], 0..6, 16..16);
        check(&[7, 1], 0..6, 8..16);
        check(&[7, 1, 9], 4..6, 9..16);
        check(&[7, 1, 9, 9], 0..6, 16..16);
        check(&[7, 1, 9, 9, 2], 0..6, 10..16);
        check(&[1, 2], 0..6, 6..16);
    }

    #[test]
    fn any_timestamp_may_be_first_without_a_limit() {
        let tokens = TimestampTokens {
            latest_first: None,
            ..TOKENS
        };
        assert_eq!(tokens.allowed(&[], 16).timestamps, 6..16);
    }
}
