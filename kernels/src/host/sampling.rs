//! The choice of the next token from one row of logits.

use std::ops::Range;

use crate::softmax::{argmax, highest, log_sum_exp};
use crate::{AllowedTokens, Chosen, TimestampTokens};

/// Applies the rules for timestamps.
pub(crate) fn timestamp_rules(logits: &mut [f32], sampled: &[u32], tokens: TimestampTokens) {
    let AllowedTokens { text, timestamps } = tokens.allowed(sampled, logits.len());
    let no_timestamps = tokens.no_timestamps as usize;
    forbid(logits, 0..text.start);
    forbid(logits, no_timestamps..no_timestamps + 1);
    forbid(logits, text.end..timestamps.start);
    forbid(logits, timestamps.end..logits.len());
    if timestamps_outweigh_text(logits, text.end) {
        forbid(logits, 0..text.end);
    }
}

/// Forbids the tokens of a range of the vocabulary; parts outside it are ignored.
fn forbid(logits: &mut [f32], tokens: Range<usize>) {
    let end = tokens.end.min(logits.len());
    if let Some(logits) = logits.get_mut(tokens.start..end) {
        logits.fill(f32::NEG_INFINITY);
    }
}

/// Whether all timestamps together are more probable than the most probable text token.
///
/// The normalising constant of the log-softmax stands on both sides and is left out; sums are f64, so
/// that the comparison is at least as exact as the reference's in f32.
fn timestamps_outweigh_text(logits: &[f32], begin: usize) -> bool {
    let Some((text, timestamps)) = logits.split_at_checked(begin) else {
        return false;
    };
    log_sum_exp(timestamps) > f64::from(highest(text))
}

/// The first token with the highest logit.
pub(crate) fn most_probable(logits: &[f32]) -> Chosen {
    let highest = highest(logits);
    let allowed = highest > f32::NEG_INFINITY;
    Chosen {
        token: allowed.then(|| argmax(logits)),
        logprob: (f64::from(highest) - log_sum_exp(logits)) as f32,
    }
}
