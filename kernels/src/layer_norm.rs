//! Layer normalisation.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::backends::WhisperOps;

/// `(x - mean) / sqrt(variance + epsilon) * gamma + beta` over the last axis, as `torch.nn.LayerNorm`.
///
/// `x` is `[.., n_state]`, `gamma` and `beta` `[n_state]`. Half precision is summed in single, as
/// openai/whisper does (`model.py:40-42`).
///
/// # Panics
///
/// If the shapes do not fit.
pub fn layer_norm<const D: usize>(
    x: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
) -> Tensor<D> {
    let n_state = x.dims()[D - 1];
    assert_eq!(
        gamma.dims(),
        [n_state],
        "layer_norm: one factor per element"
    );
    assert_eq!(beta.dims(), [n_state], "layer_norm: one shift per element");
    Tensor::from_dispatch(Dispatch::normalised(
        x.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        epsilon,
    ))
}
