//! Products of many rows: the weight is packed in panels, as [`crate::host::panels`] has them, of pairs.

use std::ops::Range;

use super::words::{self, MOST_LANES, PAIR, Words, WordsOp, pair};
use super::{Integer, Layer, Output, Weight};

/// Rows of the output that one tile computes.
const TILE_ROWS: usize = 6;

/// Columns of the widest panel.
const WIDEST_PANEL: usize = 4 * MOST_LANES;

/// Some outputs of a weight, packed: in each panel the pairs of inputs, of each those of all columns.
pub(super) struct Panels {
    words: Vec<i32>,
    width: usize,
    pairs: usize,
    columns: Range<usize>,
}

impl Panels {
    /// Packs a range of outputs in panels of so many columns.
    pub(super) fn pack<T: Integer>(
        weight: Weight<'_, T>,
        columns: Range<usize>,
        width: usize,
    ) -> Self {
        let pairs = weight.inputs.div_ceil(PAIR);
        let mut packed = vec![0; columns.len().next_multiple_of(width) * pairs];
        for (panel, first) in packed
            .chunks_exact_mut((width * pairs).max(1))
            .zip(columns.clone().step_by(width))
        {
            for column in first..columns.end.min(first + width) {
                let row = weight.row(column).chunks(PAIR);
                let words = panel[column - first..].iter_mut().step_by(width);
                for (word, numbers) in words.zip(row) {
                    let second = numbers.get(1).map_or(0, |second| second.widen());
                    *word = pair(numbers[0].widen(), second);
                }
            }
        }
        Self {
            words: packed,
            width,
            pairs,
            columns,
        }
    }
}

/// Columns of a panel on this machine.
pub(super) fn panel_width() -> usize {
    // SAFETY: the operation reads the instruction set's constants alone.
    unsafe { words::dispatch(PanelWidth) }
}

struct PanelWidth;

impl WordsOp for PanelWidth {
    type Output = usize;

    #[inline(always)]
    unsafe fn eval<W: Words>(self) -> usize {
        W::TILE_VECTORS * W::LANES
    }
}

/// A range of rows of `x` with the outputs of some panels.
///
/// # Safety
///
/// Nothing else accesses these outputs of these rows meanwhile.
pub(super) unsafe fn run<T: Integer>(
    layer: Layer<'_, T>,
    panels: &Panels,
    rows: Range<usize>,
    output: Output<'_>,
) {
    let product = Product {
        layer,
        panels,
        rows,
        output,
    };
    // SAFETY: the caller vouches for the outputs.
    unsafe { words::dispatch(product) }
}

pub(super) struct Product<'a, T> {
    pub(super) layer: Layer<'a, T>,
    pub(super) panels: &'a Panels,
    pub(super) rows: Range<usize>,
    pub(super) output: Output<'a>,
}

impl<T: Integer> WordsOp for Product<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn eval<W: Words>(self) {
        // SAFETY: the caller vouches for the outputs and the instruction set.
        unsafe {
            match W::TILE_VECTORS {
                4 => self.eval_with::<W, 4>(),
                _ => self.eval_with::<W, 2>(),
            }
        }
    }
}

impl<T: Integer> Product<'_, T> {
    /// # Safety
    ///
    /// As for [`run`]; the chip has the instruction set.
    #[inline(always)]
    unsafe fn eval_with<W: Words, const VECTORS: usize>(self) {
        let Panels {
            words,
            width,
            pairs,
            columns,
        } = self.panels;
        let panels = words.chunks_exact((width * pairs).max(1));
        for (panel, first_column) in panels.zip(columns.clone().step_by(*width)) {
            for row in self.rows.clone().step_by(TILE_ROWS) {
                // SAFETY: the rows taken are in the range; the caller vouches for the rest.
                unsafe {
                    match self.rows.end - row {
                        1 => self.tile::<W, 1, VECTORS>(panel, row, first_column),
                        2 => self.tile::<W, 2, VECTORS>(panel, row, first_column),
                        3 => self.tile::<W, 3, VECTORS>(panel, row, first_column),
                        4 => self.tile::<W, 4, VECTORS>(panel, row, first_column),
                        5 => self.tile::<W, 5, VECTORS>(panel, row, first_column),
                        _ => self.tile::<W, TILE_ROWS, VECTORS>(panel, row, first_column),
                    }
                }
            }
        }
    }

    /// `ROWS` rows of `x` with a panel, whose first column is output `first_column`.
    ///
    /// # Safety
    ///
    /// As for [`run`]; the chip has the instruction set.
    #[inline(always)]
    unsafe fn tile<W: Words, const ROWS: usize, const VECTORS: usize>(
        &self,
        panel: &[i32],
        row: usize,
        first_column: usize,
    ) {
        let (layer, pairs) = (self.layer, self.panels.pairs);
        let width = VECTORS * W::LANES;
        assert!(panel.len() == pairs * width, "tile and panel match");
        let x: [&[i16]; ROWS] = std::array::from_fn(|i| layer.x.row(row + i));
        assert!(x.iter().all(|x| x.len() == pairs * PAIR));

        // SAFETY: by the assertions the pairs of both sides exist.
        let vectors = unsafe {
            let mut vectors = [[W::zero(); VECTORS]; ROWS];
            let panel = panel.as_ptr();
            let x = x.map(|x| x.as_ptr().cast::<i32>());
            for k in 0..pairs {
                let w: [W::Vector; VECTORS] =
                    std::array::from_fn(|v| W::load(panel.add((k * VECTORS + v) * W::LANES)));
                for (vectors, x) in vectors.iter_mut().zip(x) {
                    let x = W::splat(x.add(k).read_unaligned());
                    for (vector, w) in vectors.iter_mut().zip(w) {
                        *vector = W::add_products(*vector, x, w);
                    }
                }
            }
            vectors
        };

        let used = first_column..self.panels.columns.end.min(first_column + width);
        let scales = &layer.weight.scales[used.clone()];
        let biases = layer.bias.map(|bias| &bias[used.clone()]);
        for (i, vectors) in vectors.into_iter().enumerate() {
            let (row, n) = (row + i, used.len());
            // SAFETY: this task alone writes these outputs.
            let target = unsafe {
                self.output
                    .at(row * layer.weight.outputs() + first_column, n)
            };
            let x_scale = layer.x.scale(row);
            if n == width {
                for (v, vector) in vectors.into_iter().enumerate() {
                    let first = v * W::LANES;
                    // SAFETY: scales, biases and outputs are as many as the panel is wide.
                    unsafe {
                        let scales = scales.as_ptr().add(first);
                        let biases = biases.map(|biases| biases.as_ptr().add(first));
                        W::write_scaled(vector, x_scale, scales, biases, target.add(first));
                    }
                }
            } else {
                let mut sums = [0; WIDEST_PANEL];
                for (sums, vector) in sums.chunks_exact_mut(W::LANES).zip(vectors) {
                    // SAFETY: there is room for the lanes.
                    unsafe { W::store(vector, sums.as_mut_ptr()) };
                }
                for (j, sum) in sums[..n].iter().enumerate() {
                    // SAFETY: `j` is below the number of outputs.
                    unsafe {
                        target
                            .add(j)
                            .write(layer.scaled(row, first_column + j, *sum))
                    };
                }
            }
        }
    }
}
