//! Attention on CubeCL runtimes.
//!
//! Of many queries, as in the encoder, it is two matrix products with a softmax between them. Those of few
//! queries, as in each step of the decoder, are in [`few_queries`](super::few_queries).

use burn::backend::TensorMetadata;
use burn::backend::cubecl::dtype_to_elem_type;
use burn::tensor::{DType, Shape};
use burn_cubecl::cubecl;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::permute;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::few_queries::{FEW, HEAD, Visible, few_queries};
use super::linear::Finish;
use super::reduce::{UNITS, largest_of_all, sum_of_all};
use super::tiles::product;
use super::{empty, tensor_core, with_contiguous_rows};
use crate::AttentionOptions;

/// The softmax of each row of scores: the query along x, the head and sequence along y. Each unit keeps its scores, `held` at
/// most, so that they are read once.
#[cube(launch_unchecked)]
fn softmax_kernel<E: Float>(
    scores: &[f32],
    weights: &mut [E],
    length: u32,
    scale: f32,
    #[comptime] causal: bool,
    #[comptime] held: usize,
    #[define(E)] _elem: ElemType,
) {
    let unit = UNIT_POS as usize;
    let length = length as usize;
    let query = CUBE_POS_Y as usize * CUBE_COUNT_X as usize + CUBE_POS_X as usize;
    let row = query * length;
    let mut visible = length;
    if comptime!(causal) {
        visible = visible + CUBE_POS_X as usize + 1 - CUBE_COUNT_X as usize;
    }
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    let mut own = Array::<f32>::new(held);
    let mut largest = f32::new(-3.0e38);
    #[unroll]
    for round in 0..held {
        let position = unit + comptime!(round * UNITS);
        own[round] = f32::new(-3.0e38);
        if position < visible {
            own[round] = scores[row + position];
        }
        largest = max(largest, own[round]);
    }
    let largest = largest_of_all(largest, &mut shared);
    let mut sum = 0.0f32;
    #[unroll]
    for round in 0..held {
        let mut weight = 0.0f32;
        if unit + comptime!(round * UNITS) < visible {
            weight = ((own[round] - largest) * scale).exp();
        }
        own[round] = weight;
        sum += weight;
    }
    let sum = sum_of_all(sum, &mut shared);
    #[unroll]
    for round in 0..held {
        let position = unit + comptime!(round * UNITS);
        if position < length {
            weights[row + position] = E::cast_from(own[round] / sum);
        }
    }
}

/// Scaled dot-product attention: see [`attention`](crate::attention).
///
/// # Shapes
/// - `query`: `[batch, n_query, n_state]`; `key`, `value`: `[batch, n_ctx, n_state]`
/// - returns `[batch, n_query, n_state]`
pub(crate) fn attention(
    query: CubeTensor,
    key: CubeTensor,
    value: CubeTensor,
    options: AttentionOptions,
) -> CubeTensor {
    let [_, n_query, n_state] = query.shape().dims();
    let [key, value] = [key, value].map(with_contiguous_rows);
    if n_query <= FEW && n_state == options.n_head * HEAD {
        few_queries(query, key, value, Visible::Options(options))
    } else if tensor_core::attention::takes(&query, &key, &value, options.n_head) {
        tensor_core::attention::attention(query, key, value, options)
    } else {
        many_queries(into_contiguous(query), key, value, options)
    }
}

/// Attention of the newest position of each sequence: see [`attention_so_far`](crate::attention_so_far).
pub(crate) fn attention_so_far(
    query: CubeTensor,
    key: CubeTensor,
    value: CubeTensor,
    progress: CubeTensor,
    n_head: usize,
) -> CubeTensor {
    let [key, value] = [key, value].map(with_contiguous_rows);
    few_queries(query, key, value, Visible::SoFar(progress, n_head))
}

fn many_queries(
    query: CubeTensor,
    key: CubeTensor,
    value: CubeTensor,
    options: AttentionOptions,
) -> CubeTensor {
    let [batch, n_query, n_state] = query.shape().dims();
    let AttentionOptions {
        n_head,
        kv_len,
        causal,
        ..
    } = options;
    let width = n_state / n_head;
    // [batch, length, n_state] to [batch, n_head, length, width], as a view.
    let heads = |mut x: CubeTensor, length: usize| {
        let [sequence, position] = [x.meta.strides[0], x.meta.strides[1]];
        x.meta.shape = Shape::new([batch, n_head, length, width]);
        x.meta.strides = [sequence, width, position, 1].into();
        x
    };
    let key = permute(heads(key, kv_len), &[0, 1, 3, 2]);
    let dtype = query.dtype;
    let nothing = Finish::NONE;
    // In single precision whatever the factors are: scores of half precision overflow.
    let scores = product(heads(query, n_query), key, None, nothing, DType::F32);
    let weights = empty(&scores, Shape::new([batch, n_head, n_query, kv_len]), dtype);
    let client = scores.client.clone();
    // SAFETY: each cube has its own row.
    unsafe {
        softmax_kernel::launch_unchecked(
            &client,
            CubeCount::Static(n_query as u32, (batch * n_head) as u32, 1),
            CubeDim::new_1d(UNITS as u32),
            scores.into_buffer_arg(),
            weights.clone().into_buffer_arg(),
            kv_len as u32,
            (width as f32).sqrt().recip(),
            causal,
            kv_len.div_ceil(UNITS),
            dtype_to_elem_type(dtype),
        );
    }
    let context = product(weights, heads(value, kv_len), None, nothing, dtype);
    let mut context = into_contiguous(permute(context, &[0, 2, 1, 3]));
    context.meta.shape = Shape::new([batch, n_query, n_state]);
    context.meta.strides = [n_query * n_state, n_state, 1].into();
    context
}
