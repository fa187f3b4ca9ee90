//! Attention of many queries: the encoder, and prompts.
//!
//! The keys and values of one head are packed once; then blocks of queries compute all their
//! scores, the softmax, and the product with the values, while the scores lie in the second-level
//! cache. The matrix of all scores never exists.

use rayon::prelude::*;

use super::scores::Keys;
use super::{Heads, Sequence};
use crate::host::math::softmax_numerators;
use crate::host::output::Output;
use crate::host::panels::{Panels, Product, Rows};
use crate::host::stored::Stored;

/// Queries of a block: 1500 scores of 36 queries are 216 KB.
const BLOCK_QUERIES: usize = 36;

pub(super) fn attention<T: Stored>(
    sequences: &[Sequence<'_, T>],
    heads: Heads,
    output: Output<'_>,
) {
    (0..sequences.len() * heads.n_head)
        .into_par_iter()
        .for_each(|i| {
            head(
                &sequences[i / heads.n_head],
                heads,
                i / heads.n_head,
                i % heads.n_head,
                output,
            );
        });
}

fn head<T: Stored>(
    sequence: &Sequence<'_, T>,
    heads: Heads,
    batch: usize,
    head: usize,
    output: Output<'_>,
) {
    let columns = head * heads.width..(head + 1) * heads.width;
    let keys = Keys::pack(sequence.key, columns.clone(), heads.integer_scores);
    let mut values = Panels::empty();
    values.pack(sequence.value.part(0..heads.kv_len, columns.clone()));

    let blocks = heads.n_query.div_ceil(BLOCK_QUERIES);
    (0..blocks)
        .into_par_iter()
        .for_each_init(Scratch::default, |scratch, block| {
            let first = block * BLOCK_QUERIES;
            let queries = first..heads.n_query.min(first + BLOCK_QUERIES);
            let block = Block {
                heads,
                first_query: first,
                query: sequence.query.part(queries, columns.clone()),
                keys: &keys,
                values: &values,
            };
            let sums = block.attend(scratch);
            for (row, sum) in sums.iter().enumerate().take(block.query.rows()) {
                let start =
                    ((batch * heads.n_query + first + row) * heads.n_head + head) * heads.width;
                let factor = 1.0 / sum;
                // SAFETY: this task alone writes this head of these queries.
                let target = unsafe { output.at(start, heads.width) };
                for (column, value) in scratch.context(row, values.padded_columns(), heads.width) {
                    // SAFETY: `column` is below the width of the head.
                    unsafe { *target.add(column) = value * factor };
                }
            }
        });
}

/// Buffers of one thread.
#[derive(Default)]
struct Scratch {
    /// `[queries, stride of the keys]`.
    scores: Vec<f32>,
    /// `[queries, padded width]`.
    context: Vec<f32>,
}

impl Scratch {
    fn context(
        &self,
        row: usize,
        stride: usize,
        width: usize,
    ) -> impl Iterator<Item = (usize, f32)> {
        self.context[row * stride..][..width]
            .iter()
            .copied()
            .enumerate()
    }
}

/// A block of queries of one head.
struct Block<'a> {
    heads: Heads,
    first_query: usize,
    query: Rows<'a>,
    keys: &'a Keys,
    values: &'a Panels,
}

impl Block<'_> {
    /// Leaves the values summed with the weights' numerators in `scratch`, and returns their
    /// denominators.
    fn attend(&self, scratch: &mut Scratch) -> [f32; BLOCK_QUERIES] {
        let rows = self.query.rows();
        let stride = self.keys.stride();
        self.keys.scores(self.query, &mut scratch.scores);

        let mut sums = [0.0; BLOCK_QUERIES];
        for (row, scores) in scratch.scores.chunks_exact_mut(stride).enumerate() {
            let (visible, hidden) = scores.split_at_mut(self.heads.visible(self.first_query + row));
            sums[row] = softmax_numerators(visible, self.heads.scale).sum;
            hidden.fill(0.0);
        }

        let weights = Rows::new(&scratch.scores, stride, rows, self.heads.kv_len);
        let context_stride = self.values.padded_columns();
        scratch.context.resize(rows * context_stride, 0.0);
        // SAFETY: the context has `rows` rows of `context_stride` elements, used here only.
        unsafe {
            Product {
                left: weights,
                right: self.values,
                bias: None,
                output: scratch.context.as_mut_ptr(),
                output_stride: context_stride,
                exact: false,
            }
            .run();
        }
        sums
    }
}
