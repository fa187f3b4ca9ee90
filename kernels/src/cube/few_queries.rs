//! Attention of few queries, as in each step of the decoder.
//!
//! It is bound by reading the keys and values once, so they are read by as many cubes as there are parts of
//! [`PART`] keys: each takes a part of one head for one query, keeps the scores in shared memory, and leaves what it has
//! summed with the highest score it met. A second kernel puts the parts together.

use burn::backend::TensorMetadata;
use burn::backend::cubecl::dtype_to_elem_type;
use burn::tensor::{DType, Shape};
use burn_cubecl::cubecl;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::empty;
use super::reduce::{UNITS, largest_of_all, sum_of_all};
use crate::{AttentionOptions, HEAD_WIDTH};

/// Queries of a sequence that these kernels take at most.
pub(super) const FEW: usize = 8;

/// The only width of a head here.
pub(super) const HEAD: usize = HEAD_WIDTH;

/// Keys that a cube takes.
const PART: usize = 128;

/// Keys whose scores a cube computes at a time.
const TILE: usize = 64;

/// Elements from one key to the next in shared memory: odd, so that units reach different banks.
const ROW: usize = HEAD + 1;

/// What a part leaves: the sum of the weighted values, the highest score, and the sum of the weights.
const LEFT: usize = HEAD + 2;

/// Where the keys and values of a sequence lie.
#[derive(CubeLaunch, CubeType, Clone, Copy)]
struct Layout {
    /// Elements from one sequence to the next, and from one position to the next.
    key_sequence: u32,
    key_position: u32,
    value_sequence: u32,
    value_position: u32,
    /// Queries of a sequence.
    n_query: u32,
}

/// One part of one head of one query a cube: the head along x, the part along y, the queries of all sequences along z.
/// The query sees `visible` keys.
#[cube]
fn attend_to_part<E: Float>(
    query: &[E],
    key: &[E],
    value: &[E],
    parts: &mut [f32],
    layout: &Layout,
    visible: usize,
    scale: f32,
) {
    let unit = UNIT_POS as usize;
    let n_state = CUBE_COUNT_X as usize * HEAD;
    let head = CUBE_POS_X as usize * HEAD;
    let row = CUBE_POS_Z as usize;
    let sequence = row / layout.n_query as usize;
    let begin = CUBE_POS_Y as usize * PART;
    let end = min(begin + PART, visible);

    let mut queries = Shared::<[f32]>::new_slice(HEAD);
    let mut tile = Shared::<[f32]>::new_slice(comptime!(TILE * ROW));
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    let mut scores = Shared::<[f32]>::new_slice(PART);
    if unit < HEAD {
        queries[unit] = f32::cast_from(query[row * n_state + head + unit]) * scale;
    }

    let mut largest = f32::new(-3.0e38);
    let keys = sequence * layout.key_sequence as usize + head;
    let mut first = begin;
    while first < end {
        sync_cube();
        #[unroll]
        for round in 0..comptime!(TILE * HEAD / UNITS) {
            let item = unit + comptime!(round * UNITS);
            let position = first + item / HEAD;
            if position < end {
                tile[item / HEAD * ROW + item % HEAD] = f32::cast_from(
                    key[keys + position * layout.key_position as usize + item % HEAD],
                );
            }
        }
        sync_cube();
        // Each unit multiplies a piece of a key.
        let in_tile = unit % TILE;
        let piece = unit / TILE * comptime!(HEAD * TILE / UNITS);
        let mut product = 0.0f32;
        #[unroll]
        for element in 0..comptime!(HEAD * TILE / UNITS) {
            product += queries[piece + element] * tile[in_tile * ROW + piece + element];
        }
        shared[unit] = product;
        sync_cube();
        if unit < TILE && first + unit < end {
            let mut score = 0.0f32;
            #[unroll]
            for piece in 0..comptime!(UNITS / TILE) {
                score += shared[unit + comptime!(piece * TILE)];
            }
            scores[first + unit - begin] = score;
            largest = max(largest, score);
        }
        first += TILE;
    }
    // The pieces of the last tile have been read before their place is used again.
    sync_cube();
    let largest = largest_of_all(largest, &mut shared);

    let mut sum = 0.0f32;
    if begin + unit < end {
        let weight = (scores[unit] - largest).exp();
        scores[unit] = weight;
        sum += weight;
    }
    let sum = sum_of_all(sum, &mut shared);

    // Each unit sums a run of positions of one element.
    let element = unit % HEAD;
    let values = sequence * layout.value_sequence as usize + head + element;
    let mut total = 0.0f32;
    let mut position = begin + unit / HEAD;
    while position < end {
        total += scores[position - begin]
            * f32::cast_from(value[values + position * layout.value_position as usize]);
        position += comptime!(UNITS / HEAD);
    }
    shared[unit] = total;
    sync_cube();
    let left = ((row * CUBE_COUNT_X as usize + CUBE_POS_X as usize) * CUBE_COUNT_Y as usize
        + CUBE_POS_Y as usize)
        * LEFT;
    if unit < HEAD {
        let mut total = 0.0f32;
        #[unroll]
        for piece in 0..comptime!(UNITS / HEAD) {
            total += shared[unit + comptime!(piece * HEAD)];
        }
        parts[left + unit] = total;
    }
    if unit == 0 {
        parts[left + HEAD] = largest;
        parts[left + HEAD + 1] = sum;
    }
}

#[cube(launch_unchecked)]
fn part_kernel<E: Float>(
    query: &[E],
    key: &[E],
    value: &[E],
    parts: &mut [f32],
    layout: Layout,
    length: u32,
    scale: f32,
    #[comptime] causal: bool,
    #[define(E)] _elem: ElemType,
) {
    let mut visible = length as usize;
    if comptime!(causal) {
        // Query `i` of `n` stands at position `length - n + i`.
        let n_query = layout.n_query as usize;
        visible = visible + CUBE_POS_Z as usize % n_query + 1 - n_query;
    }
    attend_to_part::<E>(query, key, value, parts, &layout, visible, scale);
}

/// The positions that hold something are those up to the one that `progress` begins with.
#[cube(launch_unchecked)]
fn part_so_far_kernel<E: Float>(
    query: &[E],
    key: &[E],
    value: &[E],
    parts: &mut [f32],
    progress: &[i32],
    layout: Layout,
    capacity: u32,
    scale: f32,
    #[define(E)] _elem: ElemType,
) {
    let visible = min(progress[0usize] + 1, capacity as i32) as usize;
    attend_to_part::<E>(query, key, value, parts, &layout, visible, scale);
}

/// An element a unit; the head along x, the queries of all sequences along y. Of the first part some key is visible.
#[cube(launch_unchecked)]
fn join_parts_kernel<E: Float>(
    parts: &[f32],
    output: &mut [E],
    #[comptime] n_parts: usize,
    #[define(E)] _elem: ElemType,
) {
    let unit = UNIT_POS as usize;
    let place = CUBE_POS_Y as usize * CUBE_COUNT_X as usize + CUBE_POS_X as usize;
    let left = place * comptime!(n_parts * LEFT);
    let mut largest = f32::new(-3.0e38);
    for part in 0..n_parts {
        largest = max(largest, parts[left + part * LEFT + HEAD]);
    }
    let mut total = 0.0f32;
    let mut sum = 0.0f32;
    for part in 0..n_parts {
        let at = left + part * LEFT;
        let weight = (parts[at + HEAD] - largest).exp();
        total += weight * parts[at + unit];
        sum += weight * parts[at + HEAD + 1];
    }
    output[place * HEAD + unit] = E::cast_from(total / sum);
}

/// The keys that a query sees.
pub(super) enum Visible {
    /// As the options say.
    Options(AttentionOptions),
    /// Those up to the position that this tensor, of `i32`, begins with; there are so many heads.
    SoFar(CubeTensor, usize),
}

/// Attention of few queries, whose heads have the width [`HEAD`].
///
/// # Shapes
/// - `query`: `[batch, n_query, n_state]`; `key`, `value`: `[batch, n_ctx, n_state]` with contiguous rows
/// - returns `[batch, n_query, n_state]`
pub(super) fn few_queries(
    query: CubeTensor,
    key: CubeTensor,
    value: CubeTensor,
    visible: Visible,
) -> CubeTensor {
    let query = into_contiguous(query);
    let [batch, n_query, _] = query.shape().dims();
    let capacity = key.shape()[1];
    let (n_head, keys) = match &visible {
        Visible::Options(options) => (options.n_head, options.kv_len),
        Visible::SoFar(_, n_head) => (*n_head, capacity),
    };
    let rows = batch * n_query;
    let n_parts = keys.div_ceil(PART);
    let output = empty(&query, query.shape(), query.dtype);
    let parts = Shape::new([rows, n_head, n_parts, LEFT]);
    let parts = empty(&query, parts, DType::F32);
    let client = query.client.clone();
    let elem = dtype_to_elem_type(query.dtype);
    let scale = (HEAD as f32).sqrt().recip();
    let layout = LayoutLaunch::new(
        key.meta.strides[0] as u32,
        key.meta.strides[1] as u32,
        value.meta.strides[0] as u32,
        value.meta.strides[1] as u32,
        n_query as u32,
    );
    let grid = CubeCount::Static(n_head as u32, n_parts as u32, rows as u32);
    let units = CubeDim::new_1d(UNITS as u32);
    let left = parts.clone().into_buffer_arg();
    let [query, key, value] = [query, key, value].map(CubeTensor::into_buffer_arg);
    // SAFETY: units read positions that hold something, of sequences that are there, and write what their own part leaves.
    unsafe {
        match visible {
            Visible::Options(options) => part_kernel::launch_unchecked(
                &client,
                grid,
                units,
                query,
                key,
                value,
                left,
                layout,
                options.kv_len as u32,
                scale,
                options.causal,
                elem,
            ),
            Visible::SoFar(progress, _) => part_so_far_kernel::launch_unchecked(
                &client,
                grid,
                units,
                query,
                key,
                value,
                left,
                progress.into_buffer_arg(),
                layout,
                capacity as u32,
                scale,
                elem,
            ),
        }
    }
    // SAFETY: each unit reads all that the parts of its query and head left, and writes its own element.
    unsafe {
        join_parts_kernel::launch_unchecked(
            &client,
            CubeCount::Static(n_head as u32, rows as u32, 1),
            CubeDim::new_1d(HEAD as u32),
            parts.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            n_parts,
            elem,
        );
    }
    output
}
