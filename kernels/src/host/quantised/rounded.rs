//! Rows of numbers rounded to integers, each row with a scale of its own.

use rayon::prelude::*;
use rten_simd::ops::{BitOps, FloatOps, NarrowSaturate, NumOps};
use rten_simd::{Isa, Simd, SimdOp};

use super::words::PAIR;
use crate::host::panels::Rows;

/// The largest magnitude of a weight.
const WEIGHT_LIMIT: f32 = 127.0;

/// Elements that one task takes.
const TASK: usize = 64 * 1024;

/// The rows of `x` as 16-bit integers, of as many bits as the sums of their products with 8-bit weights have room for.
pub(crate) struct RoundedRows {
    /// `[rows, stride]`, 0 past the columns.
    values: Vec<i16>,
    scales: Vec<f32>,
    stride: usize,
}

impl RoundedRows {
    pub(super) fn new(x: Rows<'_>) -> Self {
        let (rows, columns) = (x.rows(), x.columns());
        let stride = columns.next_multiple_of(PAIR);
        let mut values = vec![0; rows * stride];
        let mut scales = vec![0.0; rows];
        let limit = limit(columns);
        let round = |row: usize, values: &mut [i16], scale: &mut f32| {
            *scale = round_row(x.row(row), limit, &mut values[..columns]);
        };
        if rows * stride <= TASK {
            for (row, (values, scale)) in values
                .chunks_mut(stride.max(1))
                .zip(&mut scales)
                .enumerate()
            {
                round(row, values, scale);
            }
        } else {
            let at_once = (TASK / stride).max(1);
            values
                .par_chunks_mut(at_once * stride)
                .zip(scales.par_chunks_mut(at_once))
                .enumerate()
                .for_each(|(task, (values, scales))| {
                    for (i, (values, scale)) in values.chunks_mut(stride).zip(scales).enumerate() {
                        round(task * at_once + i, values, scale);
                    }
                });
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

/// The largest magnitude for which no sum of `columns` products with weights leaves 32 bits.
fn limit(columns: usize) -> f32 {
    let most = i32::MAX as usize / (WEIGHT_LIMIT as usize * columns.max(1));
    most.min(i16::MAX as usize) as f32
}

/// Rounds a row to integers of magnitudes up to `limit`; returns what they are to be multiplied with. A row that holds something
/// else than numbers has NaN for that, so that the result is not mistaken for one.
fn round_row(x: &[f32], limit: f32, rounded: &mut [i16]) -> f32 {
    let largest = largest_magnitude(x);
    if !largest.is_finite() {
        return f32::NAN;
    }
    if largest < f32::MIN_POSITIVE * limit {
        // Nothing that could be told from 0 beside a bias.
        rounded.fill(0);
        return 0.0;
    }
    let factor = limit / largest;
    Round { x, factor, rounded }.dispatch();
    largest / limit
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

/// Quantises a weight `[outputs, inputs]` to integers from -127 to 127 with a scale for each output.
pub(crate) fn quantise_rows(weight: &[f32], inputs: usize) -> (Vec<i8>, Vec<f32>) {
    let mut values = vec![0_i8; weight.len()];
    let mut scales = vec![0.0; weight.len() / inputs.max(1)];
    values
        .par_chunks_mut(inputs.max(1))
        .zip(weight.par_chunks(inputs.max(1)))
        .zip(&mut scales)
        .with_min_len((TASK / inputs.max(1)).max(1))
        .for_each(|((values, weight), scale)| {
            let mut rounded = vec![0_i16; inputs];
            *scale = round_row(weight, WEIGHT_LIMIT, &mut rounded);
            for (value, rounded) in values.iter_mut().zip(rounded) {
                *value = rounded as i8;
            }
        });
    (values, scales)
}
