//! A step of greedy decoding whose position is known to the device alone.
//!
//! Nothing in such a step depends on a number of the host's, and what it carries to the next one stays in the same
//! memory, so a device can record it once and repeat it: see [`Repeated`](crate::Repeated).

use burn::backend::Dispatch;
use burn::tensor::{DType, Device, Int, Tensor};

use crate::backends::StepOps;
use crate::{HEAD_WIDTH, TimestampTokens};

/// How far decoding is, on the device: the position of the newest token, and how many tokens have been sampled.
#[derive(Clone, Debug)]
pub struct Progress(Tensor<1, Int>);

impl Progress {
    /// Of numbers that the host knows. Nothing is copied to the device: it fills its own memory.
    pub fn new(position: usize, sampled: usize, device: &Device) -> Self {
        let number = |value: usize| Tensor::<1, Int>::full([1], value as i64, (device, DType::I32));
        Self(Tensor::cat(vec![number(position), number(sampled)], 0))
    }

    /// The newest of sampled tokens `[rows, capacity]`: `[rows, 1]`.
    pub fn newest(&self, sampled: Tensor<2, Int>) -> Tensor<2, Int> {
        sampled.select(1, self.0.clone().narrow(0, 1, 1) - 1)
    }

    /// The row of a table `[n_ctx, n_state]` that stands for the position: `[1, n_state]`.
    pub fn row_of(&self, table: Tensor<2>) -> Tensor<2> {
        table.select(0, self.0.clone().narrow(0, 0, 1))
    }
}

/// The sum of the newest token's vector and that of its position, as [`embed`](crate::embed) has it.
///
/// # Shapes
///
/// - sampled: `[rows, capacity]` of `i32`
/// - token_embedding: `[n_vocab, n_state]`
/// - positional_embedding: `[n_ctx, n_state]`
/// - output: `[rows, 1, n_state]`
///
/// # Panics
///
/// If the widths of the tables differ.
pub fn embed_newest(
    sampled: Tensor<2, Int>,
    progress: &Progress,
    token_embedding: Tensor<2>,
    positional_embedding: Tensor<2>,
) -> Tensor<3> {
    let widths = [&token_embedding, &positional_embedding].map(|table| table.dims()[1]);
    assert_eq!(widths[0], widths[1], "embed_newest: widths of the tables");
    Tensor::from_dispatch(Dispatch::embedded_newest(
        sampled.into_dispatch(),
        progress.0.clone().into_dispatch(),
        token_embedding.into_dispatch(),
        positional_embedding.into_dispatch(),
    ))
}

/// Caches with the key and value of the newest position written in. On a GPU the caches' own memory is written, whoever else
/// holds it.
///
/// # Shapes
///
/// - keys, values: `[max_rows, n_ctx, n_state]`
/// - key, value: `[rows, 1, n_state]`, of as many rows at most
///
/// # Panics
///
/// If the shapes do not fit.
pub fn append(
    keys: Tensor<3>,
    values: Tensor<3>,
    key: Tensor<3>,
    value: Tensor<3>,
    progress: &Progress,
) -> (Tensor<3>, Tensor<3>) {
    let ([max_rows, _, n_state], [rows, n, width]) = (keys.dims(), key.dims());
    assert!(
        keys.dims() == values.dims() && key.dims() == value.dims(),
        "append: shapes of keys and values"
    );
    assert!(
        rows <= max_rows && n == 1 && width == n_state,
        "append: [{rows}, {n}, {width}] to [{max_rows}, _, {n_state}]"
    );
    let (keys, values) = Dispatch::appended(
        keys.into_dispatch(),
        values.into_dispatch(),
        key.into_dispatch(),
        value.into_dispatch(),
        progress.0.clone().into_dispatch(),
    );
    (Tensor::from_dispatch(keys), Tensor::from_dispatch(values))
}

/// [`attention`](crate::attention) of the newest position over all up to itself.
///
/// # Shapes
///
/// - query: `[rows, 1, n_state]`
/// - key, value: `[rows, n_ctx, n_state]`
/// - output: `[rows, 1, n_state]`
///
/// # Panics
///
/// If the shapes do not fit, or the heads are not [`HEAD_WIDTH`] wide.
pub fn attention_so_far(
    query: Tensor<3>,
    key: Tensor<3>,
    value: Tensor<3>,
    n_head: usize,
    progress: &Progress,
) -> Tensor<3> {
    let [rows, n_query, n_state] = query.dims();
    let [key_rows, _, key_state] = key.dims();
    assert!(
        n_query == 1 && [rows, n_state] == [key_rows, key_state] && key.dims() == value.dims(),
        "attention_so_far: [{rows}, {n_query}, {n_state}] to {:?} and {:?}",
        key.dims(),
        value.dims()
    );
    assert_eq!(
        n_state,
        n_head * HEAD_WIDTH,
        "attention_so_far: width of the heads"
    );
    Tensor::from_dispatch(Dispatch::head_attention_so_far(
        query.into_dispatch(),
        key.into_dispatch(),
        value.into_dispatch(),
        progress.0.clone().into_dispatch(),
        n_head,
    ))
}

/// [`timestamp_rules`](crate::timestamp_rules) after as many tokens as have been sampled.
///
/// # Shapes
///
/// - logits: `[rows, n_vocab]`
/// - sampled: `[rows, capacity]` of `i32`
/// - output: `[rows, n_vocab]`
///
/// # Panics
///
/// If the shapes do not fit, or the timestamps begin beyond the vocabulary.
pub fn timestamp_rules_so_far(
    logits: Tensor<2>,
    sampled: Tensor<2, Int>,
    progress: &Progress,
    tokens: TimestampTokens,
) -> Tensor<2> {
    let [rows, n_vocab] = logits.dims();
    assert!(
        rows == sampled.dims()[0] && tokens.begin as usize <= n_vocab,
        "timestamp_rules_so_far: {rows} rows of {n_vocab} logits, {:?} sampled, and {tokens:?}",
        sampled.dims()
    );
    Tensor::from_dispatch(Dispatch::ruled_logits_so_far(
        logits.into_dispatch(),
        sampled.into_dispatch(),
        progress.0.clone().into_dispatch(),
        tokens,
    ))
}

/// `source`, in the memory of `target` on a GPU, whoever else holds it. Both are of one shape, which may be any.
///
/// # Panics
///
/// If the shapes or the element types differ.
pub fn overwrite<const D: usize>(target: Tensor<D>, source: Tensor<D>) -> Tensor<D> {
    assert!(
        target.dims() == source.dims() && target.dtype() == source.dtype(),
        "overwrite: {:?} of {:?} by {:?} of {:?}",
        target.dims(),
        target.dtype(),
        source.dims(),
        source.dtype()
    );
    Tensor::from_dispatch(Dispatch::overwritten(
        target.into_dispatch(),
        source.into_dispatch(),
    ))
}

/// The sampled tokens with one more for each row, and the progress one further. On a GPU the memory of both is written,
/// whoever else holds it.
///
/// # Shapes
///
/// - sampled: `[rows, capacity]` of `i32`
/// - report: `[rows, 2]`, as [`most_probable`](crate::most_probable) gives it
pub fn record(
    sampled: Tensor<2, Int>,
    progress: Progress,
    report: Tensor<2, Int>,
) -> (Tensor<2, Int>, Progress) {
    let (sampled, progress) = Dispatch::recorded(
        sampled.into_dispatch(),
        progress.0.into_dispatch(),
        report.into_dispatch(),
    );
    (
        Tensor::from_dispatch(sampled),
        Progress(Tensor::from_dispatch(progress)),
    )
}
