//! The output projection with weights of 8 bits, and of 16 where it matters.

use std::ops::Range;

use burn::backend::Dispatch;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use rayon::prelude::*;

use crate::backends::WhisperOps;
use crate::host::quantised::refined::{PARTS, quantise_rows_in_two};
use crate::quantised::outputs_at_once;

/// A weight of two integers of 8 bits, with one scale per output: the second ones count 256ths of the first ones' step.
#[derive(Clone, Debug)]
pub struct RefinedWeight {
    /// `[2, outputs, inputs]` of `i8`: the first integers, and behind them all second ones.
    pub values: Tensor<3, Int>,
    /// `[outputs]`, 0 or more.
    pub scales: Tensor<1>,
}

impl RefinedWeight {
    /// Rounds a weight `[outputs, inputs]`, of which `rows` gives each thread some outputs at a time.
    ///
    /// # Panics
    ///
    /// If `rows` gives another number of elements than those of the outputs that it is asked for.
    pub fn from_rows(
        rows: impl Fn(Range<usize>) -> Vec<f32> + Sync,
        [outputs, inputs]: [usize; 2],
        device: &Device,
    ) -> Self {
        let mut values = vec![0; 2 * outputs * inputs];
        let (first, second) = values.split_at_mut(outputs * inputs);
        let mut scales = vec![0.0; outputs];
        let at_once = outputs_at_once(inputs);
        let elements = (at_once * inputs).max(1);
        (first.par_chunks_mut(elements))
            .zip(second.par_chunks_mut(elements))
            .zip(scales.par_chunks_mut(at_once))
            .enumerate()
            .for_each(|(i, ((first, second), scales))| {
                let start = i * at_once;
                quantise_rows_in_two(&rows(start..start + scales.len()), first, second, scales);
            });
        let values = TensorData::new(values, [2, outputs, inputs]);
        Self {
            values: Tensor::from_data(values, (device, DType::I8)),
            scales: Tensor::from_data(TensorData::new(scales, [outputs]), (device, DType::F32)),
        }
    }

    /// The weight that the integers stand for, `[outputs, inputs]`.
    pub fn dequantised(&self) -> Tensor<2> {
        widened(self.values.clone(), self.scales.clone())
    }

    /// The rows of some outputs, `[n, inputs]`.
    pub fn rows(&self, outputs: Tensor<1, Int>) -> Tensor<2> {
        let values = self.values.clone().select(1, outputs.clone());
        widened(values, self.scales.clone().select(0, outputs))
    }
}

fn widened(values: Tensor<3, Int>, scales: Tensor<1>) -> Tensor<2> {
    let values = values.float().cast(DType::F32);
    let [first, second] = [0, 1].map(|part| values.clone().narrow(0, part, 1).squeeze_dim::<2>(0));
    (first + second / PARTS) * scales.unsqueeze_dim(1)
}

/// `x W^T` where only the largest results matter, as a projection on a vocabulary.
///
/// On flex all results are first those of the first integers, with rows of `x` rounded to 16 bits and exact sums, as
/// [`quantised_linear`](crate::quantised_linear) has them. Then the second integers are added where a result is at most 8 below the largest
/// of its row, or may be the largest of 1024 neighbours. A row's result is the same bits on any chip, with any number of threads and whatever
/// rows are beside it. Elsewhere the weight is brought to the element type of `x`, and all results have both integers.
///
/// # Shapes
///
/// - x: `[.., inputs]`
/// - weight: `[outputs, inputs]`
/// - result: `[.., outputs]`
///
/// # Panics
///
/// If the shapes do not fit.
pub fn refined_linear<const D: usize>(x: Tensor<D>, weight: &RefinedWeight) -> Tensor<D> {
    let [two, outputs, inputs] = weight.values.dims();
    assert_eq!(two, 2, "refined_linear: two integers for each weight");
    assert_eq!(
        x.dims()[D - 1],
        inputs,
        "refined_linear: inputs of x and of the weight"
    );
    assert_eq!(
        weight.scales.dims(),
        [outputs],
        "refined_linear: one scale per output"
    );
    Tensor::from_dispatch(Dispatch::refined_linear_without_bias(
        x.into_dispatch(),
        weight.values.clone().into_dispatch(),
        weight.scales.clone().into_dispatch(),
    ))
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::linear;
    use crate::test_support::{
        largest_difference, normal, same_on_any_number_of_threads, tensor, values,
    };

    /// As large as logits are: one of a row's is well above the rest.
    const ROWS: usize = 20;
    const INPUTS: usize = 130;
    const OUTPUTS: usize = 3000;

    fn tensors() -> (Tensor<2>, Vec<f32>, RefinedWeight) {
        let weight = normal(2, OUTPUTS * INPUTS, 0.4);
        let rows = |rows: Range<usize>| weight[rows.start * INPUTS..rows.end * INPUTS].to_vec();
        let refined = RefinedWeight::from_rows(rows, [OUTPUTS, INPUTS], &Device::flex());
        (
            tensor(normal(1, ROWS * INPUTS, 1.0), [ROWS, INPUTS]),
            weight,
            refined,
        )
    }

    fn largest(values: &[f32]) -> f32 {
        values.iter().copied().fold(f32::NEG_INFINITY, f32::max)
    }

    #[test]
    fn two_integers_hold_a_weight_to_sixteen_bits() {
        let (_, weight, refined) = tensors();
        let (back, scales) = (
            values(refined.dequantised()),
            values(refined.scales.clone()),
        );
        for (i, (back, weight)) in back.iter().zip(&weight).enumerate() {
            let bound = scales[i / INPUTS] / PARTS * 0.51 + 1e-6;
            assert!((back - weight).abs() <= bound, "{back} for {weight}");
        }
        let some = Tensor::<1, Int>::from_ints([7, 2999, 0], &Device::flex());
        let rows = values(refined.rows(some));
        for (row, output) in rows.chunks(INPUTS).zip([7, 2999, 0]) {
            assert_eq!(row, &back[output * INPUTS..][..INPUTS]);
        }
    }

    #[test]
    fn what_is_near_the_largest_is_exact_and_the_rest_close() {
        let (x, weight, refined) = tensors();
        let expected = values(linear(x.clone(), tensor(weight, [OUTPUTS, INPUTS]), None));
        let actual = values(refined_linear(x, &refined));
        for (actual, expected) in actual.chunks(OUTPUTS).zip(expected.chunks(OUTPUTS)) {
            let all: Vec<f64> = expected.iter().copied().map(f64::from).collect();
            assert!(largest_difference(actual, &all) < 0.3);
            let of_row = largest(expected);
            for (actual, expected) in actual.chunks(1024).zip(expected.chunks(1024)) {
                let of_neighbours = largest(expected);
                for (actual, expected) in actual.iter().zip(expected) {
                    if *expected > of_row - 7.7 || *expected == of_neighbours {
                        assert!((actual - expected).abs() < 4e-3, "{actual} for {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn results_depend_neither_on_threads_nor_on_other_rows() {
        let (x, _, refined) = tensors();
        let together = values(refined_linear(x.clone(), &refined));
        for row in [0, 15, 16, 19] {
            let alone = values(refined_linear(x.clone().narrow(0, row, 1), &refined));
            assert_eq!(alone, together[row * OUTPUTS..][..OUTPUTS]);
        }
        same_on_any_number_of_threads(|| {
            let (x, _, refined) = tensors();
            values(refined_linear(x, &refined))
        });
    }

    #[test]
    fn what_is_not_a_number_stays_so_and_zeros_are_exact() {
        let rows = |rows: Range<usize>| vec![0.5; 5 * rows.len()];
        let refined = RefinedWeight::from_rows(rows, [4, 5], &Device::flex());
        let x = vec![0.0, 0.0, 0.0, 0.0, 0.0, 1.0, f32::NAN, 1.0, 1.0, 1.0];
        let y = values(refined_linear(tensor(x, [2, 5]), &refined));
        assert_eq!(y[..4], [0.0; 4]);
        assert!(y[4..].iter().all(|y| y.is_nan()));
    }
}
