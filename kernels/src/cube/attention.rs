//! Attention on CubeCL runtimes.
//!
//! Of many queries, as in the encoder, it is two matrix products with a softmax between them. Of few,
//! as in each step of the decoder, one kernel does it all: a cube for each head of each query reads
//! the keys once, keeps the scores in shared memory, and reads the values once.

use burn::backend::TensorMetadata;
use burn::backend::cubecl::dtype_to_elem_type;
use burn::tensor::{DType, Shape};
use burn_cubecl::cubecl;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::permute;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::matmul::{TENSOR_CORE, product};
use super::reduce::{UNITS, largest_of_all, sum_of_all};
use super::{empty, line_of_cubes};
use crate::AttentionOptions;

/// Queries of a sequence that the kernel of few queries takes at most.
const FEW: usize = 8;

/// The width of a head in every Whisper model; others take the way of many queries.
const HEAD: usize = 64;

/// Keys whose scores a cube computes at a time.
const TILE: usize = 64;

/// Elements from one key to the next in shared memory: odd, so that units reach different banks.
const ROW: usize = HEAD + 1;

/// Where the keys and values of a sequence lie.
#[derive(CubeLaunch, CubeType, Clone, Copy)]
struct Cache {
    /// Elements from one sequence to the next, and from one position to the next.
    key_sequence: u32,
    key_position: u32,
    value_sequence: u32,
    value_position: u32,
    /// Positions that hold something.
    length: u32,
}

/// One head of one query a cube: the head along x, the query along y, the sequence along z.
#[cube(launch_unchecked)]
fn few_queries_kernel<E: Float>(
    query: &[E],
    key: &[E],
    value: &[E],
    output: &mut [E],
    cache: Cache,
    scale: f32,
    #[comptime] capacity: usize,
    #[comptime] causal: bool,
    #[define(E)] _elem: ElemType,
) {
    let unit = UNIT_POS as usize;
    let n_state = CUBE_COUNT_X as usize * HEAD;
    let head = CUBE_POS_X as usize * HEAD;
    let sequence = CUBE_POS_Z as usize;
    let row = (sequence * CUBE_COUNT_Y as usize + CUBE_POS_Y as usize) * n_state + head;
    let mut visible = cache.length as usize;
    if comptime!(causal) {
        // Query `i` of `n` stands at position `length - n + i`.
        visible = visible + CUBE_POS_Y as usize + 1 - CUBE_COUNT_Y as usize;
    }

    let mut queries = Shared::<[f32]>::new_slice(HEAD);
    let mut tile = Shared::<[f32]>::new_slice(comptime!(TILE * ROW));
    let mut parts = Shared::<[f32]>::new_slice(UNITS);
    let mut scores = Shared::<[f32]>::new_slice(capacity);
    if unit < HEAD {
        queries[unit] = f32::cast_from(query[row + unit]) * scale;
    }

    let mut largest = f32::new(-3.0e38);
    let keys = sequence * cache.key_sequence as usize + head;
    let mut first = 0usize;
    while first < visible {
        sync_cube();
        #[unroll]
        for round in 0..comptime!(TILE * HEAD / UNITS) {
            let item = unit + comptime!(round * UNITS);
            let position = first + item / HEAD;
            if position < visible {
                tile[item / HEAD * ROW + item % HEAD] = f32::cast_from(
                    key[keys + position * cache.key_position as usize + item % HEAD],
                );
            }
        }
        sync_cube();
        // Each unit multiplies a part of a key.
        let in_tile = unit % TILE;
        let begin = unit / TILE * comptime!(HEAD * TILE / UNITS);
        let mut part = 0.0f32;
        #[unroll]
        for element in 0..comptime!(HEAD * TILE / UNITS) {
            part += queries[begin + element] * tile[in_tile * ROW + begin + element];
        }
        parts[unit] = part;
        sync_cube();
        if unit < TILE && first + unit < visible {
            let mut score = 0.0f32;
            #[unroll]
            for piece in 0..comptime!(UNITS / TILE) {
                score += parts[unit + comptime!(piece * TILE)];
            }
            scores[first + unit] = score;
            largest = max(largest, score);
        }
        first += TILE;
    }
    let largest = largest_of_all(largest, &mut parts);

    let mut sum = 0.0f32;
    let mut position = unit;
    while position < visible {
        let weight = (scores[position] - largest).exp();
        scores[position] = weight;
        sum += weight;
        position += UNITS;
    }
    let sum = sum_of_all(sum, &mut parts);

    // Each unit sums a run of positions of one element.
    let element = unit % HEAD;
    let values = sequence * cache.value_sequence as usize + head + element;
    let mut part = 0.0f32;
    let mut position = unit / HEAD;
    while position < visible {
        part += scores[position]
            * f32::cast_from(value[values + position * cache.value_position as usize]);
        position += comptime!(UNITS / HEAD);
    }
    parts[unit] = part;
    sync_cube();
    if unit < HEAD {
        let mut total = 0.0f32;
        #[unroll]
        for piece in 0..comptime!(UNITS / HEAD) {
            total += parts[unit + comptime!(piece * HEAD)];
        }
        output[row + unit] = E::cast_from(total / sum);
    }
}

/// The softmax of each row of scores: the query along x, the head and sequence along y.
#[cube(launch_unchecked)]
fn softmax_kernel<E: Float>(
    scores: &[f32],
    weights: &mut [E],
    length: u32,
    padded: u32,
    scale: f32,
    #[comptime] causal: bool,
    #[define(E)] _elem: ElemType,
) {
    let unit = UNIT_POS as usize;
    let (length, padded) = (length as usize, padded as usize);
    let query = CUBE_POS_Y as usize * CUBE_COUNT_X as usize + CUBE_POS_X as usize;
    let row = query * length;
    let mut visible = length;
    if comptime!(causal) {
        visible = visible + CUBE_POS_X as usize + 1 - CUBE_COUNT_X as usize;
    }
    let mut parts = Shared::<[f32]>::new_slice(UNITS);
    let mut largest = f32::new(-3.0e38);
    let mut position = unit;
    while position < visible {
        largest = max(largest, scores[row + position]);
        position += UNITS;
    }
    let largest = largest_of_all(largest, &mut parts);
    let mut sum = 0.0f32;
    let mut position = unit;
    while position < visible {
        sum += ((scores[row + position] - largest) * scale).exp();
        position += UNITS;
    }
    let sum = sum_of_all(sum, &mut parts);
    let mut position = unit;
    while position < padded {
        let mut weight = 0.0f32;
        if position < visible {
            weight = ((scores[row + position] - largest) * scale).exp() / sum;
        }
        weights[query * padded + position] = E::cast_from(weight);
        position += UNITS;
    }
}

/// The heads of values one after the other, with zeros behind them: `output` `[batch, n_head, padded, width]`.
#[cube(launch_unchecked)]
fn padded_heads_kernel<E: Float>(
    value: &[E],
    output: &mut [E],
    sequence_stride: u32,
    position_stride: u32,
    length: u32,
    padded: u32,
    n_head: u32,
    width: u32,
    count: u32,
    #[define(E)] _elem: ElemType,
) {
    let at = ABSOLUTE_POS;
    if at < count as usize {
        let element = at % width as usize;
        let position = at / width as usize % padded as usize;
        let head = at / (width * padded) as usize % n_head as usize;
        let sequence = at / (width * padded * n_head) as usize;
        let mut found = E::cast_from(0.0f32);
        if position < length as usize {
            found = value[sequence * sequence_stride as usize
                + position * position_stride as usize
                + head * width as usize
                + element];
        }
        output[at] = found;
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
    let query = into_contiguous(query);
    let [key, value] = [key, value].map(with_contiguous_rows);
    if n_query <= FEW && n_state == options.n_head * HEAD {
        few_queries(query, key, value, options)
    } else {
        many_queries(query, key, value, options)
    }
}

fn few_queries(
    query: CubeTensor,
    key: CubeTensor,
    value: CubeTensor,
    options: AttentionOptions,
) -> CubeTensor {
    let [batch, n_query, _] = query.shape().dims();
    let output = empty(&query, query.shape(), query.dtype);
    let client = query.client.clone();
    let dtype = query.dtype;
    let scale = (HEAD as f32).sqrt().recip();
    let cache = CacheLaunch::new(
        key.meta.strides[0] as u32,
        key.meta.strides[1] as u32,
        value.meta.strides[0] as u32,
        value.meta.strides[1] as u32,
        options.kv_len as u32,
    );
    let capacity = key.shape()[1];
    // SAFETY: units read positions that hold something, of sequences that are there, and write the
    // elements of their own query and head.
    unsafe {
        few_queries_kernel::launch_unchecked(
            &client,
            CubeCount::Static(options.n_head as u32, n_query as u32, batch as u32),
            CubeDim::new_1d(UNITS as u32),
            query.into_buffer_arg(),
            key.into_buffer_arg(),
            value.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            cache,
            scale,
            capacity,
            options.causal,
            dtype_to_elem_type(dtype),
        );
    }
    output
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
    } = options;
    let width = n_state / n_head;
    // [batch, length, n_state] to [batch, n_head, length, width], as a view.
    let heads = |mut x: CubeTensor, length: usize| {
        let [sequence, position] = [x.meta.strides[0], x.meta.strides[1]];
        x.meta.shape = Shape::new([batch, n_head, length, width]);
        x.meta.strides = [sequence, width, position, 1].into();
        x
    };
    let query = heads(query, n_query);
    let key = permute(heads(key, kv_len), &[0, 1, 3, 2]);
    let dtype = query.dtype;
    let (value, padded) = match dtype {
        DType::F32 => (heads(value, kv_len), kv_len),
        // What a tensor core sums past the end has to be zero on both sides.
        _ => {
            let padded = kv_len.next_multiple_of(TENSOR_CORE);
            let shape = [batch, n_head, padded, width];
            (padded_heads(value, kv_len, shape), padded)
        }
    };
    // In single precision whatever the factors are: scores of half precision overflow.
    let scores = into_contiguous(product(query, key, DType::F32));
    let weights = Shape::new([batch, n_head, n_query, padded]);
    let weights = empty(&scores, weights, dtype);
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
            padded as u32,
            (width as f32).sqrt().recip(),
            causal,
            dtype_to_elem_type(dtype),
        );
    }
    let context = product(weights, value, dtype);
    let mut context = into_contiguous(permute(context, &[0, 2, 1, 3]));
    context.meta.shape = Shape::new([batch, n_query, n_state]);
    context.meta.strides = [n_query * n_state, n_state, 1].into();
    context
}

/// The heads of the first `length` positions of values, with zeros behind them up to `shape`,
/// `[batch, n_head, padded, width]`.
fn padded_heads(value: CubeTensor, length: usize, shape: [usize; 4]) -> CubeTensor {
    let [_, n_head, padded, width] = shape;
    let output = empty(&value, Shape::new(shape), value.dtype);
    let count: usize = shape.iter().product();
    let client = value.client.clone();
    let dtype = value.dtype;
    let [sequence, position] = [value.meta.strides[0], value.meta.strides[1]];
    // SAFETY: each unit has its own element, and reads one of a position that is there.
    unsafe {
        padded_heads_kernel::launch_unchecked(
            &client,
            line_of_cubes(count.div_ceil(UNITS)),
            CubeDim::new_1d(UNITS as u32),
            value.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            sequence as u32,
            position as u32,
            length as u32,
            padded as u32,
            n_head as u32,
            width as u32,
            count as u32,
            dtype_to_elem_type(dtype),
        );
    }
    output
}

/// A `[batch, rows, columns]` tensor whose rows are contiguous, copied only if they are not.
fn with_contiguous_rows(tensor: CubeTensor) -> CubeTensor {
    match tensor.meta.strides[2] {
        1 => tensor,
        _ => into_contiguous(tensor),
    }
}
