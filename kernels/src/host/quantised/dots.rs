//! Products of a few rows: the weight is read once, in the order of memory, as dot products.

use std::ops::Range;

use super::words::{self, PAIR, Words, WordsOp};
use super::{Integer, Layer, Output};

/// Weight rows taken together.
pub(super) const GROUP: usize = 4;

/// Bytes of a cache line, which no vector of weights is longer than.
pub(super) const LINE: usize = 64;

/// How many bytes of the weight ahead of their use are fetched.
const PREFETCH: usize = 8192;

/// All rows of `x` with a range of outputs.
///
/// # Safety
///
/// Nothing else accesses these outputs meanwhile.
pub(super) unsafe fn run<T: Integer>(
    layer: Layer<'_, T>,
    columns: Range<usize>,
    output: Output<'_>,
) {
    let dots = Dots {
        layer,
        columns,
        output,
    };
    // SAFETY: the caller vouches for the outputs.
    unsafe { words::dispatch(dots) }
}

pub(super) struct Dots<'a, T> {
    pub(super) layer: Layer<'a, T>,
    pub(super) columns: Range<usize>,
    pub(super) output: Output<'a>,
}

impl<T: Integer> WordsOp for Dots<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn eval<W: Words>(self) {
        let rows = self.layer.x.rows();
        let mut column = self.columns.start;
        // SAFETY: the rows and columns taken exist, and the caller vouches for the rest.
        unsafe {
            while column + GROUP <= self.columns.end {
                let mut row = 0;
                while row + 2 <= rows {
                    self.tile::<W, 2, GROUP>(row, column);
                    row += 2;
                }
                if row < rows {
                    self.tile::<W, 1, GROUP>(row, column);
                }
                column += GROUP;
            }
            for column in column..self.columns.end {
                for row in 0..rows {
                    self.tile::<W, 1, 1>(row, column);
                }
            }
        }
    }
}

impl<T: Integer> Dots<'_, T> {
    /// `ROWS` rows of `x` with `COLUMNS` rows of the weight.
    ///
    /// # Safety
    ///
    /// They exist; this task alone writes the outputs; the chip has the instruction set.
    #[inline(always)]
    unsafe fn tile<W: Words, const ROWS: usize, const COLUMNS: usize>(
        &self,
        row: usize,
        column: usize,
    ) {
        let layer = self.layer;
        let x: [&[i16]; ROWS] = std::array::from_fn(|i| layer.x.row(row + i));
        let w: [&[T]; COLUMNS] = std::array::from_fn(|i| layer.weight.row(column + i));
        // SAFETY: rows of `x` are at least as long as those of the weight; the caller vouches for the instruction set.
        let totals = unsafe { sums_of_products::<W, T, ROWS, COLUMNS>(x, w) };
        for (i, totals) in totals.into_iter().enumerate() {
            // SAFETY: this task alone writes these outputs.
            unsafe {
                let target = (self.output).at((row + i) * layer.weight.outputs() + column, COLUMNS);
                for (j, total) in totals.into_iter().enumerate() {
                    *target.add(j) = layer.scaled(row + i, column + j, total);
                }
            }
        }
    }
}

/// The sum of products of each row of `x` with each of the weight.
///
/// # Safety
///
/// The rows of the weight are of one length, those of `x` at least as long; the chip has the instruction set.
#[inline(always)]
pub(super) unsafe fn sums_of_products<
    W: Words,
    T: Integer,
    const ROWS: usize,
    const COLUMNS: usize,
>(
    x: [&[i16]; ROWS],
    w: [&[T]; COLUMNS],
) -> [[i32; COLUMNS]; ROWS] {
    let inputs = w[0].len();
    let step = PAIR * W::LANES;
    let line = LINE / size_of::<T>();
    let whole = inputs / line * line;
    let mut totals = [[0; COLUMNS]; ROWS];
    // SAFETY: the rows of both sides have at least `whole` elements; a prefetch reads nothing.
    unsafe {
        let mut sums = [[W::zero(); COLUMNS]; ROWS];
        for first in (0..whole).step_by(line) {
            for w in w {
                W::prefetch(w.as_ptr().add(first).cast::<i8>().wrapping_add(PREFETCH));
            }
            for vector in 0..line / step {
                let k = first + vector * step;
                let x: [W::Vector; ROWS] =
                    std::array::from_fn(|i| W::load(x[i].as_ptr().add(k).cast()));
                for (j, w) in w.iter().enumerate() {
                    let w = T::load::<W>(w.as_ptr().add(k));
                    for (sums, x) in sums.iter_mut().zip(x) {
                        sums[j] = W::add_products(sums[j], x, w);
                    }
                }
            }
        }
        for (totals, sums) in totals.iter_mut().zip(sums) {
            *totals = sums.map(|sum| W::sum(sum));
        }
    }
    for (totals, x) in totals.iter_mut().zip(x) {
        for (total, w) in totals.iter_mut().zip(w) {
            for (x, w) in x[whole..].iter().zip(&w[whole..]) {
                *total = total.wrapping_add(i32::from(*x) * i32::from(w.widen()));
            }
        }
    }
    totals
}
