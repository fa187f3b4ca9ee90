//! Logit filters: rules that forbid tokens before one is chosen.

mod suppress_blank;
mod suppress_tokens;
mod timestamp_rules;

pub use suppress_blank::SuppressBlank;
pub use suppress_tokens::SuppressTokens;
pub use timestamp_rules::TimestampRules;

/// A rule applied to the logits of the next token.
pub trait LogitFilter: Send + Sync {
    /// Changes `logits` (`[n_vocab]`), usually to negative infinity where a token is forbidden,
    /// given the tokens sampled so far in this window.
    fn apply(&self, sampled: &[u32], logits: &mut [f32]);
}

/// Forbids the tokens of a range of the vocabulary; parts outside it are ignored.
fn forbid(logits: &mut [f32], range: impl std::ops::RangeBounds<usize>) {
    use std::ops::Bound;
    let start = match range.start_bound() {
        Bound::Included(&start) => start,
        Bound::Excluded(&start) => start + 1,
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(&end) => end + 1,
        Bound::Excluded(&end) => end,
        Bound::Unbounded => logits.len(),
    };
    if let Some(slice) = logits.get_mut(start..end.min(logits.len())) {
        slice.fill(f32::NEG_INFINITY);
    }
}
