//! Attention of one query or a few: a step of the decoder over its caches.
//!
//! Nothing is packed: keys and values are read once in the order of memory, all heads of one key after another. They are taken in
//! chunks of a fixed number of keys, each with a maximum, a sum and a context of its own, which are put together at the end (Milakov and
//! Gimelshein, "Online normalizer calculation for softmax", 2018): so threads share the keys of a sequence, and the result does
//! not depend on how many there are.

use std::ops::Range;

use rayon::prelude::*;
use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, SimdOp};

use super::{Heads, Sequence};
use crate::host::math::softmax_numerators;
use crate::host::output::Output;
use crate::host::stored::Stored;

/// Keys of a chunk.
const CHUNK: usize = 128;

/// Elements of keys and values (512 KiB in single precision) up to which one thread takes all chunks.
const ONE_TASK: usize = 128 * 1024;

pub(super) fn attention<T: Stored>(
    sequences: &[Sequence<'_, T>],
    heads: Heads,
    output: Output<'_>,
) {
    let chunks = heads.kv_len.div_ceil(CHUNK);
    let of_chunk = Partial::elements(heads);
    let mut partials = vec![0.0; sequences.len() * chunks * of_chunk];

    let attend = |scores: &mut Vec<f32>, (i, partial): (usize, &mut [f32])| {
        let first = i % chunks * CHUNK;
        let chunk = Chunk {
            sequence: sequences[i / chunks],
            heads,
            keys: first..heads.kv_len.min(first + CHUNK),
        };
        chunk.attend(scores, Partial::in_buffer(partial, heads));
    };
    if 2 * sequences.len() * heads.kv_len * heads.n_state() <= ONE_TASK {
        let mut scores = Vec::new();
        let partials = partials.chunks_exact_mut(of_chunk).enumerate();
        partials.for_each(|partial| attend(&mut scores, partial));
    } else {
        let partials = partials.par_chunks_exact_mut(of_chunk).enumerate();
        partials.for_each_init(Vec::new, attend);
    }

    let sequences = partials.chunks_exact_mut(chunks * of_chunk).enumerate();
    for (batch, partials) in sequences {
        let elements = heads.n_query * heads.n_state();
        // SAFETY: the output has so many elements for each sequence, and all threads but this one are done.
        let context = unsafe {
            let start = output.at(batch * elements, elements);
            start.write_bytes(0, elements);
            std::slice::from_raw_parts_mut(start, elements)
        };
        put_together(partials, heads, context);
    }
}

/// What one chunk of keys gives, for every head of every query.
struct Partial<'a> {
    /// The largest score, `[n_query, n_head]`, without the scale.
    largest: &'a mut [f32],
    /// The sum of the weights' numerators, `[n_query, n_head]`.
    sums: &'a mut [f32],
    /// The values summed with the numerators, `[n_query, n_state]`.
    context: &'a mut [f32],
}

impl<'a> Partial<'a> {
    fn elements(heads: Heads) -> usize {
        heads.n_query * (2 * heads.n_head + heads.n_state())
    }

    fn in_buffer(buffer: &'a mut [f32], heads: Heads) -> Self {
        let (largest, rest) = buffer.split_at_mut(heads.n_query * heads.n_head);
        let (sums, context) = rest.split_at_mut(heads.n_query * heads.n_head);
        Self {
            largest,
            sums,
            context,
        }
    }
}

/// Sums the chunks of a sequence to its context, `[n_query, n_state]`, which is zeros before.
fn put_together(partials: &mut [f32], heads: Heads, context: &mut [f32]) {
    let partials: Vec<_> = partials
        .chunks_exact_mut(Partial::elements(heads))
        .map(|partial| Partial::in_buffer(partial, heads))
        .collect();
    for (i, context) in context.chunks_exact_mut(heads.width).enumerate() {
        let largest = partials.iter().fold(f32::NEG_INFINITY, |largest, partial| {
            largest.max(partial.largest[i])
        });
        let mut sum = 0.0;
        for partial in &partials {
            let factor = ((partial.largest[i] - largest) * heads.scale).exp();
            sum += factor * partial.sums[i];
            let part = &partial.context[i * heads.width..][..heads.width];
            for (context, part) in context.iter_mut().zip(part) {
                *context += factor * part;
            }
        }
        // In the weights the denominator costs one product each, here it costs one for each element.
        let factor = 1.0 / sum;
        context.iter_mut().for_each(|context| *context *= factor);
    }
}

/// Some keys of one sequence.
struct Chunk<'a, T> {
    sequence: Sequence<'a, T>,
    heads: Heads,
    keys: Range<usize>,
}

impl<T: Stored> Chunk<'_, T> {
    fn attend(&self, scores: &mut Vec<f32>, partial: Partial<'_>) {
        let Heads {
            n_head, n_query, ..
        } = self.heads;
        let n_keys = self.keys.len();
        scores.resize(n_query * n_head * n_keys, 0.0);
        Scores {
            chunk: self,
            scores,
        }
        .dispatch();

        for (i, scores) in scores.chunks_exact_mut(n_keys).enumerate() {
            let visible = self
                .heads
                .visible(i / n_head)
                .clamp(self.keys.start, self.keys.end);
            let (visible, hidden) = scores.split_at_mut(visible - self.keys.start);
            let numerators = softmax_numerators(visible, self.heads.scale);
            (partial.largest[i], partial.sums[i]) = (numerators.largest, numerators.sum);
            hidden.fill(0.0);
        }

        WeightedSums {
            chunk: self,
            weights: scores,
            context: partial.context,
        }
        .dispatch();
    }
}

/// The scores of a chunk, `[n_query, n_head, keys]`, without the scale.
struct Scores<'a, 'b, T> {
    chunk: &'a Chunk<'b, T>,
    scores: &'a mut [f32],
}

/// How many bytes of keys and values ahead of their use are fetched.
const PREFETCH: usize = 8 * 1024;

/// Asks for what lies [`PREFETCH`] after an element; nothing need be there.
#[inline(always)]
fn prefetch<I: Isa, T>(isa: I, element: *const T) {
    let ahead = element.cast::<f32>().wrapping_byte_add(PREFETCH);
    isa.f32().prefetch(ahead);
}

/// Keys taken together.
const KEYS: usize = 8;

impl<T: Stored> SimdOp for Scores<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(mut self, isa: I) {
        let n_keys = self.chunk.keys.len();
        let whole = n_keys - n_keys % KEYS;
        for key in (0..whole).step_by(KEYS) {
            self.group::<I, KEYS>(isa, key);
        }
        for key in whole..n_keys {
            self.group::<I, 1>(isa, key);
        }
    }
}

impl<T: Stored> Scores<'_, '_, T> {
    /// The scores of all heads for `N` keys of the chunk.
    #[inline(always)]
    fn group<I: Isa, const N: usize>(&mut self, isa: I, first: usize) {
        let Chunk {
            sequence,
            heads,
            keys,
        } = self.chunk;
        let keys_of_all: [&[T]; N] =
            std::array::from_fn(|i| sequence.key.row(keys.start + first + i));
        for head in 0..heads.n_head {
            let columns = head * heads.width..(head + 1) * heads.width;
            let key = keys_of_all.map(|key| &key[columns.clone()]);
            for query in 0..heads.n_query {
                let dots = dots(isa, &sequence.query.row(query)[columns.clone()], key);
                let target = (query * heads.n_head + head) * keys.len() + first;
                self.scores[target..target + N].copy_from_slice(&dots);
            }
        }
    }
}

/// Dot products of one query with `N` keys. Each is the same whatever others are beside it.
#[inline(always)]
fn dots<I: Isa, T: Stored, const N: usize>(isa: I, query: &[f32], keys: [&[T]; N]) -> [f32; N] {
    let ops = isa.f32();
    let width = query.len();
    assert!(keys.iter().all(|key| key.len() == width));
    let mut sums = [ops.zero(); N];
    let two = 2 * ops.len();
    let whole = width - width % two;
    for k in (0..whole).step_by(two) {
        // SAFETY: all slices have `width` elements, and `k + two <= width`.
        unsafe {
            for key in keys {
                prefetch(isa, key.as_ptr().add(k));
            }
            let q = f32::load_two(isa, query.as_ptr().add(k));
            for (sum, key) in sums.iter_mut().zip(keys) {
                let key = T::load_two(isa, key.as_ptr().add(k));
                *sum = ops.mul_add(q[0], key[0], *sum);
                *sum = ops.mul_add(q[1], key[1], *sum);
            }
        }
    }
    let mut dots = sums.map(|sum| ops.sum(sum));
    // No head of Whisper's has a rest.
    for (dot, key) in dots.iter_mut().zip(keys) {
        for (q, key) in query[whole..].iter().zip(&key[whole..]) {
            *dot += q * key.widen();
        }
    }
    dots
}

/// `context += sum of weight * value` over the keys of a chunk, for all heads of all queries.
struct WeightedSums<'a, 'b, T> {
    chunk: &'a Chunk<'b, T>,
    /// `[n_query, n_head, keys]`.
    weights: &'a [f32],
    /// `[n_query, n_state]`.
    context: &'a mut [f32],
}

/// Values taken together.
const VALUES: usize = 4;

impl<T: Stored> SimdOp for WeightedSums<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(mut self, isa: I) {
        let n_keys = self.chunk.keys.len();
        let whole = n_keys - n_keys % VALUES;
        for key in (0..whole).step_by(VALUES) {
            self.group::<I, VALUES>(isa, key);
        }
        for key in whole..n_keys {
            self.group::<I, 1>(isa, key);
        }
    }
}

impl<T: Stored> WeightedSums<'_, '_, T> {
    /// Adds the values of `N` keys of the chunk, in their order.
    #[inline(always)]
    fn group<I: Isa, const N: usize>(&mut self, isa: I, first: usize) {
        let Chunk {
            sequence,
            heads,
            keys,
        } = self.chunk;
        let values_of_all: [&[T]; N] =
            std::array::from_fn(|i| sequence.value.row(keys.start + first + i));
        for head in 0..heads.n_head {
            let columns = head * heads.width..(head + 1) * heads.width;
            let values = values_of_all.map(|value| &value[columns.clone()]);
            for query in 0..heads.n_query {
                let weights = (query * heads.n_head + head) * keys.len() + first;
                let weights = &self.weights[weights..weights + N];
                let context = query * heads.n_state() + columns.start;
                let context = &mut self.context[context..context + heads.width];
                add_weighted(isa, weights, values, context);
            }
        }
    }
}

#[inline(always)]
fn add_weighted<I: Isa, T: Stored, const N: usize>(
    isa: I,
    weights: &[f32],
    values: [&[T]; N],
    context: &mut [f32],
) {
    let ops = isa.f32();
    let width = context.len();
    assert!(weights.len() == N && values.iter().all(|value| value.len() == width));
    let two = 2 * ops.len();
    let whole = width - width % two;
    let splat: [I::F32; N] = std::array::from_fn(|i| ops.splat(weights[i]));
    for k in (0..whole).step_by(two) {
        // SAFETY: all slices have `width` elements, and `k + two <= width`.
        unsafe {
            for value in values {
                prefetch(isa, value.as_ptr().add(k));
            }
            let target = context.as_mut_ptr().add(k);
            let [mut low, mut high] = f32::load_two(isa, target);
            for (weight, value) in splat.into_iter().zip(values) {
                let value = T::load_two(isa, value.as_ptr().add(k));
                low = ops.mul_add(weight, value[0], low);
                high = ops.mul_add(weight, value[1], high);
            }
            ops.store_ptr(low, target);
            ops.store_ptr(high, target.add(ops.len()));
        }
    }
    // No head of Whisper's has a rest.
    for (weight, value) in weights.iter().zip(values) {
        for (context, value) in context[whole..].iter_mut().zip(&value[whole..]) {
            *context += weight * value.widen();
        }
    }
}
