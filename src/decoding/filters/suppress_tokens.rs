//! Tokens that are never sampled.

use burn::tensor::{Bool, Device, Int, Tensor};
use whisper_kernels::Progress;

use super::device::{DeviceFilter, LaterFilter, forbid_everywhere, mask};
use super::{FilterContext, LogitFilter, forbid};

/// Forbids tokens everywhere (decoding.py:434-439).
#[derive(Clone, Debug)]
pub struct SuppressTokens {
    tokens: Vec<u32>,
}

impl SuppressTokens {
    /// Forbids `tokens`; those beyond the vocabulary are ignored.
    pub fn new(tokens: Vec<u32>) -> Self {
        Self { tokens }
    }
}

impl LogitFilter for SuppressTokens {
    fn apply(&self, _context: &FilterContext<'_>, logits: &mut [f32]) {
        for &token in &self.tokens {
            forbid(logits, token as usize);
        }
    }

    fn on_device(&self, n_vocab: usize, device: &Device) -> Option<Box<dyn DeviceFilter>> {
        Some(Box::new(OnDevice {
            forbidden: mask(n_vocab, device, &self.tokens),
        }))
    }
}

/// The mask of every step.
#[derive(Debug)]
struct OnDevice {
    forbidden: Tensor<2, Bool>,
}

impl DeviceFilter for OnDevice {
    fn apply(&self, _sampled: &Tensor<2, Int>, _step: usize, logits: Tensor<2>) -> Tensor<2> {
        forbid_everywhere(logits, &self.forbidden)
    }

    fn later(&self) -> Option<&dyn LaterFilter> {
        Some(self)
    }
}

impl LaterFilter for OnDevice {
    fn apply_later(&self, _: &Tensor<2, Int>, _: &Progress, logits: Tensor<2>) -> Tensor<2> {
        forbid_everywhere(logits, &self.forbidden)
    }
}

#[cfg(test)]
mod tests {
    use super::super::device::testing::assert_same_on_the_device;
    use super::*;

    #[test]
    fn tokens_are_forbidden_at_every_step_and_unknown_ones_ignored() {
        let filter = SuppressTokens::new(vec![0, 9]);
        for sampled in [&[][..], &[1, 2]] {
            let mut logits = [1.0; 3];
            filter.apply(&FilterContext::new(sampled), &mut logits);
            assert_eq!(logits, [f32::NEG_INFINITY, 1.0, 1.0]);
        }
    }

    #[test]
    fn the_device_does_the_same() {
        let filter = SuppressTokens::new(vec![0, 9]);
        let logits = [vec![0.0, 1.0, 2.0], vec![3.0, 2.0, 1.0]];
        assert_same_on_the_device(&filter, &[&[], &[]], &logits);
        assert_same_on_the_device(&filter, &[&[2], &[1]], &logits);
    }
}
