//! Linear layers with the weight as checkpoints store it.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::backends::{Activation, WhisperOps};

/// `x W^T + b`, as `torch.nn.functional.linear`.
///
/// `x` is `[.., inputs]`, `weight` `[outputs, inputs]` as checkpoints store it, `bias` `[outputs]`;
/// the result is `[.., outputs]`. A weight that is not contiguous is copied at each call.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn linear<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
) -> Tensor<D> {
    apply(x, weight, bias, Activation::None)
}

/// `GELU(x W^T + b)`: [`linear`] and [`gelu`](crate::gelu) in one pass over the result, as in the
/// first half of Whisper's MLP.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn linear_gelu<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
) -> Tensor<D> {
    apply(x, weight, bias, Activation::Gelu)
}

fn apply<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    activation: Activation,
) -> Tensor<D> {
    let [outputs, inputs] = weight.dims();
    assert_eq!(
        x.dims()[D - 1],
        inputs,
        "linear: inputs of x and of the weight"
    );
    if let Some(bias) = &bias {
        assert_eq!(bias.dims(), [outputs], "linear: one bias per output");
    }
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(match bias {
        Some(bias) => Dispatch::linear_with_bias(x, weight, bias.into_dispatch(), activation),
        None => Dispatch::linear_without_bias(x, weight, activation),
    })
}
