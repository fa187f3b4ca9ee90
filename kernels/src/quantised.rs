//! Linear layers whose weights are 8-bit integers.

use burn::backend::Dispatch;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use crate::backends::{Activation, WhisperOps};
use crate::host::quantised::quantise_rows;

/// A weight of 8-bit integers with one scale per output: `weight[o][i] = scales[o] * values[o][i]`.
#[derive(Clone, Debug)]
pub struct QuantisedWeight {
    /// `[outputs, inputs]`, from -127 to 127.
    pub values: Tensor<2, Int>,
    /// `[outputs]`, 0 or more.
    pub scales: Tensor<1>,
}

impl QuantisedWeight {
    /// Rounds a weight `[outputs, inputs]`, given in the order of memory, each output to its own 127 steps on either side of 0.
    ///
    /// # Panics
    ///
    /// If `weight` has another number of elements than the shape.
    pub fn new(weight: &[f32], [outputs, inputs]: [usize; 2], device: &Device) -> Self {
        assert_eq!(weight.len(), outputs * inputs, "elements of the weight");
        let (values, scales) = quantise_rows(weight, inputs);
        let values = TensorData::new(values, [outputs, inputs]);
        Self {
            values: Tensor::from_data(values, (device, DType::I8)),
            scales: Tensor::from_data(TensorData::new(scales, [outputs]), (device, DType::F32)),
        }
    }

    /// The weight that the integers stand for, `[outputs, inputs]`.
    pub fn dequantised(&self) -> Tensor<2> {
        self.values.clone().float().cast(DType::F32) * self.scales.clone().unsqueeze_dim(1)
    }
}

/// [`linear`](crate::linear) with a quantised weight.
///
/// On flex the rows of `x` are rounded to integers as well, to some 13 to 16 bits by how many inputs there are, and sums of
/// integers are exact: a row's result is the same bits on any chip, with any number of threads and whatever rows are beside it. Elsewhere
/// the weight is brought to the element type of `x`.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn quantised_linear<const D: usize>(
    x: Tensor<D>,
    weight: &QuantisedWeight,
    bias: Option<Tensor<1>>,
) -> Tensor<D> {
    apply(x, weight, bias, Activation::None)
}

/// [`linear_gelu`](crate::linear_gelu) with a quantised weight.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn quantised_linear_gelu<const D: usize>(
    x: Tensor<D>,
    weight: &QuantisedWeight,
    bias: Option<Tensor<1>>,
) -> Tensor<D> {
    apply(x, weight, bias, Activation::Gelu)
}

fn apply<const D: usize>(
    x: Tensor<D>,
    weight: &QuantisedWeight,
    bias: Option<Tensor<1>>,
    activation: Activation,
) -> Tensor<D> {
    let [outputs, inputs] = weight.values.dims();
    assert_eq!(
        x.dims()[D - 1],
        inputs,
        "quantised_linear: inputs of x and of the weight"
    );
    assert_eq!(
        weight.scales.dims(),
        [outputs],
        "quantised_linear: one scale per output"
    );
    if let Some(bias) = &bias {
        assert_eq!(
            bias.dims(),
            [outputs],
            "quantised_linear: one bias per output"
        );
    }
    let x = x.into_dispatch();
    let values = weight.values.clone().into_dispatch();
    let scales = weight.scales.clone().into_dispatch();
    Tensor::from_dispatch(match bias {
        Some(bias) => {
            let bias = bias.into_dispatch();
            Dispatch::quantised_linear_with_bias(x, values, scales, bias, activation)
        }
        None => Dispatch::quantised_linear_without_bias(x, values, scales, activation),
    })
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::test_support::{
        largest_difference, normal, same_on_any_number_of_threads, tensor, values,
    };
    use crate::{linear, linear_gelu};

    struct Layer {
        rows: usize,
        inputs: usize,
        outputs: usize,
    }

    const LAYERS: [Layer; 9] = [
        Layer {
            rows: 1,
            inputs: 512,
            outputs: 5187,
        },
        Layer {
            rows: 300,
            inputs: 384,
            outputs: 400,
        },
        Layer {
            rows: 5,
            inputs: 2048,
            outputs: 700,
        },
        Layer {
            rows: 16,
            inputs: 257,
            outputs: 15,
        },
        Layer {
            rows: 17,
            inputs: 257,
            outputs: 15,
        },
        Layer {
            rows: 3,
            inputs: 7,
            outputs: 3,
        },
        Layer {
            rows: 40,
            inputs: 7,
            outputs: 3,
        },
        Layer {
            rows: 1,
            inputs: 1,
            outputs: 1,
        },
        Layer {
            rows: 200,
            inputs: 5120,
            outputs: 130,
        },
    ];

    impl Layer {
        fn x(&self) -> Vec<f32> {
            normal(1, self.rows * self.inputs, 1.0)
        }

        fn tensors(&self) -> (Tensor<2>, QuantisedWeight, Tensor<1>) {
            let weight = normal(2, self.outputs * self.inputs, 1.0);
            (
                tensor(self.x(), [self.rows, self.inputs]),
                QuantisedWeight::new(&weight, [self.outputs, self.inputs], &Device::flex()),
                tensor(normal(3, self.outputs, 10.0), [self.outputs]),
            )
        }

        /// The error of rounding `x` to the bits that there are room for, at the largest of some deviations, and of f32 sums.
        fn bound(&self) -> f64 {
            let steps = (i32::MAX as f64 / 127.0 / self.inputs as f64).min(32767.0);
            let of_rounding = 5.0 / steps * 0.29 * (self.inputs as f64).sqrt() * 6.0;
            1e-5 + 5e-7 * self.inputs as f64 + of_rounding
        }

        fn close(&self, actual: Tensor<2>, expected: Tensor<2>) {
            let expected: Vec<f64> = values(expected).into_iter().map(f64::from).collect();
            let difference = largest_difference(&values(actual), &expected);
            let Self {
                rows,
                inputs,
                outputs,
            } = self;
            assert!(
                difference < self.bound(),
                "[{rows}, {inputs}] x [{outputs}, ..]: {difference:e} of {:e}",
                self.bound()
            );
        }
    }

    #[test]
    fn agrees_with_the_plain_expression() {
        for layer in LAYERS {
            let (x, weight, bias) = layer.tensors();
            let plain = linear(x.clone(), weight.dequantised(), None);
            layer.close(quantised_linear(x.clone(), &weight, None), plain);
            let plain = linear_gelu(x.clone(), weight.dequantised(), Some(bias.clone()));
            layer.close(quantised_linear_gelu(x, &weight, Some(bias)), plain);
        }
    }

    #[test]
    fn weights_are_within_half_a_step() {
        let weight = normal(4, 30 * 50, 2.0);
        let quantised = QuantisedWeight::new(&weight, [30, 50], &Device::flex());
        let back = values(quantised.dequantised());
        let scales: Vec<f32> = quantised.scales.into_data().try_to_vec().unwrap();
        for (i, (back, weight)) in back.iter().zip(&weight).enumerate() {
            assert!((back - weight).abs() <= 0.5001 * scales[i / 50]);
        }
    }

    #[test]
    fn sums_do_not_overflow() {
        // All at their limits, of one sign and of both.
        for sign in [1.0, -1.0] {
            for (rows, inputs) in [(1, 5120), (20, 5120), (1, 66_000)] {
                let x = tensor(vec![3.0; rows * inputs], [rows, inputs]);
                let weight = vec![sign * 0.5; 7 * inputs];
                let weight = QuantisedWeight::new(&weight, [7, inputs], &Device::flex());
                let expected = sign * 1.5 * inputs as f32;
                for y in values(quantised_linear(x, &weight, None)) {
                    assert!((y / expected - 1.0).abs() < 1e-6, "{y} for {expected}");
                }
            }
        }
    }

    #[test]
    fn a_row_alone_and_among_others_is_the_same() {
        let layer = Layer {
            rows: 47,
            inputs: 530,
            outputs: 100,
        };
        let (x, weight, bias) = layer.tensors();
        let apply = |x: Tensor<2>| values(quantised_linear_gelu(x, &weight, Some(bias.clone())));
        let together = apply(x.clone());
        for first in 0..layer.rows {
            for rows in [1, 2, 3, 5, 16, 17, 40] {
                let rows = rows.min(layer.rows - first);
                let some = apply(x.clone().narrow(0, first, rows));
                assert_eq!(some, together[first * 100..][..rows * 100]);
            }
        }
    }

    #[test]
    fn results_do_not_depend_on_the_number_of_threads() {
        for rows in [1, 5, 400] {
            let layer = Layer {
                rows,
                inputs: 1030,
                outputs: 3000,
            };
            same_on_any_number_of_threads(|| {
                let (x, weight, bias) = layer.tensors();
                values(quantised_linear_gelu(x, &weight, Some(bias)))
            });
        }
    }

    #[test]
    fn what_is_not_a_number_stays_so_and_zeros_are_exact() {
        let weight = QuantisedWeight::new(&normal(5, 20, 1.0), [4, 5], &Device::flex());
        let bias = tensor(vec![1.0, 2.0, 3.0, 4.0], [4]);
        for bad in [f32::NAN, f32::INFINITY] {
            let x = tensor(
                vec![0.0, 0.0, 0.0, 0.0, 0.0, 1.0, bad, 1.0, 1.0, 1.0],
                [2, 5],
            );
            let y = values(quantised_linear(x, &weight, Some(bias.clone())));
            assert_eq!(y[..4], [1.0, 2.0, 3.0, 4.0]);
            assert!(y[4..].iter().all(|y| y.is_nan()));
        }
    }

    #[test]
    #[should_panic(expected = "quantised_linear: inputs of x and of the weight")]
    fn shapes_that_do_not_fit_are_refused() {
        let weight = QuantisedWeight::new(&[0.0; 8], [2, 4], &Device::flex());
        quantised_linear(tensor(vec![0.0; 6], [2, 3]), &weight, None);
    }
}
