//! Linear layers whose weights are integers.

use std::ops::Range;

use burn::backend::Dispatch;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use rayon::prelude::*;

use crate::backends::{Activation, WhisperOps};
use crate::host::quantised::{Integer, quantise_rows};

/// How many bits the integers of a weight have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IntegerBits {
    /// From -127 to 127.
    Eight,
    /// 16 bits, of which sums of products leave room for some 13: the root of the sum of squares of an output's integers is at
    /// most that of 2^31.
    Sixteen,
}

/// A weight of integers with one scale per output: `weight[o][i] = scales[o] * values[o][i]`.
#[derive(Clone, Debug)]
pub struct QuantisedWeight {
    /// `[outputs, inputs]`, of the element type of as many bits.
    pub values: Tensor<2, Int>,
    /// `[outputs]`, 0 or more.
    pub scales: Tensor<1>,
}

impl QuantisedWeight {
    /// Rounds a weight `[outputs, inputs]`, given in the order of memory, each output in steps of its own.
    ///
    /// # Panics
    ///
    /// If `weight` has another number of elements than the shape.
    pub fn new(
        weight: &[f32],
        [outputs, inputs]: [usize; 2],
        bits: IntegerBits,
        device: &Device,
    ) -> Self {
        let rows = |rows: Range<usize>| weight[rows.start * inputs..rows.end * inputs].to_vec();
        assert_eq!(weight.len(), outputs * inputs, "elements of the weight");
        Self::from_rows(rows, [outputs, inputs], bits, device)
    }

    /// The same of a weight of which each thread makes some outputs at a time, so that the whole of it never is in memory.
    ///
    /// # Panics
    ///
    /// If `rows` gives another number of elements than those of the outputs that it is asked for.
    pub fn from_rows(
        rows: impl Fn(Range<usize>) -> Vec<f32> + Sync,
        [outputs, inputs]: [usize; 2],
        bits: IntegerBits,
        device: &Device,
    ) -> Self {
        let shape = [outputs, inputs];
        let (values, scales, dtype) = match bits {
            IntegerBits::Eight => {
                let (values, scales) = integers::<i8>(rows, shape);
                (TensorData::new(values, shape), scales, DType::I8)
            }
            IntegerBits::Sixteen => {
                let (values, scales) = integers::<i16>(rows, shape);
                (TensorData::new(values, shape), scales, DType::I16)
            }
        };
        Self {
            values: Tensor::from_data(values, (device, dtype)),
            scales: Tensor::from_data(TensorData::new(scales, [outputs]), (device, DType::F32)),
        }
    }

    /// The weight that the integers stand for, `[outputs, inputs]`.
    pub fn dequantised(&self) -> Tensor<2> {
        widened(self.values.clone(), self.scales.clone())
    }

    /// The rows of some outputs, `[n, inputs]`.
    pub fn rows(&self, outputs: Tensor<1, Int>) -> Tensor<2> {
        let values = self.values.clone().select(0, outputs.clone());
        widened(values, self.scales.clone().select(0, outputs))
    }
}

fn widened(values: Tensor<2, Int>, scales: Tensor<1>) -> Tensor<2> {
    values.float().cast(DType::F32) * scales.unsqueeze_dim(1)
}

/// Elements of a weight that a thread makes at a time (256 KiB), which stay in its cache until they are rounded.
const AT_ONCE: usize = 64 * 1024;

/// How many outputs of a weight a thread makes at a time.
pub(crate) fn outputs_at_once(inputs: usize) -> usize {
    (AT_ONCE / inputs.max(1)).max(1)
}

/// The integers of a weight and their scales.
fn integers<T: Integer>(
    rows: impl Fn(Range<usize>) -> Vec<f32> + Sync,
    [outputs, inputs]: [usize; 2],
) -> (Vec<T>, Vec<f32>) {
    let at_once = outputs_at_once(inputs);
    let mut values = vec![T::default(); outputs * inputs];
    let mut scales = vec![0.0; outputs];
    (values.par_chunks_mut((at_once * inputs).max(1)))
        .zip(scales.par_chunks_mut(at_once))
        .enumerate()
        .for_each(|(i, (values, scales))| {
            let first = i * at_once;
            quantise_rows(&rows(first..first + scales.len()), values, scales);
        });
    (values, scales)
}

/// [`linear`](crate::linear) with a quantised weight.
///
/// On flex the rows of `x` are rounded to 16-bit integers as well, as large as sums of the products have room for, and those sums are
/// exact: a row's result is the same bits on any chip, with any number of threads and whatever rows are beside it. Elsewhere
/// the weight is brought to the element type of `x`.
///
/// # Shapes
///
/// - x: `[.., inputs]`
/// - weight: `[outputs, inputs]`
/// - bias: `[outputs]`
/// - result: `[.., outputs]`
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
/// # Shapes
///
/// As of [`quantised_linear`].
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

        fn tensors(&self, bits: IntegerBits) -> (Tensor<2>, QuantisedWeight, Tensor<1>) {
            let weight = normal(2, self.outputs * self.inputs, 1.0);
            let shape = [self.outputs, self.inputs];
            (
                tensor(self.x(), [self.rows, self.inputs]),
                QuantisedWeight::new(&weight, shape, bits, &Device::flex()),
                tensor(normal(3, self.outputs, 10.0), [self.outputs]),
            )
        }

        /// Six deviations of the error of rounding `x` to what room there is for, and that of f32 sums.
        fn bound(&self, bits: IntegerBits) -> f64 {
            let n = self.inputs as f64;
            let norm = match bits {
                IntegerBits::Eight => 2_f64.powi(31) / (127.0 * n.sqrt()),
                IntegerBits::Sixteen => 2_f64.powf(15.5),
            };
            // A row of x has deviation 1: so long is a step.
            let step = (n.sqrt() / norm).max(5.0 / 32767.0);
            1e-5 + 5e-7 * n + 6.0 * 0.29 * step * n.sqrt()
        }

        fn close(&self, bits: IntegerBits, actual: Tensor<2>, expected: Tensor<2>) {
            let expected: Vec<f64> = values(expected).into_iter().map(f64::from).collect();
            let difference = largest_difference(&values(actual), &expected);
            let Self {
                rows,
                inputs,
                outputs,
            } = self;
            assert!(
                difference < self.bound(bits),
                "[{rows}, {inputs}] x [{outputs}, ..]: {difference:e} of {:e}",
                self.bound(bits)
            );
        }
    }

    const BITS: [IntegerBits; 2] = [IntegerBits::Eight, IntegerBits::Sixteen];

    #[test]
    fn agrees_with_the_plain_expression() {
        for (layer, bits) in LAYERS
            .iter()
            .flat_map(|layer| BITS.map(|bits| (layer, bits)))
        {
            let (x, weight, bias) = layer.tensors(bits);
            let plain = linear(x.clone(), weight.dequantised(), None);
            layer.close(bits, quantised_linear(x.clone(), &weight, None), plain);
            let plain = linear_gelu(x.clone(), weight.dequantised(), Some(bias.clone()));
            layer.close(bits, quantised_linear_gelu(x, &weight, Some(bias)), plain);
        }
    }

    #[test]
    fn weights_are_within_half_a_step() {
        let weight = normal(4, 30 * 50, 2.0);
        for (bits, most) in BITS.into_iter().zip([127.0, 32767.0]) {
            let quantised = QuantisedWeight::new(&weight, [30, 50], bits, &Device::flex());
            let back = values(quantised.dequantised());
            let scales = values(quantised.scales);
            for (i, (back, weight)) in back.iter().zip(&weight).enumerate() {
                assert!((back - weight).abs() <= 0.51 * scales[i / 50]);
                assert!(weight.abs() <= 1.001 * most * scales[i / 50]);
            }
        }
    }

    #[test]
    fn sums_do_not_overflow() {
        // All at their limits, of one sign and of both.
        for sign in [1.0, -1.0] {
            for (rows, inputs) in [(1, 5120), (20, 5120), (1, 66_000)] {
                for bits in BITS {
                    let x = tensor(vec![3.0; rows * inputs], [rows, inputs]);
                    let weight = vec![sign * 0.5; 7 * inputs];
                    let weight = QuantisedWeight::new(&weight, [7, inputs], bits, &Device::flex());
                    let expected = sign * 1.5 * inputs as f32;
                    for y in values(quantised_linear(x, &weight, None)) {
                        assert!((y / expected - 1.0).abs() < 1e-6, "{y} for {expected}");
                    }
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
        let (x, weight, bias) = layer.tensors(IntegerBits::Eight);
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
        for (rows, bits) in [1, 5, 400]
            .into_iter()
            .flat_map(|rows| BITS.map(|bits| (rows, bits)))
        {
            let layer = Layer {
                rows,
                inputs: 1030,
                outputs: 3000,
            };
            same_on_any_number_of_threads(|| {
                let (x, weight, bias) = layer.tensors(bits);
                values(quantised_linear_gelu(x, &weight, Some(bias)))
            });
        }
    }

    #[test]
    fn what_is_not_a_number_stays_so_and_zeros_are_exact() {
        let weight = QuantisedWeight::new(
            &normal(5, 20, 1.0),
            [4, 5],
            IntegerBits::Eight,
            &Device::flex(),
        );
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
        let weight = QuantisedWeight::new(&[0.0; 8], [2, 4], IntegerBits::Eight, &Device::flex());
        quantised_linear(tensor(vec![0.0; 6], [2, 3]), &weight, None);
    }
}
