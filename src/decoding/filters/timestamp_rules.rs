//! Timestamps come in pairs, in order, and first.

use burn::tensor::{Device, Int, Tensor};
use whisper_kernels::{Progress, TimestampTokens, timestamp_rules, timestamp_rules_so_far};

use super::device::{DeviceFilter, LaterFilter};
use super::{FilterContext, LogitFilter};

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
        self.tokens().apply(context.sampled, logits);
    }

    fn on_device(&self, _n_vocab: usize, _device: &Device) -> Option<Box<dyn DeviceFilter>> {
        Some(Box::new(OnDevice(self.tokens())))
    }
}

impl TimestampRules {
    fn tokens(&self) -> TimestampTokens {
        let latest = |index: usize| self.timestamp_begin.saturating_add(index as u32);
        TimestampTokens {
            end_of_text: self.eot,
            no_timestamps: self.no_timestamps,
            begin: self.timestamp_begin,
            latest_first: self.max_initial_timestamp_index.map(latest),
        }
    }
}

/// The rules with the tokens sampled so far on the device as well. The sum over the timestamps is of the device's precision.
#[derive(Debug)]
struct OnDevice(TimestampTokens);

impl DeviceFilter for OnDevice {
    fn apply(&self, sampled: &Tensor<2, Int>, step: usize, logits: Tensor<2>) -> Tensor<2> {
        timestamp_rules(logits, sampled.clone(), step, self.0)
    }

    fn later(&self) -> Option<&dyn LaterFilter> {
        Some(self)
    }
}

impl LaterFilter for OnDevice {
    fn apply_later(
        &self,
        sampled: &Tensor<2, Int>,
        progress: &Progress,
        logits: Tensor<2>,
    ) -> Tensor<2> {
        timestamp_rules_so_far(logits, sampled.clone(), progress, self.0)
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
