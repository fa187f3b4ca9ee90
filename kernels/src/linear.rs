//! Linear layers with the weight as checkpoints store it.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::backends::{Activation, WhisperOps};

/// `x W^T + b`, as `torch.nn.functional.linear`.
///
/// `x` is `[.., inputs]`, `weight` `[outputs, inputs]` as checkpoints store it, `bias` `[outputs]`;
/// the result is `[.., outputs]`. A weight that is not contiguous is copied at each call. On flex the weight may be in half precision
/// beside `f32`: it is widened as it is read, and the result is that of the same weight in `f32`.
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
/// # Shapes
///
/// As of [`linear`].
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

#[cfg(all(test, feature = "flex"))]
mod tests {
    use burn::tensor::DType;

    use super::*;
    use crate::backends::plain;
    use crate::test_support::{
        largest_difference, normal, same_on_any_number_of_threads, tensor, values,
    };

    struct Layer {
        rows: usize,
        inputs: usize,
        outputs: usize,
        x: Vec<f32>,
        weight: Vec<f32>,
        bias: Vec<f32>,
    }

    impl Layer {
        fn new(rows: usize, inputs: usize, outputs: usize) -> Self {
            Self {
                rows,
                inputs,
                outputs,
                x: normal(1, rows * inputs, 1.0),
                weight: normal(2, outputs * inputs, 1.0),
                bias: normal(3, outputs, 10.0),
            }
        }

        fn tensors(&self) -> (Tensor<2>, Tensor<2>, Tensor<1>) {
            (
                tensor(self.x.clone(), [self.rows, self.inputs]),
                tensor(self.weight.clone(), [self.outputs, self.inputs]),
                tensor(self.bias.clone(), [self.outputs]),
            )
        }

        /// The largest error that rounding explains. Products have deviation 1, so partial sums and
        /// their roundings grow as the square root of their number, and so do sums of roundings.
        fn bound(&self) -> f64 {
            1e-5 + 2.5e-7 * self.inputs as f64
        }

        fn in_f64(&self) -> Vec<f64> {
            let row = |x: &[f32]| -> Vec<f64> {
                let weights = self.weight.chunks(self.inputs).zip(&self.bias);
                weights
                    .map(|(w, b)| {
                        let products = x.iter().zip(w).map(|(x, w)| f64::from(*x) * f64::from(*w));
                        products.sum::<f64>() + f64::from(*b)
                    })
                    .collect()
            };
            self.x.chunks(self.inputs).flat_map(row).collect()
        }

        fn plain(&self, bias: bool, activation: Activation) -> Vec<f64> {
            let (x, weight, b) = self.tensors();
            let b = bias.then(|| b.into_dispatch());
            let y =
                plain::linear::<Dispatch>(x.into_dispatch(), weight.into_dispatch(), b, activation);
            values(Tensor::<2>::from_dispatch(y))
                .into_iter()
                .map(f64::from)
                .collect()
        }
    }

    fn layers() -> Vec<Layer> {
        let mut layers = vec![Layer::new(1, 512, 5187), Layer::new(300, 384, 400)];
        for rows in [1, 2, 3, 5, 8, 27, 32, 33, 40] {
            for (inputs, outputs) in [(64, 64), (512, 130), (257, 15), (7, 3), (1, 1), (530, 641)] {
                layers.push(Layer::new(rows, inputs, outputs));
            }
        }
        layers
    }

    #[test]
    fn agrees_with_f64() {
        for layer in layers() {
            let (x, weight, bias) = layer.tensors();
            let y = values(linear(x, weight, Some(bias)));
            let difference = largest_difference(&y, &layer.in_f64());
            let bound = layer.bound();
            let Layer {
                rows,
                inputs,
                outputs,
                ..
            } = layer;
            assert!(
                difference < bound,
                "[{rows}, {inputs}] x [{outputs}, ..]: {difference:e}"
            );
        }
    }

    #[test]
    fn agrees_with_the_plain_expression() {
        for layer in layers() {
            let bound = layer.bound();
            let close = |y: Tensor<2>, plain: Vec<f64>| {
                let difference = largest_difference(&values(y), &plain);
                let Layer {
                    rows,
                    inputs,
                    outputs,
                    ..
                } = layer;
                assert!(
                    difference < bound,
                    "[{rows}, {inputs}] x [{outputs}, ..]: {difference:e}"
                );
            };
            let (x, weight, bias) = layer.tensors();
            let (x2, weight2) = (x.clone(), weight.clone());
            close(
                linear(x2, weight2, None),
                layer.plain(false, Activation::None),
            );
            close(
                linear_gelu(x, weight, Some(bias)),
                layer.plain(true, Activation::Gelu),
            );
        }
    }

    #[test]
    fn a_row_alone_and_in_a_small_batch_is_the_same() {
        let layer = Layer::new(29, 530, 100);
        let (x, weight, bias) = layer.tensors();
        let together = values(linear(x.clone(), weight.clone(), Some(bias.clone())));
        for row in 0..layer.rows {
            let alone = linear(
                x.clone().narrow(0, row, 1),
                weight.clone(),
                Some(bias.clone()),
            );
            assert_eq!(values(alone), together[row * 100..][..100]);
        }
    }

    #[test]
    fn a_weight_in_half_precision_gives_what_it_gives_widened() {
        for layer in layers() {
            let (x, weight, bias) = layer.tensors();
            let half = weight.cast(DType::F16);
            let widened = linear_gelu(x.clone(), half.clone().cast(DType::F32), Some(bias.clone()));
            assert_eq!(values(linear_gelu(x, half, Some(bias))), values(widened));
        }
    }

    #[test]
    fn leading_dimensions_and_views_are_kept() {
        let layer = Layer::new(6, 32, 20);
        let (x, weight, bias) = layer.tensors();
        let expected = values(linear(x.clone(), weight.clone(), Some(bias.clone())));
        let y = linear(
            x.clone().reshape([2, 3, 32]),
            weight.clone(),
            Some(bias.clone()),
        );
        assert_eq!(y.dims(), [2, 3, 20]);
        assert_eq!(values(y), expected);

        let transposed = weight.clone().transpose().add_scalar(0.0).transpose();
        assert_eq!(
            values(linear(x.clone(), transposed, Some(bias.clone()))),
            expected
        );
        let some = linear(x, weight.narrow(0, 5, 7), Some(bias.narrow(0, 5, 7)));
        let columns: Vec<_> = expected
            .chunks(20)
            .flat_map(|y| &y[5..12])
            .copied()
            .collect();
        assert_eq!(values(some), columns);
    }

    #[test]
    fn results_do_not_depend_on_the_number_of_threads() {
        for rows in [1, 5, 400] {
            let layer = Layer::new(rows, 300, 1000);
            same_on_any_number_of_threads(|| {
                let (x, weight, bias) = layer.tensors();
                values(linear_gelu(x, weight, Some(bias)))
            });
        }
    }

    #[test]
    #[should_panic(expected = "linear: inputs of x and of the weight")]
    fn shapes_that_do_not_fit_are_refused() {
        linear(
            tensor(vec![0.0; 6], [2, 3]),
            tensor(vec![0.0; 8], [2, 4]),
            None,
        );
    }
}
