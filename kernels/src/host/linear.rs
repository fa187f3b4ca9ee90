//! `x W^T + b` for a weight stored as `[outputs, inputs]`, the layout of checkpoints.

use rayon::prelude::*;
use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, SimdOp};

use super::gelu::gelu_serial;
use super::output::Output;
use super::panels::{Panels, Product, Rows};
use crate::backends::Activation;

/// Up to this many rows of `x` the weight is read once as it lies, row by row, as dot products;
/// for more it is worth packing.
const DOT_ROWS: usize = 8;

/// Weight elements (256 KiB) for which a task of dot products is worth its start.
const DOT_TASK: usize = 64 * 1024;

/// Outputs, and rows of `x`, of one task of the packed product.
const TASK_COLUMNS: usize = 128;
const TASK_ROWS: usize = 192;

/// `activation(x W^T + b)`: `x` `[rows, inputs]`, `weight` `[outputs, inputs]`, `bias` `[outputs]`;
/// the result is `[rows, outputs]`.
pub(crate) fn linear(
    x: Rows<'_>,
    weight: Rows<'_>,
    bias: Option<&[f32]>,
    activation: Activation,
) -> Vec<f32> {
    assert_eq!(
        x.columns(),
        weight.columns(),
        "linear: inputs of x and of the weight"
    );
    if let Some(bias) = bias {
        assert_eq!(bias.len(), weight.rows(), "linear: one bias per output");
    }
    let layer = Layer {
        x,
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
    unsafe { Output::collect(x.rows() * weight.rows(), fill) }
}

#[derive(Clone, Copy)]
struct Layer<'a> {
    x: Rows<'a>,
    weight: Rows<'a>,
    bias: Option<&'a [f32]>,
    activation: Activation,
}

impl Layer<'_> {
    fn by_dots(self, output: Output<'_>) {
        let outputs = self.weight.rows();
        // Whole groups of weight rows, so that only the last task has a remainder.
        let chunk = (DOT_TASK / self.weight.columns().max(1)).next_multiple_of(DOT_GROUP);
        let task = |first: usize| {
            let columns = first..outputs.min(first + chunk);
            Dots {
                layer: self,
                columns: columns.clone(),
                output,
            }
            .dispatch();
            if self.activation == Activation::Gelu {
                self.activate(output, 0..self.x.rows(), columns);
            }
        };
        if outputs <= chunk {
            task(0);
        } else {
            (0..outputs.div_ceil(chunk))
                .into_par_iter()
                .for_each(|i| task(i * chunk));
        }
    }

    fn by_panels(self, output: Output<'_>) {
        let (rows, outputs) = (self.x.rows(), self.weight.rows());
        (0..outputs.div_ceil(TASK_COLUMNS))
            .into_par_iter()
            .for_each(|i| {
                let columns = i * TASK_COLUMNS..outputs.min((i + 1) * TASK_COLUMNS);
                let mut panels = Panels::empty();
                panels.pack_transposed(self.weight.part(columns.clone(), 0..self.weight.columns()));
                let bias = self.bias.map(|bias| &bias[columns.clone()]);
                (0..rows.div_ceil(TASK_ROWS)).into_par_iter().for_each(|j| {
                    let tile_rows = j * TASK_ROWS..rows.min((j + 1) * TASK_ROWS);
                    // SAFETY: this task alone writes these rows and columns, and the last of them is
                    // inside the output.
                    unsafe {
                        let first = tile_rows.start * outputs + columns.start;
                        let len = (tile_rows.len() - 1) * outputs + columns.len();
                        Product {
                            left: self.x.part(tile_rows.clone(), 0..self.x.columns()),
                            right: &panels,
                            bias,
                            output: output.at(first, len),
                            output_stride: outputs,
                            exact: true,
                        }
                        .run();
                    }
                    if self.activation == Activation::Gelu {
                        self.activate(output, tile_rows, columns.clone());
                    }
                });
            });
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
                let start = output.at(row * self.weight.rows() + columns.start, columns.len());
                std::slice::from_raw_parts_mut(start, columns.len())
            };
            gelu_serial(values);
        }
    }
}

/// Weight rows taken together for one row of `x`.
const DOT_GROUP: usize = 8;

/// Dot products of every row of `x` with a range of weight rows.
///
/// Each sum runs over the inputs in one vector of partial sums, whatever rows are taken together:
/// a row of `x` has the same result alone and in a batch.
struct Dots<'a> {
    layer: Layer<'a>,
    columns: std::ops::Range<usize>,
    output: Output<'a>,
}

impl SimdOp for Dots<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let mut column = self.columns.start;
        while column < self.columns.end {
            let group = DOT_GROUP.min(self.columns.end - column);
            if group == DOT_GROUP {
                self.group::<I>(isa, column);
            } else {
                for column in column..column + group {
                    for row in 0..self.layer.x.rows() {
                        self.tile::<I, 1, 1>(isa, row, column);
                    }
                }
            }
            column += group;
        }
    }
}

impl Dots<'_> {
    /// All rows of `x` with [`DOT_GROUP`] rows of the weight from `column` on; the second and later
    /// passes over those find them in the first-level cache.
    #[inline(always)]
    fn group<I: Isa>(&self, isa: I, column: usize) {
        let rows = self.layer.x.rows();
        let mut row = 0;
        while row < rows {
            match rows - row {
                1 => {
                    self.tile::<I, 1, 8>(isa, row, column);
                    row += 1;
                }
                2 | 3 => {
                    self.tile::<I, 2, 4>(isa, row, column);
                    self.tile::<I, 2, 4>(isa, row, column + 4);
                    row += 2;
                }
                _ => {
                    for pair in (0..DOT_GROUP).step_by(2) {
                        self.tile::<I, 4, 2>(isa, row, column + pair);
                    }
                    row += 4;
                }
            }
        }
    }

    #[inline(always)]
    fn tile<I: Isa, const ROWS: usize, const COLUMNS: usize>(
        &self,
        isa: I,
        row: usize,
        column: usize,
    ) {
        let ops = isa.f32();
        let lanes = ops.len();
        let xs: [&[f32]; ROWS] = std::array::from_fn(|i| self.layer.x.row(row + i));
        let weights: [&[f32]; COLUMNS] = std::array::from_fn(|i| self.layer.weight.row(column + i));
        let inputs = self.layer.x.columns();

        let mut sums = [[ops.zero(); COLUMNS]; ROWS];
        let whole = inputs - inputs % lanes;
        let mut k = 0;
        while k < whole {
            // SAFETY: every row has `inputs` elements, and `k + lanes <= inputs`.
            unsafe {
                let w: [I::F32; COLUMNS] =
                    std::array::from_fn(|i| ops.load_ptr(weights[i].as_ptr().add(k)));
                for (sums, x) in sums.iter_mut().zip(xs) {
                    let x = ops.load_ptr(x.as_ptr().add(k));
                    for (sum, w) in sums.iter_mut().zip(w) {
                        *sum = ops.mul_add(x, w, *sum);
                    }
                }
            }
            k += lanes;
        }
        if whole < inputs {
            let w: [I::F32; COLUMNS] =
                std::array::from_fn(|i| ops.load_pad(&weights[i][whole..]).0);
            for (sums, x) in sums.iter_mut().zip(xs) {
                let x = ops.load_pad(&x[whole..]).0;
                for (sum, w) in sums.iter_mut().zip(w) {
                    *sum = ops.mul_add(x, w, *sum);
                }
            }
        }

        let outputs = self.layer.weight.rows();
        for (i, sums) in sums.into_iter().enumerate() {
            for (j, sum) in sums.into_iter().enumerate() {
                let bias = self.layer.bias.map_or(0.0, |bias| bias[column + j]);
                // SAFETY: this task alone writes these columns.
                unsafe {
                    *self.output.at((row + i) * outputs + column + j, 1) = ops.sum(sum) + bias;
                }
            }
        }
    }
}
