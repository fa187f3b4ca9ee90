//! No window begins with a blank.

use burn::tensor::{Bool, Device, Int, Tensor};
use whisper_kernels::Progress;

use super::device::{DeviceFilter, LaterFilter, forbid_everywhere, mask};
use super::{FilterContext, LogitFilter, forbid};

/// Forbids the blank and the end of text as the first token (decoding.py:423-431).
#[derive(Clone, Debug)]
pub struct SuppressBlank {
    tokens: Vec<u32>,
}

impl SuppressBlank {
    /// Forbids `tokens`: those of a space, and the end of text.
    pub fn new(tokens: Vec<u32>) -> Self {
        Self { tokens }
    }
}

impl LogitFilter for SuppressBlank {
    fn apply(&self, context: &FilterContext<'_>, logits: &mut [f32]) {
        if context.step() > 0 {
            return;
        }
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

/// The mask of the first step.
#[derive(Debug)]
struct OnDevice {
    forbidden: Tensor<2, Bool>,
}

impl DeviceFilter for OnDevice {
    fn apply(&self, _sampled: &Tensor<2, Int>, step: usize, logits: Tensor<2>) -> Tensor<2> {
        match step {
            0 => forbid_everywhere(logits, &self.forbidden),
            _ => logits,
        }
    }

    fn later(&self) -> Option<&dyn LaterFilter> {
        Some(self)
    }
}

impl LaterFilter for OnDevice {
    fn apply_later(&self, _: &Tensor<2, Int>, _: &Progress, logits: Tensor<2>) -> Tensor<2> {
        logits
    }
}

#[cfg(test)]
mod tests {
    use super::super::device::testing::assert_same_on_the_device;
    use super::*;

    #[test]
    fn only_the_first_token_is_filtered() {
        let filter = SuppressBlank::new(vec![1, 3]);
        let mut logits = [0.0; 4];
        filter.apply(&FilterContext::new(&[2]), &mut logits);
        assert_eq!(logits, [0.0; 4]);
        filter.apply(&FilterContext::new(&[]), &mut logits);
        assert_eq!(logits, [0.0, f32::NEG_INFINITY, 0.0, f32::NEG_INFINITY]);
    }

    #[test]
    fn the_device_does_the_same() {
        let filter = SuppressBlank::new(vec![1, 3, 99]);
        let logits = [vec![0.0, 1.0, 2.0, 3.0], vec![3.0, 2.0, 1.0, 0.0]];
        assert_same_on_the_device(&filter, &[&[], &[]], &logits);
        assert_same_on_the_device(&filter, &[&[2], &[1]], &logits);
    }
}
