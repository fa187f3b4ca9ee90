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

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::backends::plain;
    use crate::test_support::{
        largest_difference, normal, same_on_any_number_of_threads, tensor, values,
    };

    /// Batch, length, channels, outputs, stride.
    const SHAPES: [[usize; 5]; 9] = [
        [1, 1, 5, 3, 1],
        [1, 2, 5, 3, 2],
        [2, 3, 4, 7, 2],
        [1, 4, 1, 1, 3],
        [2, 40, 80, 64, 1],
        [1, 100, 64, 130, 2],
        [1, 101, 33, 20, 2],
        [1, 70, 16, 9, 3],
        [3, 5, 7, 2, 9],
    ];

    fn tensors(
        [batch, length, channels, outputs, _]: [usize; 5],
    ) -> (Tensor<3>, Tensor<3>, Tensor<1>) {
        let of = |seed, shape: [usize; 3]| tensor(normal(seed, shape.iter().product(), 0.5), shape);
        (
            of(1, [batch, length, channels]),
            of(2, [outputs, channels, TAPS]),
            tensor(normal(3, outputs, 1.0), [outputs]),
        )
    }

    #[test]
    fn agrees_with_the_plain_expression() {
        for shape in SHAPES {
            let (x, weight, bias) = tensors(shape);
            let [x2, weight2] = [&x, &weight].map(|x| x.clone().into_dispatch());
            let bias2 = bias.clone().into_dispatch();
            let stride = shape[4];
            let plain = plain::convolution_gelu::<Dispatch>(x2, weight2, bias2, stride);
            let plain = Tensor::<3>::from_dispatch(plain);
            let y = convolution_gelu(x, weight, bias, stride);
            assert_eq!(y.dims(), plain.dims(), "{shape:?}");
            let plain: Vec<f64> = values(plain).into_iter().map(f64::from).collect();
            let difference = largest_difference(&values(y), &plain);
            assert!(difference < 2e-5, "{shape:?}: {difference:e}");
        }
    }

    #[test]
    fn any_layout_and_any_number_of_threads_give_the_same() {
        for shape in SHAPES {
            let (x, weight, bias) = tensors(shape);
            let channels_first = x.clone().swap_dims(1, 2).add_scalar(0.0).swap_dims(1, 2);
            let of = |x: &Tensor<3>| {
                values(convolution_gelu(
                    x.clone(),
                    weight.clone(),
                    bias.clone(),
                    shape[4],
                ))
            };
            assert_eq!(of(&channels_first), of(&x), "{shape:?}");
            same_on_any_number_of_threads(|| of(&x));
        }
    }
}
