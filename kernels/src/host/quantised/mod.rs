//! `x W^T + b` for a weight of integers with one scale per output.
//!
//! Each row of `x` is rounded to integers with a scale of its own, the products are summed in 32-bit
//! integers without rounding, and the two scales, the bias and the activation are applied to the sums.
//! Integer sums do not depend on their order: the result is the same bits for any instruction set, any
//! number of threads and any rows beside.

mod dots;
mod integer;
mod panels;
pub(crate) mod peak;
pub(crate) mod refined;
mod rounded;
mod words;

pub(crate) use integer::Integer;
pub(crate) use rounded::quantise_rows;

use rounded::RoundedRows;

use rayon::prelude::*;

use super::gelu::gelu_serial;
use super::output::Output;
use super::panels::Rows;
use crate::backends::Activation;

/// Up to this many rows of `x` the weight is read once as it lies; for more it is worth packing.
const DOT_ROWS: usize = 16;

/// Weight elements (512 KiB, some 20 microseconds) for which a task of dot products is worth its start.
const DOT_TASK: usize = 512 * 1024;

/// Outputs, and rows of `x`, of one task of the packed product.
const TASK_COLUMNS: usize = 128;
const TASK_ROWS: usize = 192;

/// A weight `[outputs, inputs]` of integers from [`quantise_rows`], with the factor of each output.
#[derive(Clone, Copy)]
pub(crate) struct Weight<'a, T> {
    values: &'a [T],
    scales: &'a [f32],
    inputs: usize,
}

impl<'a, T> Weight<'a, T> {
    /// # Panics
    ///
    /// If the values are not `inputs` for each scale.
    pub(crate) fn new(values: &'a [T], scales: &'a [f32], inputs: usize) -> Self {
        assert_eq!(
            values.len(),
            scales.len() * inputs,
            "{inputs} inputs for each scale"
        );
        Self {
            values,
            scales,
            inputs,
        }
    }

    fn outputs(&self) -> usize {
        self.scales.len()
    }

    fn row(&self, output: usize) -> &'a [T] {
        &self.values[output * self.inputs..][..self.inputs]
    }
}

/// Rows of numbers that others are multiplied with, rounded and packed.
pub(crate) struct PackedRows {
    rounded: RoundedRows,
    panels: panels::Panels,
}

impl PackedRows {
    pub(crate) fn new(rows: Rows<'_>) -> Self {
        // As much room for the one side as for the other.
        let rounded = RoundedRows::new(rows, i16::most_norm(rows.columns()));
        let panels =
            panels::Panels::pack(rounded.as_weight(), 0..rows.rows(), panels::panel_width());
        Self { rounded, panels }
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rounded.rows()
    }

    /// The products of each row of `x` with each of these, `[rows of x, rows]`, on this thread.
    pub(crate) fn products(&self, x: Rows<'_>, output: Output<'_>) {
        let rounded = RoundedRows::new(x, i16::most_norm(x.columns()));
        let layer = Layer {
            x: &rounded,
            weight: self.rounded.as_weight(),
            bias: None,
            activation: Activation::None,
        };
        // SAFETY: the output is this thread's alone.
        unsafe { panels::run(layer, &self.panels, 0..x.rows(), output) };
    }
}

/// `activation(x W^T + b)`: `x` `[rows, inputs]`, `bias` `[outputs]`; the result is `[rows, outputs]`.
pub(crate) fn linear<T: Integer>(
    x: Rows<'_>,
    weight: Weight<'_, T>,
    bias: Option<&[f32]>,
    activation: Activation,
) -> Vec<f32> {
    assert_eq!(
        x.columns(),
        weight.inputs,
        "linear: inputs of x and of the weight"
    );
    if let Some(bias) = bias {
        assert_eq!(bias.len(), weight.outputs(), "linear: one bias per output");
    }
    let rounded = RoundedRows::new(x, T::most_norm(x.columns()));
    let layer = Layer {
        x: &rounded,
        weight,
        bias,
        activation,
    };
    let fill = |output: Output<'_>| {
        if x.rows() <= DOT_ROWS {
            layer.by_dots(output)
        } else {
            layer.by_panels(output)
        }
    };
    // SAFETY: both ways write all outputs of all rows.
    unsafe { Output::collect(x.rows() * weight.outputs(), fill) }
}

#[derive(Clone, Copy)]
struct Layer<'a, T> {
    x: &'a RoundedRows,
    weight: Weight<'a, T>,
    bias: Option<&'a [f32]>,
    activation: Activation,
}

impl<T: Integer> Layer<'_, T> {
    fn by_dots(self, output: Output<'_>) {
        let outputs = self.weight.outputs();
        let chunk = (DOT_TASK / self.weight.inputs.max(1)).next_multiple_of(dots::GROUP);
        let task = |columns: std::ops::Range<usize>| {
            // SAFETY: this task alone writes these columns.
            unsafe { dots::run(self, columns.clone(), output) };
            if self.activation == Activation::Gelu {
                self.activate(output, 0..self.x.rows(), columns);
            }
        };
        if outputs < 2 * chunk {
            task(0..outputs);
        } else {
            (0..outputs.div_ceil(chunk))
                .into_par_iter()
                .for_each(|i| task(i * chunk..outputs.min((i + 1) * chunk)));
        }
    }

    fn by_panels(self, output: Output<'_>) {
        let (rows, outputs) = (self.x.rows(), self.weight.outputs());
        let width = panels::panel_width();
        (0..outputs.div_ceil(TASK_COLUMNS))
            .into_par_iter()
            .for_each(|i| {
                let columns = i * TASK_COLUMNS..outputs.min((i + 1) * TASK_COLUMNS);
                let panels = panels::Panels::pack(self.weight, columns.clone(), width);
                (0..rows.div_ceil(TASK_ROWS)).into_par_iter().for_each(|j| {
                    let task_rows = j * TASK_ROWS..rows.min((j + 1) * TASK_ROWS);
                    // SAFETY: this task alone writes these rows and columns.
                    unsafe { panels::run(self, &panels, task_rows.clone(), output) };
                    if self.activation == Activation::Gelu {
                        self.activate(output, task_rows, columns.clone());
                    }
                });
            });
    }

    /// The result for an exact sum.
    #[inline(always)]
    fn scaled(&self, row: usize, column: usize, sum: i32) -> f32 {
        let scaled = sum as f32 * (self.x.scale(row) * self.weight.scales[column]);
        self.bias.map_or(scaled, |bias| scaled + bias[column])
    }

    /// Applies the activation to a block that this task has just written.
    fn activate(
        self,
        output: Output<'_>,
        rows: std::ops::Range<usize>,
        columns: std::ops::Range<usize>,
    ) {
        for row in rows {
            // SAFETY: the calling task alone uses this block and has written it.
            let values = unsafe {
                let start = output.at(row * self.weight.outputs() + columns.start, columns.len());
                std::slice::from_raw_parts_mut(start, columns.len())
            };
            gelu_serial(values);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::dots::Dots;
    use super::panels::{Panels, Product};
    use super::words::{Portable, Words, WordsOp};
    use super::*;
    use crate::test_support::normal;

    /// The portable code, by dots and by panels, beside what this machine takes.
    fn same_bits<T: Integer>(rows: usize, inputs: usize, outputs: usize) {
        let (x, weight) = (
            normal(1, rows * inputs, 1.0),
            normal(2, outputs * inputs, 1.0),
        );
        let bias = normal(3, outputs, 1.0);
        let (mut values, mut scales) = (vec![T::default(); weight.len()], vec![0.0; outputs]);
        quantise_rows(&weight, &mut values, &mut scales);
        let weight = Weight::new(&values, &scales, inputs);
        let x = Rows::new(&x, inputs, rows, inputs);
        let expected = linear(x, weight, Some(&bias), Activation::None);

        let rounded = RoundedRows::new(x, T::most_norm(inputs));
        let layer = Layer {
            x: &rounded,
            weight,
            bias: Some(&bias),
            activation: Activation::None,
        };
        let by_dots = |output: Output<'_>| {
            let columns = 0..outputs;
            // SAFETY: the portable code runs anywhere, and nothing else writes the output.
            unsafe {
                (Dots {
                    layer,
                    columns,
                    output,
                })
                .eval::<Portable>()
            }
        };
        let width = Portable::TILE_VECTORS * Portable::LANES;
        let panels = Panels::pack(weight, 0..outputs, width);
        let by_panels = |output: Output<'_>| {
            let product = Product {
                layer,
                panels: &panels,
                rows: 0..rows,
                output,
            };
            // SAFETY: as above.
            unsafe { product.eval::<Portable>() }
        };
        // SAFETY: both write all outputs of all rows.
        unsafe {
            assert!(Output::collect(rows * outputs, by_dots) == expected);
            assert!(Output::collect(rows * outputs, by_panels) == expected);
        }
    }

    #[test]
    fn results_do_not_depend_on_the_instruction_set() {
        for (rows, inputs, outputs) in [(1, 512, 70), (5, 77, 33), (40, 384, 130), (19, 33, 3)] {
            same_bits::<i8>(rows, inputs, outputs);
            same_bits::<i16>(rows, inputs, outputs);
        }
    }
}
