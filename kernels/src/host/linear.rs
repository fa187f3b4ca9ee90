//! `x W^T + b` for a weight stored as `[outputs, inputs]`, the layout of checkpoints.

use rayon::prelude::*;
use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, SimdOp};

use super::gelu::gelu_serial;
use super::output::Output;
use super::panels::{Panels, Product, Rows};
use super::stored::Stored;
use crate::backends::Activation;

/// Up to this many rows of `x` the weight is read once as it lies, row by row, as dot products;
/// for more it is worth packing.
pub(crate) const DOT_ROWS: usize = 32;

/// Weight elements (1 MiB, some 20 microseconds) for which a task of dot products is worth its
/// start from outside the thread pool.
const DOT_TASK: usize = 128 * 1024;

/// Outputs, and rows of `x`, of one task of the packed product.
const TASK_COLUMNS: usize = 128;
const TASK_ROWS: usize = 192;

/// `activation(x W^T + b)`: `x` `[rows, inputs]`, `weight` `[outputs, inputs]`, `bias` `[outputs]`;
/// the result is `[rows, outputs]`.
pub(crate) fn linear<T: Stored>(
    x: Rows<'_>,
    weight: Rows<'_, T>,
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
    // SAFETY: all outputs of all rows are written.
    unsafe { Output::collect(x.rows() * weight.rows(), |output| layer.fill(output)) }
}

/// A layer and what it is applied to, as for [`linear`].
#[derive(Clone, Copy)]
pub(super) struct Layer<'a, T> {
    pub(super) x: Rows<'a>,
    pub(super) weight: Rows<'a, T>,
    pub(super) bias: Option<&'a [f32]>,
    pub(super) activation: Activation,
}

impl<T: Stored> Layer<'_, T> {
    /// Writes all outputs of all rows.
    pub(super) fn fill(self, output: Output<'_>) {
        if self.x.rows() <= DOT_ROWS {
            self.by_dots(output)
        } else {
            self.by_panels(output)
        }
    }

    fn by_dots(self, output: Output<'_>) {
        let outputs = self.weight.rows();
        // Whole groups of weight rows, so that only the last task has a remainder.
        let chunk = (DOT_TASK / self.weight.columns().max(1)).next_multiple_of(DOT_GROUP);
        let task = |columns: std::ops::Range<usize>| {
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
        if outputs < 2 * chunk {
            task(0..outputs);
        } else {
            (0..outputs.div_ceil(chunk))
                .into_par_iter()
                .for_each(|i| task(i * chunk..outputs.min((i + 1) * chunk)));
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
const DOT_GROUP: usize = 2;

/// Vectors of partial sums of each dot product, which are taken two at a time.
const PARTS: usize = 4;

/// How many bytes of the weight ahead of their use are fetched.
const PREFETCH: usize = 8 * 1024;

/// Dot products of every row of `x` with a range of weight rows.
///
/// Each sum runs over the inputs in one vector of partial sums, whatever rows are taken together:
/// a row of `x` has the same result alone and in a batch.
struct Dots<'a, T> {
    layer: Layer<'a, T>,
    columns: std::ops::Range<usize>,
    output: Output<'a>,
}

impl<T: Stored> SimdOp for Dots<'_, T> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let Layer { x, weight, .. } = self.layer;
        assert!(self.columns.end <= weight.rows() && x.columns() == weight.columns());
        let mut column = self.columns.start;
        // SAFETY: the rows of `x` and, by the assertion, of the weight exist and are of one
        // length.
        unsafe {
            while column + DOT_GROUP <= self.columns.end {
                self.group(isa, column);
                column += DOT_GROUP;
            }
            for column in column..self.columns.end {
                for row in 0..x.rows() {
                    self.tile::<I, 1, 1>(isa, row, column);
                }
            }
        }
    }
}

impl<T: Stored> Dots<'_, T> {
    /// All rows of `x` with [`DOT_GROUP`] rows of the weight from `column` on; the second and later
    /// passes over those find them in the first-level cache.
    ///
    /// # Safety
    ///
    /// The rows of the weight exist, and have as many columns as `x`.
    #[inline(always)]
    unsafe fn group<I: Isa>(&self, isa: I, column: usize) {
        let rows = self.layer.x.rows();
        let mut row = 0;
        // SAFETY: the rows taken are below `rows`; the caller vouches for the columns.
        unsafe {
            while row + 2 <= rows {
                for column in column..column + DOT_GROUP {
                    self.tile::<I, 2, 1>(isa, row, column);
                }
                row += 2;
            }
            if row < rows {
                self.tile::<I, 1, DOT_GROUP>(isa, row, column);
            }
        }
    }

    /// `ROWS` rows of `x` with `COLUMNS` rows of the weight.
    ///
    /// # Safety
    ///
    /// All of them exist, and have as many columns as `x`.
    #[inline(always)]
    unsafe fn tile<I: Isa, const ROWS: usize, const COLUMNS: usize>(
        &self,
        isa: I,
        row: usize,
        column: usize,
    ) {
        let Layer {
            x, weight, bias, ..
        } = self.layer;
        let ops = isa.f32();
        let lanes = ops.len();
        let inputs = x.columns();
        let (x, x_stride) = x.row_pointer(row);
        let (w, w_stride) = weight.row_pointer(column);

        let mut sums = [[[ops.zero(); PARTS]; COLUMNS]; ROWS];
        let mut k = 0;
        while k + PARTS * lanes <= inputs {
            for part in [0, 2] {
                let k = k + part * lanes;
                // SAFETY: the caller vouches for the rows, and `k + 2 * lanes <= inputs`. A prefetch
                // reads nothing.
                unsafe {
                    // First, as compilers move no load past a prefetch to where it is multiplied.
                    for j in 0..COLUMNS {
                        let w = w.add(j * w_stride + k).cast::<f32>();
                        ops.prefetch(w.wrapping_byte_add(PREFETCH));
                    }
                    let ws: [[I::F32; 2]; COLUMNS] =
                        std::array::from_fn(|j| T::load_two(isa, w.add(j * w_stride + k)));
                    for (i, sums) in sums.iter_mut().enumerate() {
                        let x = f32::load_two(isa, x.add(i * x_stride + k));
                        for (sum, w) in sums.iter_mut().zip(ws) {
                            sum[part] = ops.mul_add(x[0], w[0], sum[part]);
                            sum[part + 1] = ops.mul_add(x[1], w[1], sum[part + 1]);
                        }
                    }
                }
            }
            k += PARTS * lanes;
        }
        let mut rests = [[0.0; COLUMNS]; ROWS];
        if k < inputs {
            for (i, rests) in rests.iter_mut().enumerate() {
                for (j, rest) in rests.iter_mut().enumerate() {
                    *rest = sum_of_rest(self.layer.x.row(row + i), weight.row(column + j), k);
                }
            }
        }

        let outputs = weight.rows();
        for (i, (sums, rests)) in sums.into_iter().zip(rests).enumerate() {
            // SAFETY: this task alone writes these columns.
            let target = unsafe { self.output.at((row + i) * outputs + column, COLUMNS) };
            for (j, (sum, rest)) in sums.into_iter().zip(rests).enumerate() {
                let bias = bias.map_or(0.0, |bias| bias[column + j]);
                let sum = ops.add(ops.add(sum[0], sum[1]), ops.add(sum[2], sum[3]));
                // SAFETY: `j` is below `COLUMNS`.
                unsafe { *target.add(j) = ops.sum(sum) + rest + bias };
            }
        }
    }
}

/// The sum of products from one input on, of layers whose width is no multiple of the vectors taken together: none of Whisper's. Apart, so
/// that the loop before it keeps its registers.
#[inline(never)]
fn sum_of_rest<T: Stored>(x: &[f32], w: &[T], from: usize) -> f32 {
    let products = x[from..].iter().zip(&w[from..]);
    products.map(|(x, w)| x * w.widen()).sum()
}
