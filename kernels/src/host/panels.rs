//! Matrix products `[rows, depth] x [depth, columns]` with the right side packed in panels.
//!
//! A panel is a few columns wide (as many as the accumulators of one tile hold) and lies in memory
//! depth by depth, so a tile reads it as one stream. The left side is read in place. This is the
//! classic scheme of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication"
//! (2008), with the depth cut into blocks that keep one panel in the first-level cache.

use std::ops::Range;

use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, SimdOp};

use super::stored::Stored;

/// Rows of the output that one tile computes.
pub(super) const TILE_ROWS: usize = 6;

/// Depth of a block: sums over at most this many products run in one accumulator.
pub(super) const BLOCK_DEPTH: usize = 256;

/// A matrix in memory: rows of contiguous elements, `row_stride` elements apart.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a, T = f32> {
    data: &'a [T],
    row_stride: usize,
    rows: usize,
    columns: usize,
}

impl<'a, T> Rows<'a, T> {
    /// The matrix whose row `i` is `data[i * row_stride..][..columns]`.
    ///
    /// # Panics
    ///
    /// If `data` ends before the last row does.
    pub(crate) fn new(data: &'a [T], row_stride: usize, rows: usize, columns: usize) -> Self {
        assert!(
            rows == 0 || (rows - 1) * row_stride + columns <= data.len(),
            "a matrix of {rows} rows of {columns}, {row_stride} apart, does not fit {} elements",
            data.len()
        );
        Self {
            data,
            row_stride,
            rows,
            columns,
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    pub(crate) fn row(&self, row: usize) -> &'a [T] {
        &self.data[row * self.row_stride..][..self.columns]
    }

    /// All elements, where there are none between the rows.
    ///
    /// # Panics
    ///
    /// If there are.
    pub(crate) fn all(&self) -> &'a [T] {
        assert!(
            self.row_stride == self.columns || self.rows <= 1,
            "rows without gaps"
        );
        &self.data[..self.rows * self.columns]
    }

    /// Where row `row` begins, and how far from it the next one does.
    #[inline(always)]
    pub(super) fn row_pointer(&self, row: usize) -> (*const T, usize) {
        (
            self.data.as_ptr().wrapping_add(row * self.row_stride),
            self.row_stride,
        )
    }

    /// The matrix of the given rows and columns of this one.
    pub(crate) fn part(&self, rows: Range<usize>, columns: Range<usize>) -> Self {
        assert!(
            rows.end <= self.rows && columns.end <= self.columns,
            "part lies in the matrix"
        );
        if rows.is_empty() {
            return Self {
                data: &[],
                row_stride: 0,
                rows: 0,
                columns: columns.len(),
            };
        }
        let start = rows.start * self.row_stride + columns.start;
        Self::new(
            &self.data[start..],
            self.row_stride,
            rows.len(),
            columns.len(),
        )
    }
}

/// How many vectors of columns one tile holds: with [`TILE_ROWS`] rows the accumulators, one row
/// of the panel and one broadcast element fill the registers (16 of them, or 32).
#[inline(always)]
fn tile_vectors(lanes: usize) -> usize {
    let has_32_registers = lanes == 16 || cfg!(target_arch = "aarch64");
    if has_32_registers { 4 } else { 2 }
}

/// Columns of a panel on a machine with the widest vectors.
const WIDEST_PANEL: usize = 64;

/// Columns of a panel on this machine.
pub(super) fn panel_width() -> usize {
    struct Width;
    impl SimdOp for Width {
        type Output = usize;

        #[inline(always)]
        fn eval<I: Isa>(self, isa: I) -> usize {
            let lanes = isa.f32().len();
            tile_vectors(lanes) * lanes
        }
    }
    Width.dispatch()
}

/// The right side of a product, packed: blocks of depth, in each the panels, in each the depths.
/// Missing columns of the last panel are 0.
pub(super) struct Panels {
    data: Vec<f32>,
    width: usize,
    depth: usize,
    columns: usize,
}

impl Panels {
    /// An empty buffer to pack into, for reuse.
    pub(super) fn empty() -> Self {
        Self {
            data: Vec::new(),
            width: panel_width(),
            depth: 0,
            columns: 0,
        }
    }

    /// Columns with those that fill up the last panel.
    pub(super) fn padded_columns(&self) -> usize {
        self.columns.next_multiple_of(self.width)
    }

    fn resize(&mut self, depth: usize, columns: usize) {
        self.depth = depth;
        self.columns = columns;
        self.data.resize(depth * self.padded_columns(), 0.0);
    }

    /// Packs the matrix `[depth, columns]`.
    pub(super) fn pack<T: Stored>(&mut self, matrix: Rows<'_, T>) {
        self.resize(matrix.rows(), matrix.columns());
        let (width, columns) = (self.width, self.columns);
        let mut panels = self.data.as_mut_slice();
        for depths in blocks(self.depth) {
            for first in (0..columns).step_by(width) {
                let (panel, rest) = panels.split_at_mut(depths.len() * width);
                panels = rest;
                let used = width.min(columns - first);
                for (row, target) in depths.clone().zip(panel.chunks_exact_mut(width)) {
                    let (target, padding) = target.split_at_mut(used);
                    T::widen_all(&matrix.row(row)[first..first + used], target);
                    padding.fill(0.0);
                }
            }
        }
    }

    /// Packs the matrix `[depth, columns]` given as its transpose `[columns, depth]`.
    pub(super) fn pack_transposed<T: Stored>(&mut self, matrix: Rows<'_, T>) {
        self.resize(matrix.columns(), matrix.rows());
        let (width, columns) = (self.width, self.columns);
        let mut panels = self.data.as_mut_slice();
        let mut widened = [0.0; BLOCK_DEPTH];
        for depths in blocks(self.depth) {
            let widened = &mut widened[..depths.len()];
            for first in (0..columns).step_by(width) {
                let (panel, rest) = panels.split_at_mut(depths.len() * width);
                panels = rest;
                let used = width.min(columns - first);
                if used < width {
                    panel.fill(0.0);
                }
                for column in 0..used {
                    T::widen_all(&matrix.row(first + column)[depths.clone()], widened);
                    let targets = panel[column..].iter_mut().step_by(width);
                    for (target, value) in targets.zip(&*widened) {
                        *target = *value;
                    }
                }
            }
        }
    }

    /// The packed block that starts at `depth`, its panels one after the other.
    fn block(&self, depths: &Range<usize>) -> &[f32] {
        let padded = self.padded_columns();
        &self.data[depths.start * padded..depths.end * padded]
    }
}

/// The depth in blocks of at most [`BLOCK_DEPTH`].
fn blocks(depth: usize) -> impl Iterator<Item = Range<usize>> {
    (0..depth)
        .step_by(BLOCK_DEPTH)
        .map(move |start| start..depth.min(start + BLOCK_DEPTH))
}

/// `output = left x right + bias`, where `output` has [`Panels::padded_columns`] columns that may
/// be written or, if `exact`, only the true ones.
pub(super) struct Product<'a> {
    /// `[rows, depth]`.
    pub(super) left: Rows<'a>,
    /// `[depth, columns]`.
    pub(super) right: &'a Panels,
    /// One value per column.
    pub(super) bias: Option<&'a [f32]>,
    pub(super) output: *mut f32,
    pub(super) output_stride: usize,
    /// Whether the padding columns of the output may not be written.
    pub(super) exact: bool,
}

impl Product<'_> {
    /// Computes the product on this thread.
    ///
    /// # Safety
    ///
    /// Row `i` of the output, `output.add(i * output_stride)`, may be written for all columns (the
    /// padded ones unless `exact`), and nothing else accesses it meanwhile.
    pub(super) unsafe fn run(self) {
        assert_eq!(
            self.left.columns(),
            self.right.depth,
            "depths of the two sides"
        );
        if let Some(bias) = self.bias {
            assert_eq!(bias.len(), self.right.columns, "one bias per column");
        }
        self.dispatch();
    }
}

impl SimdOp for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        // SAFETY: `run` is the only caller and has the same requirements.
        unsafe {
            match tile_vectors(isa.f32().len()) {
                4 => self.eval_with::<I, 4>(isa),
                _ => self.eval_with::<I, 2>(isa),
            }
        }
    }
}

impl Product<'_> {
    /// # Safety
    ///
    /// As for [`Product::run`].
    #[inline(always)]
    unsafe fn eval_with<I: Isa, const VECTORS: usize>(self, isa: I) {
        let width = VECTORS * isa.f32().len();
        debug_assert_eq!(width, self.right.width);
        let (rows, columns) = (self.left.rows(), self.right.columns);
        // Tiles that reach past the true columns are made here and copied.
        let mut edge = [0.0_f32; TILE_ROWS * WIDEST_PANEL];
        let mut panel_bias = [0.0_f32; WIDEST_PANEL];

        for depths in blocks(self.right.depth) {
            let panels = self.right.block(&depths).chunks_exact(depths.len() * width);
            for (panel, first_column) in panels.zip((0..).step_by(width)) {
                let used = width.min(columns - first_column);
                let base = match self.bias {
                    _ if depths.start > 0 => Base::Tile,
                    Some(bias) => {
                        let bias = &bias[first_column..first_column + used];
                        panel_bias[..used].copy_from_slice(bias);
                        Base::Bias(&panel_bias[..width])
                    }
                    None => Base::Zero,
                };
                for first_row in (0..rows).step_by(TILE_ROWS) {
                    let tile_rows = TILE_ROWS.min(rows - first_row);
                    let left = self
                        .left
                        .part(first_row..first_row + tile_rows, depths.clone());
                    // SAFETY: the element is inside the output.
                    let target = unsafe {
                        self.output
                            .add(first_row * self.output_stride + first_column)
                    };
                    let at_edge = used < width && self.exact;
                    let (tile, stride) = if at_edge {
                        (edge.as_mut_ptr(), width)
                    } else {
                        (target, self.output_stride)
                    };

                    if at_edge && depths.start > 0 {
                        // SAFETY: `used` columns of the output row exist and were written.
                        unsafe {
                            copy_tile(target, self.output_stride, tile, stride, tile_rows, used)
                        };
                    }

                    // SAFETY: the tile is writable for `tile_rows` rows of `width` columns.
                    unsafe {
                        match tile_rows {
                            6 => {
                                compute_tile::<I, 6, VECTORS>(isa, left, panel, base, tile, stride)
                            }
                            5 => {
                                compute_tile::<I, 5, VECTORS>(isa, left, panel, base, tile, stride)
                            }
                            4 => {
                                compute_tile::<I, 4, VECTORS>(isa, left, panel, base, tile, stride)
                            }
                            3 => {
                                compute_tile::<I, 3, VECTORS>(isa, left, panel, base, tile, stride)
                            }
                            2 => {
                                compute_tile::<I, 2, VECTORS>(isa, left, panel, base, tile, stride)
                            }
                            _ => {
                                compute_tile::<I, 1, VECTORS>(isa, left, panel, base, tile, stride)
                            }
                        }
                    }

                    if at_edge {
                        // SAFETY: `used` columns of the output row may be written.
                        unsafe {
                            copy_tile(tile, stride, target, self.output_stride, tile_rows, used)
                        };
                    }
                }
            }
        }
    }
}

/// Copies `columns` elements of each of `rows` rows.
///
/// # Safety
///
/// All of them can be read at `from` and written at `to`, and the two do not overlap.
unsafe fn copy_tile(
    from: *const f32,
    from_stride: usize,
    to: *mut f32,
    to_stride: usize,
    rows: usize,
    columns: usize,
) {
    for row in 0..rows {
        // SAFETY: the caller vouches for the whole of both tiles.
        unsafe {
            let (from, to) = (from.add(row * from_stride), to.add(row * to_stride));
            std::ptr::copy_nonoverlapping(from, to, columns);
        }
    }
}

/// What a tile of sums is added to.
#[derive(Clone, Copy)]
enum Base<'a> {
    Zero,
    /// One value per column of the panel.
    Bias(&'a [f32]),
    /// What the output holds: the sums over the depths before.
    Tile,
}

/// `tile = base + left x panel` for `ROWS` rows and `VECTORS` vectors of columns.
///
/// # Safety
///
/// `tile.add(row * stride)` can be read and written for the width of the panel.
#[inline(always)]
unsafe fn compute_tile<I: Isa, const ROWS: usize, const VECTORS: usize>(
    isa: I,
    left: Rows<'_>,
    panel: &[f32],
    base: Base<'_>,
    tile: *mut f32,
    stride: usize,
) {
    let ops = isa.f32();
    let lanes = ops.len();
    let depth = left.columns;
    assert!(
        left.rows == ROWS && panel.len() == depth * VECTORS * lanes,
        "tile and panel match"
    );

    let mut rows = [left.data.as_ptr(); ROWS];
    for (row, pointer) in rows.iter_mut().enumerate() {
        *pointer = pointer.wrapping_add(row * left.row_stride);
    }
    let panel_start = panel.as_ptr();
    let mut sums = [[ops.zero(); VECTORS]; ROWS];
    for k in 0..depth {
        // SAFETY: `k` is below the depth of both sides; `Rows` holds the last row in full.
        unsafe {
            let mut right = [ops.zero(); VECTORS];
            for (v, vector) in right.iter_mut().enumerate() {
                *vector = ops.load_ptr(panel_start.add((k * VECTORS + v) * lanes));
            }
            for (sums, row) in sums.iter_mut().zip(rows) {
                let factor = ops.splat(*row.add(k));
                for (sum, right) in sums.iter_mut().zip(right) {
                    *sum = ops.mul_add(factor, right, *sum);
                }
            }
        }
    }
    for (row, sums) in sums.into_iter().enumerate() {
        for (v, sum) in sums.into_iter().enumerate() {
            // SAFETY: the caller vouches for the tile.
            unsafe {
                let target = tile.add(row * stride + v * lanes);
                let sum = match base {
                    Base::Zero => sum,
                    Base::Bias(bias) => ops.add(ops.load(&bias[v * lanes..]), sum),
                    Base::Tile => ops.add(ops.load_ptr(target), sum),
                };
                ops.store_ptr(sum, target);
            }
        }
    }
}
