//! `x W^T` for the output projection: all results by weights of 8 bits, and those that can matter by weights of 16.
//!
//! What 8 bits leave of a weight is kept in a second integer, which counts [`PARTS`] of the first one's step. The first integers of all
//! outputs are read; the second ones only of outputs whose result is near the largest of the row, or may be the largest of its
//! neighbours. So the memory that a step of decoding waits for is that of 8 bits, and what is chosen is that of 16.

use rayon::prelude::*;

use super::dots::{LINE, sums_of_products};
use super::rounded::{RoundedRows, Steps, columns_of};
use super::words::{self, Words, WordsOp};
use super::{DOT_ROWS, Layer, Weight};
use crate::backends::Activation;
use crate::host::output::Output;
use crate::host::panels::Rows;

/// Into how many parts the second integers divide a step of the first: they are the low bytes of 16-bit integers, with a sign.
pub(crate) const PARTS: f32 = 256.0;

/// The largest magnitude of the two integers together, whose first is 127 then.
const LIMIT: i16 = 127 * 256;

/// How far below the largest of its row a result may be to be refined: as a logit, one token's share of the probability there is below
/// 1/3000 of the likeliest's.
const NEAR: f32 = 8.0;

/// Neighbours of which the largest result is refined whatever the rest of the row is, since tokens may be forbidden: Whisper's timestamps
/// lie side by side.
const NEIGHBOURS: usize = 1024;

/// How many deviations of its error a result may be off.
const DEVIATIONS: f32 = 6.0;

/// Quantises rows of a weight: the first integers, the second ones, and the scale of each row.
///
/// # Panics
///
/// If there are not as many integers as elements of the weight, or not a scale for each row.
pub(crate) fn quantise_rows_in_two(
    weight: &[f32],
    first: &mut [i8],
    second: &mut [i8],
    scales: &mut [f32],
) {
    let inputs = columns_of(weight, scales);
    assert_eq!(
        [first.len(), second.len()],
        [weight.len(); 2],
        "two integers for each weight"
    );
    let steps = Steps {
        limit: LIMIT,
        norm: f64::INFINITY,
    };
    let mut rounded = vec![0_i16; inputs];
    (weight.chunks_exact(inputs))
        .zip(first.chunks_exact_mut(inputs))
        .zip(second.chunks_exact_mut(inputs))
        .zip(scales)
        .for_each(|(((weight, first), second), scale)| {
            *scale = PARTS * steps.round(weight, &mut rounded);
            for ((first, second), rounded) in first.iter_mut().zip(second).zip(&rounded) {
                *second = *rounded as i8;
                *first = ((*rounded - i16::from(*second)) >> 8) as i8;
            }
        });
}

/// `x W^T`: `x` `[rows, inputs]`, `values` `[2, outputs, inputs]`, the first integers and the second ones, `scales` `[outputs]`; the
/// result is `[rows, outputs]`.
pub(crate) fn linear(x: Rows<'_>, values: &[i8], scales: &[f32]) -> Vec<f32> {
    let (inputs, outputs) = (x.columns(), scales.len());
    let (first, second) = values.split_at(values.len() / 2);
    let [first, second] = [first, second].map(|values| Weight::new(values, scales, inputs));
    // No integer is below -128.
    let norm = 128.0 * (inputs as f64).sqrt();
    let mut y = Vec::new();
    for start in (0..x.rows()).step_by(DOT_ROWS) {
        let some = x.part(start..x.rows().min(start + DOT_ROWS), 0..inputs);
        let rounded = RoundedRows::new(some, norm);
        let layer = Layer {
            x: &rounded,
            weight: first,
            bias: None,
            activation: Activation::None,
        };
        // SAFETY: all outputs of all rows are written.
        let mut some =
            unsafe { Output::collect(some.rows() * outputs, |output| layer.by_dots(output)) };
        for (row, results) in some.chunks_exact_mut(outputs.max(1)).enumerate() {
            refine(&rounded, row, second, results);
        }
        if y.is_empty() {
            y = some;
        } else {
            y.extend(some);
        }
    }
    y
}

/// Adds the part of the second integers to the results of a row that can matter.
fn refine(x: &RoundedRows, row: usize, second: Weight<'_, i8>, results: &mut [f32]) {
    let near = largest(results) - NEAR;
    // The length of the row of `x`, by the deviation of what is left of a weight in units of its step.
    let deviation = x.scale(row) * length(x.row(row)) / 12_f32.sqrt();
    let neighbours = results.par_chunks_mut(NEIGHBOURS).enumerate();
    neighbours.for_each(|(i, results)| {
        let first = i * NEIGHBOURS;
        let scales = &second.scales[first..first + results.len()];
        let error = 2.0 * DEVIATIONS * deviation * largest(scales);
        let least = near.min(largest(results) - error);
        let refinement = Refinement {
            x: x.row(row),
            factor: x.scale(row) / PARTS,
            weight: second,
            first,
            least,
            results,
        };
        // SAFETY: the outputs exist; the rest is asked by `dispatch`.
        unsafe { words::dispatch(refinement) }
    });
}

/// The largest number, by a loop that compilers make vector instructions of.
fn largest(values: &[f32]) -> f32 {
    const LANES: usize = 16;
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for values in values.chunks(LANES) {
        for (lane, &value) in lanes.iter_mut().zip(values) {
            *lane = larger(*lane, value);
        }
    }
    lanes.into_iter().fold(f32::NEG_INFINITY, larger)
}

fn length(x: &[i16]) -> f32 {
    let squares = x.iter().map(|&x| i64::from(x) * i64::from(x));
    (squares.sum::<i64>() as f32).sqrt()
}

struct Refinement<'a> {
    x: &'a [i16],
    /// What a sum of products is to be multiplied with, beside its output's scale.
    factor: f32,
    weight: Weight<'a, i8>,
    /// The output of the first of the results.
    first: usize,
    /// The least result that is refined.
    least: f32,
    results: &'a mut [f32],
}

impl WordsOp for Refinement<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn eval<W: Words>(self) {
        let mut chosen = [0; NEIGHBOURS];
        let mut n_chosen = 0;
        for (i, result) in self.results.iter().enumerate() {
            chosen[n_chosen] = i;
            n_chosen += usize::from(*result >= self.least);
        }
        let chosen = &chosen[..n_chosen];
        for (j, &i) in chosen.iter().enumerate() {
            // These rows lie anywhere in memory.
            if let Some(next) = chosen.get(j + 1) {
                let next = self.weight.row(self.first + next);
                for line in next.chunks(LINE) {
                    // SAFETY: a prefetch reads nothing; the caller vouches for the instruction set.
                    unsafe { W::prefetch(line.as_ptr()) };
                }
            }
            let output = self.first + i;
            // SAFETY: a row of `x` is at least as long as one of the weight; the caller vouches for the instruction set.
            let [[sum]] =
                unsafe { sums_of_products::<W, i8, 1, 1>([self.x], [self.weight.row(output)]) };
            self.results[i] += sum as f32 * (self.factor * self.weight.scales[output]);
        }
    }
}
