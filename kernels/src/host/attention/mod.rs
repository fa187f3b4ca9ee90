//! Multi-head attention over slices: `softmax(scale Q K^T) V` for every head.

mod scores;
mod step;
mod tiled;

use super::output::Output;
use super::panels::Rows;
use super::stored::Stored;
use crate::AttentionOptions;

/// Up to this many queries the keys and values are read as they lie; for more they are packed.
pub(crate) const STEP_QUERIES: usize = 8;

/// One sequence of a batch: its queries and the valid part of its keys and values.
#[derive(Clone, Copy)]
pub(crate) struct Sequence<'a, T> {
    /// `[n_query, n_state]`.
    pub(crate) query: Rows<'a>,
    /// `[kv_len, n_state]`.
    pub(crate) key: Rows<'a, T>,
    /// `[kv_len, n_state]`.
    pub(crate) value: Rows<'a, T>,
}

/// What holds for all heads of all sequences.
#[derive(Clone, Copy)]
pub(super) struct Heads {
    pub(super) n_head: usize,
    /// Elements of a head, `n_state / n_head`.
    pub(super) width: usize,
    pub(super) scale: f32,
    pub(super) n_query: usize,
    pub(super) kv_len: usize,
    pub(super) causal: bool,
    /// Whether many queries and their keys are rounded to integers.
    pub(super) integer_scores: bool,
}

impl Heads {
    /// How many keys a query sees: with `causal` those up to its own position, where the last
    /// query stands at the last key.
    pub(super) fn visible(&self, query: usize) -> usize {
        if self.causal {
            self.kv_len - (self.n_query - 1 - query)
        } else {
            self.kv_len
        }
    }

    fn n_state(&self) -> usize {
        self.n_head * self.width
    }
}

/// Attention of every sequence of a batch; the result is `[batch, n_query, n_state]`.
///
/// All sequences have the same `n_query >= 1`, `kv_len >= 1` as the options, and `n_state`, which `n_head` divides;
/// if `causal`, `n_query <= kv_len`.
pub(crate) fn attention<T: Stored>(
    sequences: &[Sequence<'_, T>],
    options: AttentionOptions,
) -> Vec<f32> {
    let Some(first) = sequences.first() else {
        return Vec::new();
    };
    let AttentionOptions { n_head, causal, .. } = options;
    let width = first.query.columns() / n_head;
    let heads = Heads {
        n_head,
        width,
        scale: (1.0 / (width as f64).sqrt()) as f32,
        n_query: first.query.rows(),
        kv_len: first.key.rows(),
        causal,
        integer_scores: options.integer_scores,
    };
    let n_state = heads.n_state();
    for sequence in sequences {
        assert_eq!(
            (sequence.query.rows(), sequence.query.columns()),
            (heads.n_query, n_state)
        );
        assert_eq!(
            (sequence.key.rows(), sequence.key.columns()),
            (heads.kv_len, n_state)
        );
        assert_eq!(
            (sequence.value.rows(), sequence.value.columns()),
            (heads.kv_len, n_state)
        );
    }
    assert!(
        heads.kv_len > 0 && (!causal || heads.n_query <= heads.kv_len),
        "every query sees a key"
    );

    let fill = |output: Output<'_>| {
        if heads.n_query <= STEP_QUERIES {
            step::attention(sequences, heads, output);
        } else {
            tiled::attention(sequences, heads, output);
        }
    };
    // SAFETY: both ways write every head of every query of every sequence.
    unsafe { Output::collect(sequences.len() * heads.n_query * n_state, fill) }
}
