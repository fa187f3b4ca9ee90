//! PCM on a device: whole files, or a block of a longer one.

use std::ops::Range;

use burn::tensor::{DType, FloatDType, Tensor};

use crate::{Error, Result};

/// 16 kHz PCM on a device, in [-1, 1]: whole signals, or a block of each.
#[derive(Clone, Debug)]
pub struct Pcm {
    samples: Tensor<2>,
    start: usize,
    file_samples: usize,
}

impl Pcm {
    /// Whole signals of one length.
    ///
    /// # Shapes
    /// - `samples`: `[batch, samples]`
    pub fn whole(samples: Tensor<2>) -> Pcm {
        let [_, file_samples] = samples.dims();
        Pcm::block(samples, 0, file_samples)
    }

    /// A block of each of some signals of `file_samples` samples, beginning at sample `start`.
    ///
    /// # Shapes
    /// - `samples`: `[batch, samples]`; half precision is widened to f32, which the features are computed of
    pub fn block(samples: Tensor<2>, start: usize, file_samples: usize) -> Pcm {
        let [batch, length] = samples.dims();
        let samples = match samples.dtype() {
            DType::F32 => samples,
            _ => samples.cast(FloatDType::F32),
        };
        // Devices have no buffers of no bytes.
        let samples = match length {
            0 => Tensor::zeros([batch, 1], (&samples.device(), DType::F32)),
            _ => samples,
        };
        Pcm {
            samples,
            start,
            file_samples,
        }
    }

    /// The samples, `[batch, samples]`.
    pub fn samples(&self) -> &Tensor<2> {
        &self.samples
    }

    /// The sample of the file that the block begins with.
    pub fn start(&self) -> usize {
        self.start
    }

    /// Samples of each file.
    pub fn file_samples(&self) -> usize {
        self.file_samples
    }

    /// The samples of the file that the block holds.
    pub fn range(&self) -> Range<usize> {
        let [_, samples] = self.samples.dims();
        self.start..self.file_samples.min(self.start + samples)
    }

    /// Number of signals.
    pub(super) fn batch(&self) -> usize {
        self.samples.dims()[0]
    }

    /// Checks that the block holds the samples that some frames need.
    pub(super) fn check_holds(&self, frames: &Range<usize>, needed: Range<usize>) -> Result<()> {
        let held = self.range();
        if needed.is_empty() || (held.start <= needed.start && needed.end <= held.end) {
            return Ok(());
        }
        Err(Error::OutsideBlock {
            first: frames.start,
            end: frames.end,
            needed_start: needed.start,
            needed_end: needed.end,
            block_start: held.start,
            block_end: held.end,
        })
    }
}
