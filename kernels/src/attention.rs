//! Multi-head attention over the projected states.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::backends::WhisperOps;

/// What [`attention`] needs to know beside its tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttentionOptions {
    /// Heads, consecutive slices of the state; divides `n_state`.
    pub n_head: usize,
    /// Valid positions of the keys and values, from the first on; at least 1.
    pub kv_len: usize,
    /// Query `i` stands at position `kv_len - n_query + i` and sees the keys up to its own
    /// position. Otherwise it sees all `kv_len`.
    pub causal: bool,
}

/// Scaled dot-product attention, `softmax(Q K^T / sqrt(n_state / n_head)) V` for every head
/// (openai/whisper, `model.py`, `MultiHeadAttention.qkv_attention`).
///
/// `query` is `[batch, n_query, n_state]`; `key` and `value` are `[batch, n_ctx, n_state]`, such as
/// a cache of full length of which `options.kv_len` positions hold something: the rest is not read.
/// Views into larger tensors are used as they lie. The result is `[batch, n_query, n_state]`.
///
/// # Panics
///
/// If the shapes do not fit each other or the options.
pub fn attention(
    query: Tensor<3>,
    key: Tensor<3>,
    value: Tensor<3>,
    options: AttentionOptions,
) -> Tensor<3> {
    let [batch, n_query, n_state] = query.dims();
    let [key_batch, n_ctx, key_state] = key.dims();
    let AttentionOptions {
        n_head,
        kv_len,
        causal,
    } = options;
    assert_eq!(
        key.dims(),
        value.dims(),
        "attention: shapes of keys and values"
    );
    assert_eq!(
        [key_batch, key_state],
        [batch, n_state],
        "attention: batch and state of the keys"
    );
    assert!(
        n_head > 0 && n_state > 0 && n_state.is_multiple_of(n_head),
        "attention: {n_head} heads do not divide a state of {n_state}"
    );
    assert!(
        (1..=n_ctx).contains(&kv_len),
        "attention: kv_len is {kv_len}, of {n_ctx} positions"
    );
    assert!(
        !causal || n_query <= kv_len,
        "attention: {n_query} causal queries of {kv_len} positions"
    );
    Tensor::from_dispatch(Dispatch::head_attention(
        query.into_dispatch(),
        key.into_dispatch(),
        value.into_dispatch(),
        options,
    ))
}
