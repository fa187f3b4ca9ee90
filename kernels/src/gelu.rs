//! The exact GELU.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::backends::WhisperOps;

/// `x Φ(x)`, where `Φ` is the normal distribution function: the GELU of Whisper's MLPs and
/// convolutions (`torch.nn.functional.gelu` without approximation), not its tanh form.
///
/// On flex, in place if `x` is the only handle of its buffer.
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::exact_gelu(x.into_dispatch()))
}
