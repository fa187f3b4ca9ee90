//! Filters as tensor operations: logits that are on a device need not be read back to be filtered.

use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use whisper_kernels::Progress;

/// A filter whose masks lie on a device, made by [`LogitFilter::on_device`](super::LogitFilter::on_device).
pub trait DeviceFilter: Debug + Send + Sync {
    /// Filters the logits of all rows, which have sampled equally many tokens.
    ///
    /// The tokens may have been chosen on the device and never been read: what is known on the host is their number.
    ///
    /// # Shapes
    ///
    /// - sampled: `[rows, n]` with `n >= step`, of which the first `step` columns have been sampled
    /// - logits: `[rows, n_vocab]`
    /// - output: `[rows, n_vocab]`
    fn apply(&self, sampled: &Tensor<2, Int>, step: usize, logits: Tensor<2>) -> Tensor<2>;

    /// The same for the steps after the first, when it need not know their numbers; `None`, as it is unless overridden, when
    /// it has to.
    fn later(&self) -> Option<&dyn LaterFilter> {
        None
    }
}

/// A [`DeviceFilter`] for the steps after the first, whose numbers the device alone knows: all steps are then the same work, which a
/// device can record once and repeat.
pub trait LaterFilter {
    /// Filters the logits of all rows, as [`DeviceFilter::apply`] does after so many steps as `progress` says.
    ///
    /// # Shapes
    ///
    /// - sampled: `[rows, capacity]`
    /// - logits: `[rows, n_vocab]`
    /// - output: `[rows, n_vocab]`
    fn apply_later(
        &self,
        sampled: &Tensor<2, Int>,
        progress: &Progress,
        logits: Tensor<2>,
    ) -> Tensor<2>;
}

/// Which tokens of the vocabulary are among these, `[1, n_vocab]`; those beyond it are ignored.
///
/// The same tokens are forbidden in one transcription after the other: a mask stays on its device, so that it goes up once.
pub(super) fn mask(n_vocab: usize, device: &Device, tokens: &[u32]) -> Tensor<2, Bool> {
    let mut tokens = tokens.to_vec();
    tokens.sort_unstable();
    tokens.dedup();
    // What a thread that panicked has left is whole: a mask is put there or not.
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let is_same = |mask: &Mask| {
        mask.tokens == tokens && mask.device == *device && mask.forbidden.dims()[1] == n_vocab
    };
    let mask = match kept.iter().position(is_same) {
        Some(place) => kept.remove(place),
        None => Mask {
            forbidden: uploaded(n_vocab, device, &tokens),
            tokens,
            device: device.clone(),
        },
    };
    let forbidden = mask.forbidden.clone();
    kept.insert(0, mask);
    kept.truncate(MOST_KEPT);
    forbidden
}

/// How many masks are kept: each takes a byte, or four, for each token of the vocabulary.
const MOST_KEPT: usize = 8;

/// The masks used last, the newest first.
static KEPT: Mutex<Vec<Mask>> = Mutex::new(Vec::new());

/// A mask and what it was made of.
struct Mask {
    tokens: Vec<u32>,
    device: Device,
    forbidden: Tensor<2, Bool>,
}

fn uploaded(n_vocab: usize, device: &Device, tokens: &[u32]) -> Tensor<2, Bool> {
    let mut values = vec![false; n_vocab];
    for &token in tokens {
        if let Some(value) = values.get_mut(token as usize) {
            *value = true;
        }
    }
    Tensor::from_data(TensorData::new(values, [1, n_vocab]), device)
}

/// Forbids tokens in all rows alike.
///
/// # Shapes
///
/// - logits: `[rows, n_vocab]`; forbidden: `[1, n_vocab]`
pub(super) fn forbid_everywhere(logits: Tensor<2>, forbidden: &Tensor<2, Bool>) -> Tensor<2> {
    let shape = logits.dims();
    logits.mask_fill(forbidden.clone().expand(shape), f32::NEG_INFINITY)
}

#[cfg(test)]
pub(super) mod testing {
    use burn::tensor::{DType, Device, Int, Tensor, TensorData};
    use whisper_kernels::Progress;

    use crate::decoding::filters::{FilterContext, LogitFilter};

    /// Asserts that a filter gives the same on the device as on the host, for rows that have sampled equally many tokens.
    #[track_caller]
    pub fn assert_same_on_the_device(
        filter: &dyn LogitFilter,
        sampled: &[&[u32]],
        logits: &[Vec<f32>],
    ) {
        let device = Device::flex();
        let n_vocab = logits[0].len();
        let step = sampled[0].len();
        let mut expected = Vec::new();
        for (&sampled, logits) in sampled.iter().zip(logits) {
            assert_eq!(sampled.len(), step, "rows are of one length");
            let mut logits = logits.clone();
            filter.apply(&FilterContext::new(sampled), &mut logits);
            expected.extend(logits);
        }
        // The buffer is longer than what has been sampled: the rest of it must not matter.
        let rows = sampled.len();
        let tokens: Vec<i64> = (sampled.iter())
            .flat_map(|row| row.iter().map(|&t| i64::from(t)).chain([7, 9_999]))
            .collect();
        let tokens = TensorData::new(tokens, [rows, step + 2]);
        let tokens = Tensor::<2, Int>::from_data(tokens, (&device, DType::I32));
        let values = TensorData::new(logits.concat(), [rows, n_vocab]);
        let values = Tensor::<2>::from_data(values, &device);
        let filter = filter.on_device(n_vocab, &device).unwrap();
        let filtered = filter.apply(&tokens, step, values.clone());
        let ours: Vec<f32> = filtered.into_data().iter::<f32>().collect();
        assert_eq!(ours, expected, "{filter:?} after {sampled:?}");
        if step > 0
            && let Some(later) = filter.later()
        {
            let progress = Progress::new(100, step, &device);
            let filtered = later.apply_later(&tokens, &progress, values);
            let ours: Vec<f32> = filtered.into_data().iter::<f32>().collect();
            assert_eq!(ours, expected, "{filter:?} after {sampled:?}, later");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forbidden(n_vocab: usize, tokens: &[u32]) -> Vec<bool> {
        let mask = mask(n_vocab, &Device::flex(), tokens).into_data();
        mask.iter::<bool>().collect()
    }

    #[test]
    fn a_mask_is_that_of_its_tokens_however_many_were_made_before() {
        for round in 0..2 {
            for n_vocab in 1..2 * MOST_KEPT {
                let last = n_vocab as u32 - 1;
                let mut expected = vec![false; n_vocab];
                expected[n_vocab - 1] = true;
                assert_eq!(forbidden(n_vocab, &[last, 99, last]), expected, "{round}");
                expected[0] = true;
                assert_eq!(forbidden(n_vocab, &[0, last]), expected, "{round}");
            }
        }
        assert!(KEPT.lock().unwrap().len() <= MOST_KEPT);
    }
}
