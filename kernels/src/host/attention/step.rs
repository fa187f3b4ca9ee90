//! Attention of one query or a few: a step of the decoder over its caches.
//!
//! Nothing is packed: the keys, then the values are read once in the order of memory, for several
//! heads at a time.

use std::ops::Range;

use rayon::prelude::*;
use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, SimdOp};

use super::{Heads, Sequence};
use crate::host::math::softmax_numerators;
use crate::host::output::Output;
use crate::host::stored::Stored;

/// Elements of keys and values (256 KiB) for which a task is worth its start.
const TASK: usize = 64 * 1024;

pub(super) fn attention<T: Stored>(
    sequences: &[Sequence<'_, T>],
    heads: Heads,
    output: Output<'_>,
) {
    let per_head = 2 * heads.kv_len * heads.width;
    let heads_per_task = TASK.div_ceil(per_head).min(heads.n_head);
    let tasks_per_sequence = heads.n_head.div_ceil(heads_per_task);
    let tasks = sequences.len() * tasks_per_sequence;

    let task = |scores: &mut Vec<f32>, i: usize| {
        let batch = i / tasks_per_sequence;
        let first = i % tasks_per_sequence * heads_per_task;
        let range = first..heads.n_head.min(first + heads_per_task);
        let step = Step {
            sequence: sequences[batch],
            batch,
            heads,
            range,
            output,
        };
        step.attend(scores);
    };
    if tasks * per_head * heads_per_task <= 2 * TASK {
        let mut scores = Vec::new();
        (0..tasks).for_each(|i| task(&mut scores, i));
    } else {
        (0..tasks).into_par_iter().for_each_init(Vec::new, task);
    }
}

/// Some heads of one sequence.
struct Step<'a, T> {
    sequence: Sequence<'a, T>,
    batch: usize,
    heads: Heads,
    range: Range<usize>,
    output: Output<'a>,
}

impl<T: Stored> Step<'_, T> {
    fn attend(&self, scores: &mut Vec<f32>) {
        let Heads {
            n_head,
            width,
            n_query,
            kv_len,
            scale,
            ..
        } = self.heads;
        scores.resize(n_query * self.range.len() * kv_len, 0.0);
        Scores { step: self, scores }.dispatch();

        let mut weights = scores.as_mut_slice();
        for query in 0..n_query {
            let visible = self.heads.visible(query);
            for head in self.range.clone() {
                let (row, rest) = weights.split_at_mut(kv_len);
                weights = rest;
                let row = &mut row[..visible];
                let sum = softmax_numerators(row, scale);
                let start = ((self.batch * n_query + query) * n_head + head) * width;
                // SAFETY: this task alone writes this head of this sequence.
                let context = unsafe {
                    let start = self.output.at(start, width);
                    start.write_bytes(0, width);
                    std::slice::from_raw_parts_mut(start, width)
                };
                // In the weights the denominator costs one product each, in the values it costs
                // nothing: it is applied last.
                WeightedSum {
                    step: self,
                    head,
                    weights: row,
                    factor: 1.0 / sum,
                    context,
                }
                .dispatch();
            }
        }
    }
}

/// The scores, `[n_query, heads of the task, kv_len]`, without the scale.
struct Scores<'a, 'b, T> {
    step: &'a Step<'b, T>,
    scores: &'a mut [f32],
}

/// Keys, or values, taken together.
const GROUP: usize = 4;

impl<T: Stored> SimdOp for Scores<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let Heads {
            n_query, kv_len, ..
        } = self.step.heads;
        let heads = &self.step.range;
        let mut key = 0;
        while key < kv_len {
            let group = if kv_len - key >= GROUP { GROUP } else { 1 };
            for (i, head) in heads.clone().enumerate() {
                for query in 0..n_query {
                    let target = (query * heads.len() + i) * kv_len + key;
                    let target = &mut self.scores[target..target + group];
                    if group == GROUP {
                        self.step.dots::<I, GROUP>(isa, query, head, key, target);
                    } else {
                        self.step.dots::<I, 1>(isa, query, head, key, target);
                    }
                }
            }
            key += group;
        }
    }
}

impl<T: Stored> Step<'_, T> {
    /// Dot products of one query with `KEYS` keys, for one head.
    #[inline(always)]
    fn dots<I: Isa, const KEYS: usize>(
        &self,
        isa: I,
        query: usize,
        head: usize,
        key: usize,
        target: &mut [f32],
    ) {
        let ops = isa.f32();
        let width = self.heads.width;
        let columns = head * width..(head + 1) * width;
        let query = &self.sequence.query.row(query)[columns.clone()];
        let keys: [&[T]; KEYS] =
            std::array::from_fn(|i| &self.sequence.key.row(key + i)[columns.clone()]);

        let mut sums = [ops.zero(); KEYS];
        let two = 2 * ops.len();
        let whole = width - width % two;
        for k in (0..whole).step_by(two) {
            // SAFETY: all slices have `width` elements, and `k + two <= width`.
            unsafe {
                let q = f32::load_two(isa, query.as_ptr().add(k));
                for (sum, key) in sums.iter_mut().zip(keys) {
                    let key = T::load_two(isa, key.as_ptr().add(k));
                    *sum = ops.mul_add(q[0], key[0], *sum);
                    *sum = ops.mul_add(q[1], key[1], *sum);
                }
            }
        }
        for ((target, sum), key) in target.iter_mut().zip(sums).zip(keys) {
            *target = ops.sum(sum);
            // No head of Whisper's has a rest.
            for (q, key) in query[whole..].iter().zip(&key[whole..]) {
                *target += q * key.widen();
            }
        }
    }
}

/// `context = factor * sum of weight * value` over the keys, for one head.
struct WeightedSum<'a, 'b, T> {
    step: &'a Step<'b, T>,
    head: usize,
    weights: &'a [f32],
    factor: f32,
    context: &'a mut [f32],
}

/// Vectors of the context that are summed in registers at a time.
const SUM_VECTORS: usize = 8;

impl<T: Stored> SimdOp for WeightedSum<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(mut self, isa: I) {
        let lanes = isa.f32().len();
        let width = self.context.len();
        let first = self.head * width;
        let mut column = 0;
        while column < width {
            let left = width - column;
            if left >= SUM_VECTORS * lanes {
                self.columns::<I, { SUM_VECTORS / 2 }>(isa, first, column);
                column += SUM_VECTORS * lanes;
            } else if left >= 2 * lanes {
                self.columns::<I, 1>(isa, first, column);
                column += 2 * lanes;
            } else {
                // No head of Whisper's has a rest.
                let values = self.step.sequence.value;
                let terms = self.weights.iter().enumerate();
                let terms = terms.map(|(key, w)| w * values.row(key)[first + column].widen());
                self.context[column] = terms.sum::<f32>() * self.factor;
                column += 1;
            }
        }
    }
}

impl<T: Stored> WeightedSum<'_, '_, T> {
    /// `PAIRS` pairs of vectors of the context from `column` on; `first` is the head's first column.
    #[inline(always)]
    fn columns<I: Isa, const PAIRS: usize>(&mut self, isa: I, first: usize, column: usize) {
        let ops = isa.f32();
        let two = 2 * ops.len();
        let range = first + column..first + column + PAIRS * two;
        let mut sums = [[ops.zero(); 2]; PAIRS];
        for (key, weight) in self.weights.iter().enumerate() {
            let values = &self.step.sequence.value.row(key)[range.clone()];
            let weight = ops.splat(*weight);
            for (pair, sums) in sums.iter_mut().enumerate() {
                // SAFETY: the slice has `PAIRS` times two vectors.
                let values = unsafe { T::load_two(isa, values.as_ptr().add(pair * two)) };
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum = ops.mul_add(weight, value, *sum);
                }
            }
        }
        let factor = ops.splat(self.factor);
        for (sum, target) in
            (sums.into_iter().flatten()).zip(self.context[column..].chunks_exact_mut(ops.len()))
        {
            ops.store(ops.mul(sum, factor), target);
        }
    }
}
