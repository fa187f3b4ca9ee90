//! Rows of numbers rounded to integers, each row with a scale of its own.

use rayon::prelude::*;
use rten_simd::ops::{BitOps, FloatOps, NarrowSaturate, NumOps};
use rten_simd::{Isa, Simd, SimdOp};

use super::Weight;
use super::integer::Integer;
use super::words::PAIR;
use crate::host::panels::Rows;

/// Elements that one task takes.
const TASK: usize = 64 * 1024;

/// The rows of `x` as 16-bit integers, as large as the sums of their products with the weights have room for.
pub(crate) struct RoundedRows {
    /// `[rows, stride]`, 0 past the columns.
    values: Vec<i16>,
    scales: Vec<f32>,
    stride: usize,
}

impl RoundedRows {
    /// Rounds rows that are multiplied with rows of weights whose root of the sum of squares is at most `other_norm`.
    pub(super) fn new(x: Rows<'_>, other_norm: f64) -> Self {
        let (rows, columns) = (x.rows(), x.columns());
        let stride = columns.next_multiple_of(PAIR);
        let mut values = vec![0; rows * stride];
        let mut scales = vec![0.0; rows];
        // By the inequality of Cauchy and Schwarz no sum of products leaves 32 bits.
        let steps = Steps {
            limit: i16::MAX,
            norm: f64::from(i32::MAX) / other_norm,
        };
        let at_once = (TASK / stride.max(1)).max(1);
        let task = |(task, (values, scales)): (usize, (&mut [i16], &mut [f32]))| {
            for (i, (values, scale)) in values.chunks_mut(stride).zip(scales).enumerate() {
                *scale = steps.round(x.row(task * at_once + i), &mut values[..columns]);
            }
        };
        let values_of = (at_once * stride).max(1);
        if rows <= at_once {
            let tasks = values.chunks_mut(values_of).zip(scales.chunks_mut(at_once));
            tasks.enumerate().for_each(task);
        } else {
            let values = values.par_chunks_mut(values_of);
            values
                .zip(scales.par_chunks_mut(at_once))
                .enumerate()
                .for_each(task);
        }
        Self {
            values,
            scales,
            stride,
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.scales.len()
    }

    /// The rows as those of a weight.
    pub(super) fn as_weight(&self) -> Weight<'_, i16> {
        Weight::new(&self.values, &self.scales, self.stride)
    }

    /// A row with what fills up its last pair.
    pub(super) fn row(&self, row: usize) -> &[i16] {
        &self.values[row * self.stride..][..self.stride]
    }

    /// What a row's integers are to be multiplied with.
    #[inline(always)]
    pub(super) fn scale(&self, row: usize) -> f32 {
        self.scales[row]
    }
}

/// How large the integers of a row may be.
#[derive(Clone, Copy)]
pub(super) struct Steps {
    /// The largest magnitude.
    pub(super) limit: i16,
    /// The largest root of the sum of squares.
    pub(super) norm: f64,
}

impl Steps {
    /// Rounds a row to the largest integers that may be; returns what they are to be multiplied with. A row that holds something
    /// else than numbers has NaN for that, so that the result is not mistaken for one.
    pub(super) fn round(self, x: &[f32], rounded: &mut [i16]) -> f32 {
        let largest = largest_magnitude(x);
        if !largest.is_finite() {
            return f32::NAN;
        }
        let limit = f32::from(self.limit);
        if largest < f32::MIN_POSITIVE * limit {
            // Nothing that could be told from 0 beside a bias.
            rounded.fill(0);
            return 0.0;
        }
        // Of the whole row, rounding adds half a step to each element at most; the norm itself is rounded too.
        let norm = self.norm - 0.5 * (x.len() as f64).sqrt();
        let norm = (norm / (norm_relative_to(x, largest) * 1.0001)) as f32;
        // A whole number, so that the largest element is exact.
        let steps = limit.min(norm.floor()).max(1.0);
        Round {
            x,
            factor: steps / largest,
            rounded,
        }
        .dispatch();
        largest / steps
    }
}

/// The root of the sum of squares, in units of the largest magnitude. The order of the sum is the same on any chip.
fn norm_relative_to(x: &[f32], largest: f32) -> f64 {
    let sums = SumsOfSquares {
        x,
        factor: 1.0 / largest,
    }
    .dispatch();
    sums.into_iter().map(f64::from).sum::<f64>().sqrt()
}

/// Parts of a sum, as many as the widest vectors have lanes.
const PARTS: usize = 16;

/// The sums of every [`PARTS`]-th square of `factor * x`.
struct SumsOfSquares<'a> {
    x: &'a [f32],
    factor: f32,
}

impl SimdOp for SumsOfSquares<'_> {
    type Output = [f32; PARTS];

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) -> [f32; PARTS] {
        match isa.f32().len() {
            16 => self.of_vectors::<I, 1>(isa),
            8 => self.of_vectors::<I, 2>(isa),
            _ => self.of_vectors::<I, 4>(isa),
        }
    }
}

impl SumsOfSquares<'_> {
    /// With [`PARTS`] numbers in `N` vectors.
    #[inline(always)]
    fn of_vectors<I: Isa, const N: usize>(self, isa: I) -> [f32; PARTS] {
        let ops = isa.f32();
        assert_eq!(N * ops.len(), PARTS, "vectors of 4, 8 or 16 numbers");
        let factor = ops.splat(self.factor);
        let mut sums = [ops.zero(); N];
        let (whole, rest) = self.x.split_at(self.x.len() / PARTS * PARTS);
        for x in whole.chunks_exact(PARTS) {
            for (sum, x) in sums.iter_mut().zip(ops.load_many::<N>(x)) {
                let x = ops.mul(x, factor);
                // Not fused, which not every chip can.
                *sum = ops.add(*sum, ops.mul(x, x));
            }
        }
        let mut parts = [0.0; PARTS];
        for (parts, sum) in parts.chunks_exact_mut(ops.len()).zip(sums) {
            ops.store(sum, parts);
        }
        for (part, x) in parts.iter_mut().zip(rest) {
            let x = x * self.factor;
            *part += x * x;
        }
        parts
    }
}

/// The largest magnitude; infinite or NaN when an element is.
fn largest_magnitude(x: &[f32]) -> f32 {
    LargestMagnitude { x }.dispatch()
}

struct LargestMagnitude<'a> {
    x: &'a [f32],
}

impl SimdOp for LargestMagnitude<'_> {
    type Output = f32;

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) -> f32 {
        // Magnitudes are ordered as their bits are, and what is not finite comes last.
        let (ops, int_ops) = (isa.f32(), isa.i32());
        let magnitude = |x: I::F32| ops.abs(x).reinterpret_cast::<I::I32>();
        let mut largest = [int_ops.zero(); 4];
        let mut chunks = self.x.chunks_exact(4 * ops.len());
        for chunk in &mut chunks {
            for (largest, x) in largest.iter_mut().zip(ops.load_many::<4>(chunk)) {
                *largest = int_ops.max(*largest, magnitude(x));
            }
        }
        let [a, b, c, d] = largest;
        let mut largest = int_ops.max(int_ops.max(a, b), int_ops.max(c, d));
        for rest in chunks.remainder().chunks(ops.len()) {
            largest = int_ops.max(largest, magnitude(ops.load_pad(rest).0));
        }
        let bits = int_ops.fold_splat(largest, 0, i32::max);
        f32::from_bits(bits.to_array().as_ref()[0] as u32)
    }
}

/// The nearest integers to `factor * x`, ties to even.
struct Round<'a> {
    x: &'a [f32],
    factor: f32,
    rounded: &'a mut [i16],
}

impl SimdOp for Round<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let (ops, int_ops, short_ops) = (isa.f32(), isa.i32(), isa.i16());
        let lanes = ops.len();
        let factor = ops.splat(self.factor);
        let whole = self.x.len() / (2 * lanes) * (2 * lanes);
        let (x, x_rest) = self.x.split_at(whole);
        let (rounded, rounded_rest) = self.rounded.split_at_mut(whole);
        for (x, rounded) in x
            .chunks_exact(2 * lanes)
            .zip(rounded.chunks_exact_mut(2 * lanes))
        {
            let [low, high] = ops
                .load_many::<2>(x)
                .map(|x| ops.to_int_round(ops.mul(x, factor)));
            short_ops.store(int_ops.narrow_saturate(low, high), rounded);
        }
        for (x, rounded) in x_rest.iter().zip(rounded_rest) {
            *rounded = (x * self.factor).round_ties_even() as i16;
        }
    }
}

/// Quantises rows of a weight to the integers of a type, with a scale for each row.
///
/// # Panics
///
/// If there are not as many integers as elements of the weight, or not a scale for each row.
pub(crate) fn quantise_rows<T: Integer>(weight: &[f32], values: &mut [T], scales: &mut [f32]) {
    let inputs = columns_of(weight, scales);
    assert_eq!(weight.len(), values.len(), "an integer for each weight");
    let steps = Steps {
        limit: T::LIMIT,
        norm: T::most_norm(inputs),
    };
    let mut rounded = vec![0_i16; inputs];
    let rows = values
        .chunks_exact_mut(inputs)
        .zip(weight.chunks_exact(inputs));
    for ((values, weight), scale) in rows.zip(scales) {
        *scale = steps.round(weight, &mut rounded);
        for (value, &rounded) in values.iter_mut().zip(&rounded) {
            *value = T::narrow(rounded);
        }
    }
}

/// How long the rows of a weight are that has a scale for each, 1 at least.
///
/// # Panics
///
/// If they are not of one length.
pub(super) fn columns_of(weight: &[f32], scales: &[f32]) -> usize {
    let columns = (weight.len() / scales.len().max(1)).max(1);
    assert_eq!(weight.len(), columns * scales.len(), "a scale for each row");
    columns
}
