//! Attention of many queries in one pass over the keys, its scores and weights in registers (Dao 2023, "FlashAttention-2").

use burn::backend::TensorMetadata;
use burn::backend::cubecl::dtype_to_elem_type;
use burn::tensor::{DType, Shape};
use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::cmma::{MatrixIdent, MmaDefinition};
use cubecl::prelude::*;

use super::{
    COLUMNS, PLANE, ROWS, TERMS, VECTOR, end_group, exp2, has_instruction, load, multiply,
    start_copy, wait_for_groups, warpgroup,
};
use crate::AttentionOptions;
use crate::cube::empty;
use crate::cube::few_queries::HEAD;

/// Vectors of a head's row.
const WIDTH: usize = HEAD / VECTOR;

/// Keys that are in shared memory at a time, twice: those at hand and those that arrive.
const KEYS: usize = 64;

/// Pairs of columns of an instruction in these keys, and the loads of a right factor in a round: those of the keys for the scores, and as
/// many of the values.
const PAIRS: usize = KEYS / (2 * COLUMNS);
const TURNS: usize = PAIRS * HEAD / TERMS;

/// Planes of a cube, each with its own queries, and the queries of all.
const PLANES: usize = 4;
const QUERIES: usize = PLANES * ROWS;

const UNITS: usize = PLANES * PLANE;

/// The sums in PTX, where a group of planes has them.
const SCORES: &str = "score";
const SUMS: &str = "sum";

/// What stands for no score: finite, so that the difference of two is a number.
const NONE: f32 = -3.0e38;

/// Where the rows lie, in vectors.
#[derive(CubeLaunch, CubeType, Clone, Copy)]
struct Layout {
    query_sequence: u32,
    query_position: u32,
    key_sequence: u32,
    key_position: u32,
    value_sequence: u32,
    value_position: u32,
    n_query: u32,
    n_key: u32,
}

/// Where a vector of a head's row lies in shared memory, so that the eight rows of a matrix lie in different banks.
#[cube]
fn place(row: usize, vector: usize) -> usize {
    row * WIDTH + (vector ^ (row % WIDTH))
}

/// Starts the copies of `count` rows of a head to the place `at`. Rows past the last are zero.
#[cube]
fn start_rows<E: Float, V: Size>(
    matrix: &[Vector<E, V>],
    shared: &mut Shared<[Vector<E, V>]>,
    at: usize,
    base: usize,
    stride: usize,
    first: usize,
    rows: usize,
    #[comptime] count: usize,
) {
    let unit = UNIT_POS as usize;
    #[unroll]
    for round in 0..comptime!(count * WIDTH / UNITS) {
        let item = unit + comptime!(round * UNITS);
        let row = item / WIDTH;
        let vector = item % WIDTH;
        let there = usize::cast_from(first + row < rows);
        start_copy(
            matrix,
            base + (first + row) * there * stride + vector,
            there,
            shared,
            at + place(row, vector),
        );
    }
}

/// The highest of the four lanes that share a row.
#[cube]
fn largest_of_row(value: f32) -> f32 {
    let value = max(value, plane_shuffle_xor(value, 1u32));
    max(value, plane_shuffle_xor(value, 2u32))
}

#[cube]
fn sum_of_row(value: f32) -> f32 {
    let value = value + plane_shuffle_xor(value, 1u32);
    value + plane_shuffle_xor(value, 2u32)
}

/// The scores of 16 queries for the keys at hand.
#[cube]
fn score<E: Float, V: Size, R: Size, S: Size>(
    definition: &MmaDefinition<E, E, f32>,
    queries: &Array<Vector<E, R>>,
    keys: &Shared<[Vector<E, V>]>,
    at: usize,
    lane: usize,
) -> Array<Vector<f32, S>> {
    let mut scores = Array::<Vector<f32, S>>::new(comptime!(KEYS / COLUMNS * 2));
    #[unroll]
    for score in 0..comptime!(KEYS / COLUMNS * 2) {
        scores[score] = Vector::zeroed();
    }
    let row = lane / 16 * 8 + lane % 8;
    let vector = lane / 8 % 2;
    // Two sets of keys are in registers: one is multiplied while the other is loaded.
    let mut right = Array::<Vector<E, R>>::new(8usize);
    load(
        definition,
        keys,
        at + place(row, vector),
        false,
        &mut right,
        0usize,
    );
    #[unroll]
    for turn in 0..TURNS {
        if comptime!(turn + 1 < TURNS) {
            let next = place(
                row + comptime!((turn + 1) % PAIRS * 2 * COLUMNS),
                vector + comptime!((turn + 1) / PAIRS * 2),
            );
            let set = comptime!((turn + 1) % 2 * 4);
            load(definition, keys, at + next, false, &mut right, set);
        }
        #[unroll]
        for half in 0..2usize {
            multiply(
                definition,
                queries,
                comptime!(turn / PAIRS * 4),
                &right,
                comptime!(turn % 2 * 4 + half * 2),
                &mut scores,
                comptime!((turn % PAIRS * 2 + half) * 2),
            );
        }
    }
    scores
}

/// Turns the scores of one of the two rows of a lane, the one 8 further `down` if that is 1, into weights. Returns by what factor all
/// that has been summed is to shrink, since the highest score has grown. The row sees the keys before `seen`.
#[cube]
fn weigh<S: Size>(
    scores: &mut Array<Vector<f32, S>>,
    largest: &mut Array<f32>,
    totals: &mut Array<f32>,
    #[comptime] down: usize,
    first_key: usize,
    seen: usize,
    scale: f32,
) -> f32 {
    let column = first_key + UNIT_POS_PLANE as usize % 4 * 2;
    let mut highest = largest[down];
    #[unroll]
    for tile in 0..comptime!(KEYS / COLUMNS) {
        let mut pair = scores[comptime!(tile * 2 + down)];
        if first_key + KEYS > seen {
            #[unroll]
            for element in 0..2usize {
                if column + comptime!(tile * COLUMNS + element) >= seen {
                    pair.insert(element, NONE.runtime());
                }
            }
            scores[comptime!(tile * 2 + down)] = pair;
        }
        highest = max(highest, max(pair.extract(0usize), pair.extract(1usize)));
    }
    let highest = largest_of_row(highest);
    let shift = highest * scale;
    let factor = exp2(largest[down] * scale - shift);
    largest[down] = highest;
    let mut total = totals[down] * factor;
    #[unroll]
    for tile in 0..comptime!(KEYS / COLUMNS) {
        let mut pair = scores[comptime!(tile * 2 + down)];
        #[unroll]
        for element in 0..2usize {
            let weight = exp2(pair.extract(element) * scale - shift);
            total += weight;
            pair.insert(element, weight);
        }
        scores[comptime!(tile * 2 + down)] = pair;
    }
    totals[down] = total;
    factor
}

/// Multiplies the sums of a row.
#[cube]
fn shrink<S: Size>(sums: &mut Array<Vector<f32, S>>, #[comptime] down: usize, factor: f32) {
    #[unroll]
    for tile in 0..comptime!(HEAD / COLUMNS) {
        let mut pair = sums[comptime!(tile * 2 + down)];
        #[unroll]
        for element in 0..2usize {
            pair.insert(element, pair.extract(element) * factor);
        }
        sums[comptime!(tile * 2 + down)] = pair;
    }
}

/// [`score`] by a group of planes.
#[cube]
fn score_by_group<S: Size>(
    queries: u32,
    keys: u32,
    #[comptime] brain: bool,
) -> Array<Vector<f32, S>> {
    warpgroup::begin_products();
    #[unroll]
    for part in 0..comptime!(HEAD / TERMS) {
        let along = comptime!((part * warpgroup::TERMS) as u32);
        warpgroup::multiply(
            queries + along,
            keys + along,
            SCORES,
            KEYS,
            comptime!(part > 0),
            brain,
        );
    }
    warpgroup::end_products();
    warpgroup::wait_for_products(0usize);
    let mut scores = Array::<Vector<f32, S>>::new(comptime!(KEYS / COLUMNS * 2));
    #[unroll]
    for score in 0..comptime!(KEYS / COLUMNS * 2) {
        let mut pair = Vector::zeroed();
        #[unroll]
        for element in 0..2usize {
            pair.insert(
                element,
                warpgroup::sum(SCORES, comptime!(score * 2 + element)),
            );
        }
        scores[score] = pair;
    }
    scores
}

/// [`shrink`] where a group of planes has the sums.
#[cube]
fn shrink_by_group(#[comptime] down: usize, factor: f32) {
    #[unroll]
    for tile in 0..comptime!(HEAD / COLUMNS) {
        #[unroll]
        for element in 0..2usize {
            warpgroup::scale_sum(SUMS, comptime!(tile * 4 + down * 2 + element), factor);
        }
    }
}

/// Weights in half precision, as a product's left factor: the registers that sums have in a product's output are those that its left
/// factor has.
#[cube]
fn round<E: Float, R: Size, S: Size>(weights: &Array<Vector<f32, S>>) -> Array<Vector<E, R>> {
    let mut left = Array::<Vector<E, R>>::new(comptime!(KEYS / TERMS * 4));
    #[unroll]
    for register in 0..comptime!(KEYS / TERMS * 4) {
        let pair = weights[register];
        let mut rounded = Vector::<E, R>::zeroed();
        #[unroll]
        for element in 0..2usize {
            rounded.insert(element, E::cast_from(pair.extract(element)));
        }
        left[register] = rounded;
    }
    left
}

/// [`gather`] by a group of planes.
#[cube]
fn gather_by_group<E: Float, R: Size, S: Size>(
    weights: &Array<Vector<f32, S>>,
    values: u32,
    #[comptime] brain: bool,
) {
    let left = round::<E, R, S>(weights);
    warpgroup::begin_products();
    #[unroll]
    for part in 0..comptime!(KEYS / TERMS) {
        let down = comptime!((part * TERMS * WIDTH) as u32);
        warpgroup::multiply_registers(&left, comptime!(part * 4), values + down, SUMS, HEAD, brain);
    }
    warpgroup::end_products();
    warpgroup::wait_for_products(0usize);
}

/// Adds the weighted values at hand.
#[cube]
fn gather<E: Float, V: Size, R: Size, S: Size>(
    definition: &MmaDefinition<E, E, f32>,
    weights: &Array<Vector<f32, S>>,
    values: &Shared<[Vector<E, V>]>,
    at: usize,
    lane: usize,
    sums: &mut Array<Vector<f32, S>>,
) {
    let row = lane % 16;
    let vector = lane / 16;
    let mut right = Array::<Vector<E, R>>::new(8usize);
    load(
        definition,
        values,
        at + place(row, vector),
        true,
        &mut right,
        0usize,
    );
    let left = round::<E, R, S>(weights);
    #[unroll]
    for part in 0..comptime!(KEYS / TERMS) {
        #[unroll]
        for turn_of_part in 0..PAIRS {
            let turn = comptime!(part * PAIRS + turn_of_part);
            if comptime!(turn + 1 < TURNS) {
                let next = place(
                    row + comptime!((turn + 1) / PAIRS * TERMS),
                    vector + comptime!((turn + 1) % PAIRS * 2),
                );
                let set = comptime!((turn + 1) % 2 * 4);
                load(definition, values, at + next, true, &mut right, set);
            }
            #[unroll]
            for half in 0..2usize {
                multiply(
                    definition,
                    &left,
                    comptime!(part * 4),
                    &right,
                    comptime!(turn % 2 * 4 + half * 2),
                    sums,
                    comptime!((turn_of_part * 2 + half) * 2),
                );
            }
        }
    }
}

/// Queries of one head of one sequence: they along x, the head along y, the sequence along z; 16 of them a plane.
/// `scale` is that of the scores times log2(e).
#[cube(launch_unchecked)]
fn attention_kernel<E: Float, V: Size, P: Size>(
    query: &[Vector<E, V>],
    key: &[Vector<E, V>],
    value: &[Vector<E, V>],
    output: &mut [Vector<E, P>],
    layout: Layout,
    scale: f32,
    #[comptime] causal: bool,
    #[comptime] by_group: bool,
    #[comptime] brain: bool,
    #[define(E)] _elem: ElemType,
) {
    let lane = UNIT_POS_PLANE as usize;
    let plane = UNIT_POS as usize / PLANE;
    let (n_query, n_key) = (layout.n_query as usize, layout.n_key as usize);
    let head = CUBE_POS_Y as usize * WIDTH;
    let sequence = CUBE_POS_Z as usize;
    let first_query = CUBE_POS_X as usize * QUERIES;
    let definition = MmaDefinition::<E, E, f32>::new(ROWS, COLUMNS, TERMS);
    let size!(R) = definition.vector_size(MatrixIdent::A);
    let size!(S) = definition.vector_size(MatrixIdent::Accumulator);

    let mut queries =
        Shared::<[Vector<E, V>]>::new_aligned_slice(comptime!(QUERIES * WIDTH), 1024usize);
    let mut keys =
        Shared::<[Vector<E, V>]>::new_aligned_slice(comptime!(2 * KEYS * WIDTH), 1024usize);
    let mut values =
        Shared::<[Vector<E, V>]>::new_aligned_slice(comptime!(2 * KEYS * WIDTH), 1024usize);
    let query_base = sequence * layout.query_sequence as usize + head;
    let key_base = sequence * layout.key_sequence as usize + head;
    let value_base = sequence * layout.value_sequence as usize + head;
    let zero = 0usize.runtime();
    start_rows(
        query,
        &mut queries,
        zero,
        query_base,
        layout.query_position as usize,
        first_query,
        n_query,
        QUERIES,
    );
    start_rows(
        key,
        &mut keys,
        zero,
        key_base,
        layout.key_position as usize,
        zero,
        n_key,
        KEYS,
    );
    start_rows(
        value,
        &mut values,
        zero,
        value_base,
        layout.value_position as usize,
        zero,
        n_key,
        KEYS,
    );
    end_group();
    wait_for_groups(0usize);
    if comptime!(by_group) {
        warpgroup::show_to_products();
        warpgroup::declare_sums(SCORES, comptime!(KEYS / 2));
        warpgroup::declare_sums(SUMS, comptime!(HEAD / 2));
    }
    sync_cube();

    let own_query = plane * ROWS;
    let mut left = Array::<Vector<E, R>>::new(comptime!(HEAD / TERMS * 4));
    if comptime!(!by_group) {
        #[unroll]
        for part in 0..comptime!(HEAD / TERMS) {
            let from = place(own_query + lane % 16, comptime!(part * 2) + lane / 16);
            load(
                &definition,
                &queries,
                from,
                false,
                &mut left,
                comptime!(part * 4),
            );
        }
    }

    // Of each 8 elements of a head, and of each of the two rows of a lane.
    let mut sums = Array::<Vector<f32, S>>::new(comptime!(HEAD / COLUMNS * 2));
    #[unroll]
    for sum in 0..comptime!(HEAD / COLUMNS * 2) {
        sums[sum] = Vector::zeroed();
    }
    let mut largest = Array::<f32>::new(2usize);
    let mut totals = Array::<f32>::new(2usize);
    #[unroll]
    for down in 0..2usize {
        largest[down] = NONE.runtime();
        totals[down] = 0.0f32;
    }

    let mut visible = n_key;
    if comptime!(causal) {
        visible = min(n_key, n_key + first_query + QUERIES - n_query);
    }
    let rounds = visible.div_ceil(KEYS);
    for round in 0..rounds {
        let at = round % 2 * comptime!(KEYS * WIDTH);
        let first_key = round * KEYS;
        if round + 1 < rounds {
            let (next, first) = (comptime!(KEYS * WIDTH) - at, first_key + KEYS);
            start_rows(
                key,
                &mut keys,
                next,
                key_base,
                layout.key_position as usize,
                first,
                n_key,
                KEYS,
            );
            start_rows(
                value,
                &mut values,
                next,
                value_base,
                layout.value_position as usize,
                first,
                n_key,
                KEYS,
            );
        }
        end_group();
        wait_for_groups(1usize);
        if comptime!(by_group) {
            warpgroup::show_to_products();
        }
        sync_cube();
        let mut scores = if comptime!(by_group) {
            let keys = warpgroup::descriptor(&keys) + at as u32;
            score_by_group::<S>(warpgroup::descriptor(&queries), keys, brain)
        } else {
            score::<E, V, R, S>(&definition, &left, &keys, at, lane)
        };
        #[unroll]
        for down in 0..2usize {
            let mut seen = n_key;
            if comptime!(causal) {
                let own = first_query + own_query + comptime!(down * 8) + lane / 4;
                seen = n_key + own + 1 - n_query;
            }
            let factor = weigh(
                &mut scores,
                &mut largest,
                &mut totals,
                down,
                first_key,
                seen,
                scale,
            );
            if comptime!(by_group) {
                shrink_by_group(down, factor);
            } else {
                shrink(&mut sums, down, factor);
            }
        }
        if comptime!(by_group) {
            gather_by_group::<E, R, S>(&scores, warpgroup::descriptor(&values) + at as u32, brain);
        } else {
            gather::<E, V, R, S>(&definition, &scores, &values, at, lane, &mut sums);
        }
        // All are done with these keys before others arrive in their place.
        sync_cube();
    }

    let n_state = CUBE_COUNT_Y as usize * HEAD;
    let element = CUBE_POS_Y as usize * HEAD + lane % 4 * 2;
    #[unroll]
    for down in 0..2usize {
        let position = first_query + own_query + comptime!(down * 8) + lane / 4;
        let share = 1.0f32 / sum_of_row(totals[down]);
        if position < n_query {
            let row = (sequence * n_query + position) * n_state + element;
            #[unroll]
            for tile in 0..comptime!(HEAD / COLUMNS) {
                let pair = sums[comptime!(tile * 2 + down)];
                let mut finished = Vector::<E, P>::zeroed();
                #[unroll]
                for half in 0..2usize {
                    let mut found = pair.extract(half);
                    if comptime!(by_group) {
                        found = warpgroup::sum(SUMS, comptime!(tile * 4 + down * 2 + half));
                    }
                    finished.insert(half, E::cast_from(found * share));
                }
                output[(row + comptime!(tile * COLUMNS)) / 2] = finished;
            }
        }
    }
}

/// Whether [`attention`] takes these: heads of 64, rows of whole vectors, on a device that has the instruction.
pub(crate) fn takes(
    query: &CubeTensor,
    key: &CubeTensor,
    value: &CubeTensor,
    n_head: usize,
) -> bool {
    let whole = |tensor: &CubeTensor| {
        let strides = &tensor.meta.strides;
        strides[2] == 1
            && strides[..2]
                .iter()
                .all(|stride| stride.is_multiple_of(VECTOR))
    };
    query.shape()[2] == n_head * HEAD
        && [query, key, value].into_iter().all(whole)
        && has_instruction(query)
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
    let [batch, n_query, n_state] = query.shape().dims();
    let output = empty(&query, Shape::new([batch, n_query, n_state]), query.dtype);
    let stride = |tensor: &CubeTensor, axis: usize| (tensor.meta.strides[axis] / VECTOR) as u32;
    let layout = LayoutLaunch::new(
        stride(&query, 0),
        stride(&query, 1),
        stride(&key, 0),
        stride(&key, 1),
        stride(&value, 0),
        stride(&value, 1),
        n_query as u32,
        options.kv_len as u32,
    );
    let scale = std::f32::consts::LOG2_E / (HEAD as f32).sqrt();
    let cubes = n_query.div_ceil(QUERIES);
    let client = query.client.clone();
    let elem = dtype_to_elem_type(query.dtype);
    let query_type = query.dtype;
    let by_group = warpgroup::has_warpgroups(&query);
    // SAFETY: rows past the last are not read, and results past the last query are not written.
    unsafe {
        attention_kernel::launch_unchecked(
            &client,
            CubeCount::Static(cubes as u32, options.n_head as u32, batch as u32),
            CubeDim::new_1d(UNITS as u32),
            VECTOR,
            2,
            query.into_buffer_arg(),
            key.into_buffer_arg(),
            value.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            layout,
            scale,
            options.causal,
            by_group,
            query_type == DType::BF16,
            elem,
        );
    }
    output
}
