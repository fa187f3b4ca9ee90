//! The convolutions before Whisper's encoder.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::backends::WhisperOps;

/// The width of the convolutions before Whisper's encoder.
pub(crate) const TAPS: usize = 3;

/// `GELU(conv1d(x) + bias)`, with one zero on each side, of channels that lie last (openai/whisper, `model.py:189-190`).
///
/// # Shapes
///
/// - x: `[batch, length, channels]`; any layout is taken as it lies
/// - weight: `[outputs, channels, 3]`, as checkpoints store it
/// - bias: `[outputs]`
/// - output: `[batch, (length - 1) / stride + 1, outputs]`
///
/// # Panics
///
/// If the shapes do not fit, or the stride is 0.
pub fn convolution_gelu(
    x: Tensor<3>,
    weight: Tensor<3>,
    bias: Tensor<1>,
    stride: usize,
) -> Tensor<3> {
    let [_, length, channels] = x.dims();
    let [outputs, inputs, taps] = weight.dims();
    assert!(
        length > 0 && stride > 0 && channels == inputs && taps == TAPS && bias.dims() == [outputs],
        "convolution_gelu: {length} of {channels} channels by steps of {stride}, weight [{outputs}, {inputs}, {taps}], bias {:?}",
        bias.dims()
    );
    Tensor::from_dispatch(Dispatch::convolved(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        stride,
    ))
}
