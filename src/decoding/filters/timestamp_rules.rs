//! Timestamps come in pairs, in order, and first.

use burn::tensor::{Bool, Device, Int, Tensor};

use super::device::{DeviceFilter, mask};
use super::{FilterContext, LogitFilter, forbid};
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
    fn apply(&self, context: &FilterContext<'_>, logits: &mut [f32]) {
        let sampled = context.sampled;
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

    fn on_device(&self, n_vocab: usize, device: &Device) -> Option<Box<dyn DeviceFilter>> {
        let begin = self.timestamp_begin as usize;
        let no_timestamps = self.no_timestamps as usize;
        let latest = (self.max_initial_timestamp_index).map_or(n_vocab, |index| begin + index);
        let ids = Tensor::<1, Int>::arange(0..n_vocab as i64, device);
        Some(Box::new(OnDevice {
            begin,
            first: mask(n_vocab, device, |id| {
                id < begin || id > latest || id == no_timestamps
            }),
            no_timestamps: mask(n_vocab, device, |id| id == no_timestamps),
            text: mask(n_vocab, device, |id| id < self.eot as usize),
            timestamps: mask(n_vocab, device, |id| id >= begin),
            ids: ids.unsqueeze(),
        }))
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

/// The rules with the tokens sampled so far on the device as well. All masks are `[1, n_vocab]`.
#[derive(Debug)]
struct OnDevice {
    /// The token of 0.00 s.
    begin: usize,
    /// What may not be the first token.
    first: Tensor<2, Bool>,
    no_timestamps: Tensor<2, Bool>,
    /// What comes before the end of text.
    text: Tensor<2, Bool>,
    timestamps: Tensor<2, Bool>,
    ids: Tensor<2, Int>,
}

impl DeviceFilter for OnDevice {
    /// As on the host, but that the sum over the timestamps is of the device's precision.
    fn apply(&self, sampled: &Tensor<2, Int>, step: usize, logits: Tensor<2>) -> Tensor<2> {
        let shape = logits.dims();
        let forbidden = match step {
            0 => self.first.clone().expand(shape),
            _ => self.forbidden(sampled, step, shape),
        };
        let logits = logits.mask_fill(forbidden, f32::NEG_INFINITY);
        let outweighed = self.outweighed(logits.clone());
        logits.mask_fill(outweighed, f32::NEG_INFINITY)
    }
}

impl OnDevice {
    /// What the pairs and the order of timestamps forbid after `step` tokens, `[rows, n_vocab]`.
    fn forbidden(
        &self,
        sampled: &Tensor<2, Int>,
        step: usize,
        shape: [usize; 2],
    ) -> Tensor<2, Bool> {
        let [rows, _] = shape;
        let is_timestamp = |column: usize| {
            let tokens = sampled.clone().slice([0..rows, column..column + 1]);
            tokens.greater_equal_elem(self.begin as i64)
        };
        let last = is_timestamp(step - 1);
        // A lone first timestamp counts as a pair.
        let (pair, open) = match step {
            1 => (last.clone(), last.clone().bool_and(last.bool_not())),
            _ => {
                let before = is_timestamp(step - 2);
                (
                    last.clone().bool_and(before.clone()),
                    last.bool_and(before.bool_not()),
                )
            }
        };
        // Timestamps are above all text and never decrease: the highest token is the last timestamp, if there is one.
        let latest = sampled.clone().slice([0..rows, 0..step]).max_dim(1);
        let first_allowed = latest + 1 - open.clone().int();

        let of_rows = |rows: Tensor<2, Bool>| rows.expand(shape);
        let of_tokens = |tokens: &Tensor<2, Bool>| tokens.clone().expand(shape);
        let too_early = (self.ids.clone().expand(shape)).lower(first_allowed.expand(shape));
        let in_pair = of_rows(pair)
            .bool_or(too_early)
            .bool_and(of_tokens(&self.timestamps));
        let awaiting = of_rows(open).bool_and(of_tokens(&self.text));
        (of_tokens(&self.no_timestamps).bool_or(in_pair)).bool_or(awaiting)
    }

    /// The text of those rows whose timestamps outweigh it, `[rows, n_vocab]`.
    fn outweighed(&self, logits: Tensor<2>) -> Tensor<2, Bool> {
        let shape = logits.dims();
        let [rows, n_vocab] = shape;
        let text = (logits.clone().slice([0..rows, 0..self.begin])).max_dim(1);
        let timestamps = logits.slice([0..rows, self.begin..n_vocab]);
        // Bounded, so that a row without timestamps has a sum of 0 and not of no number.
        let highest = timestamps.clone().max_dim(1).clamp_min(f32::MIN / 2.0);
        let sum = (timestamps - highest.clone()).exp().sum_dim(1).log() + highest;
        let outweighed = sum.greater(text).expand(shape);
        outweighed.bool_and(self.timestamps.clone().bool_not().expand(shape))
    }
}

#[cfg(test)]
mod tests {
    use super::super::device::testing::assert_same_on_the_device;
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
        RULES.apply(&FilterContext::new(sampled), &mut logits);
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
        RULES.apply(&FilterContext::new(&[6, 0]), &mut logits);
        assert_eq!(logits[1], f32::NEG_INFINITY, "ln(9) > 1.5");

        let mut logits = vec![0.0; 16];
        logits[1] = 2.5;
        RULES.apply(&FilterContext::new(&[6, 0]), &mut logits);
        assert_eq!(logits[1], 2.5, "ln(9) < 2.5");
    }

    #[test]
    fn the_device_does_the_same_at_every_state() {
        let even = |text: f32| {
            let mut logits = vec![0.0; 16];
            logits[..5].fill(text);
            logits
        };
        // Text that outweighs the timestamps and is outweighed by them, and values that all differ.
        let logits = [
            even(10.0),
            even(1.5),
            (0..16).map(|id| (id * 7 % 16) as f32).collect(),
        ];
        let states: [&[&[u32]]; 5] = [
            &[&[], &[], &[]],
            &[&[6], &[8], &[7]],
            &[&[6, 0], &[7, 4], &[6, 3]],
            &[&[6, 0, 10], &[7, 0, 1], &[6, 0, 15]],
            &[&[6, 0, 10, 10], &[6, 0, 10, 11], &[6, 0, 1, 9]],
        ];
        for sampled in states {
            for shift in 0..3 {
                let mut logits = logits.clone();
                logits.rotate_left(shift);
                assert_same_on_the_device(&RULES, sampled, &logits);
            }
        }
        let unlimited = TimestampRules {
            max_initial_timestamp_index: None,
            ..RULES
        };
        assert_same_on_the_device(&unlimited, &[&[]], &[even(1.0)]);
    }

    #[test]
    fn rows_without_timestamps_or_without_text_are_the_same_on_the_device() {
        let mut no_timestamps = vec![1.0; 16];
        no_timestamps[6..].fill(f32::NEG_INFINITY);
        let mut no_text = vec![1.0; 16];
        no_text[..6].fill(f32::NEG_INFINITY);
        assert_same_on_the_device(&RULES, &[&[6, 0], &[6, 0]], &[no_timestamps, no_text]);
    }
}
