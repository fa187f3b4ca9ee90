//! Timestamps come in pairs, in order, and first.

use super::{LogitFilter, forbid};
use crate::decoding::probability::{highest, log_sum_exp};

/// openai/whisper's rules for timestamps (decoding.py:442-505).
#[derive(Clone, Debug)]
pub struct TimestampRules {
    /// The end of text: the first token that is not text.
    pub eot: u32,
    /// The token that switches timestamps off.
    pub no_timestamps: u32,
    /// The token of 0.00 s, first of the timestamps.
    pub timestamp_begin: u32,
    /// Latest first timestamp, in steps of 0.02 s.
    pub max_initial_timestamp_index: Option<usize>,
}

impl LogitFilter for TimestampRules {
    fn apply(&self, sampled: &[u32], logits: &mut [f32]) {
        let begin = self.timestamp_begin as usize;
        forbid(
            logits,
            self.no_timestamps as usize..=self.no_timestamps as usize,
        );
        self.pair(sampled, logits);
        self.increase(sampled, logits);
        if sampled.is_empty() {
            forbid(logits, ..begin);
            if let Some(index) = self.max_initial_timestamp_index {
                forbid(logits, begin + index + 1..);
            }
        }
        if timestamps_outweigh_text(logits, begin) {
            forbid(logits, ..begin);
        }
    }
}

impl TimestampRules {
    fn is_timestamp(&self, token: u32) -> bool {
        token >= self.timestamp_begin
    }

    fn last_is_timestamp(&self, sampled: &[u32]) -> bool {
        sampled
            .last()
            .is_some_and(|&token| self.is_timestamp(token))
    }

    /// A lone first timestamp counts as a pair: text has to follow it.
    fn penultimate_is_timestamp(&self, sampled: &[u32]) -> bool {
        sampled.len() < 2 || self.is_timestamp(sampled[sampled.len() - 2])
    }

    /// After a pair of timestamps comes text; after text and a timestamp comes its partner, or the end.
    fn pair(&self, sampled: &[u32], logits: &mut [f32]) {
        if !self.last_is_timestamp(sampled) {
            return;
        }
        if self.penultimate_is_timestamp(sampled) {
            forbid(logits, self.timestamp_begin as usize..);
        } else {
            forbid(logits, ..self.eot as usize);
        }
    }

    /// Timestamps never decrease, and a segment has a length: only the partner of the timestamp that
    /// ends a segment may equal it.
    fn increase(&self, sampled: &[u32], logits: &mut [f32]) {
        let is_timestamp = |token: &&u32| self.is_timestamp(**token);
        let Some(&last) = sampled.iter().rev().find(is_timestamp) else {
            return;
        };
        let awaits_partner =
            self.last_is_timestamp(sampled) && !self.penultimate_is_timestamp(sampled);
        let first_allowed = if awaits_partner { last } else { last + 1 };
        forbid(
            logits,
            self.timestamp_begin as usize..first_allowed as usize,
        );
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A vocabulary of 4 texts (0..4), eot 4, no_timestamps 5, and timestamps from 6 to 15.
    const BEGIN: u32 = 6;
    const RULES: TimestampRules = TimestampRules {
        eot: 4,
        no_timestamps: 5,
        timestamp_begin: BEGIN,
        max_initial_timestamp_index: Some(2),
    };

    /// The tokens still allowed when all have the same logit but `text` has been raised so that the
    /// timestamps do not outweigh it.
    fn allowed(sampled: &[u32]) -> Vec<u32> {
        let mut logits = vec![0.0; 16];
        logits[..5].fill(10.0);
        RULES.apply(sampled, &mut logits);
        (0..16)
            .filter(|&token| logits[token as usize] > f32::NEG_INFINITY)
            .collect()
    }

    #[test]
    fn the_first_token_is_an_early_timestamp() {
        assert_eq!(allowed(&[]), [6, 7, 8]);
    }

    #[test]
    fn text_follows_the_first_timestamp() {
        assert_eq!(allowed(&[6]), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn after_text_later_timestamps_or_text() {
        assert_eq!(
            allowed(&[6, 0]),
            [0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 13, 14, 15]
        );
    }

    #[test]
    fn a_closing_timestamp_waits_for_its_partner_which_may_equal_it() {
        assert_eq!(allowed(&[6, 0, 10]), [4, 10, 11, 12, 13, 14, 15]);
    }

    #[test]
    fn a_pair_is_followed_by_text() {
        assert_eq!(allowed(&[6, 0, 10, 10]), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn timestamps_win_by_their_sum() {
        let mut logits = vec![0.0; 16];
        logits[1] = 1.5;
        RULES.apply(&[6, 0], &mut logits);
        assert_eq!(logits[1], f32::NEG_INFINITY, "ln(9) > 1.5");

        let mut logits = vec![0.0; 16];
        logits[1] = 2.5;
        RULES.apply(&[6, 0], &mut logits);
        assert_eq!(logits[1], 2.5, "ln(9) < 2.5");
    }
}
