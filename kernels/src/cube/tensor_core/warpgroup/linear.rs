//! Linear layers of very many rows: see [`linear`](super::super::linear).

use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::super::linear::{Layout, MANY_CUBES, gelu};
use super::super::{PLANE, VECTOR, end_group, start_copy, wait_for_groups};
use super::{
    GROUP, ROWS as GROUP_ROWS, TERMS, WIDTH, begin_products, declare_sums, descriptor,
    end_products, has_warpgroups, multiply, show_to_products, sum, wait_for_products,
};
use crate::cube::linear::Finish;

/// Groups of planes in a cube, one below the other.
const GROUPS: usize = 2;

pub(in super::super) const UNITS: usize = GROUPS * GROUP;

/// Rows of a cube's tile.
pub(in super::super) const ROWS: usize = GROUPS * GROUP_ROWS;

/// The sums in PTX.
const SUMS: &str = "sum";

/// Starts the copies of a step of `count` rows of a matrix. Rows past the last are the last one, terms past the last are zero.
#[cube]
fn start_step<E: Float, V: Size>(
    matrix: &[Vector<E, V>],
    shared: &mut Shared<[Vector<E, V>]>,
    stage: usize,
    first_row: usize,
    rows: usize,
    stride: usize,
    first_vector: usize,
    vectors: usize,
    #[comptime] count: usize,
) {
    let unit = UNIT_POS as usize;
    let vector = first_vector + unit % WIDTH;
    let there = usize::cast_from(vector < vectors);
    #[unroll]
    for round in 0..comptime!(count * WIDTH / UNITS) {
        let row = unit / WIDTH + comptime!(round * UNITS / WIDTH);
        start_copy(
            matrix,
            min(first_row + row, rows - 1) * stride + vector * there,
            there,
            shared,
            stage * comptime!(count * WIDTH) + row * WIDTH + ((unit % WIDTH) ^ (row % 8)),
        );
    }
}

/// Starts the copies of a step of both factors, if there is such a step.
#[cube]
fn start_next<E: Float, V: Size>(
    x: &[Vector<E, V>],
    weight: &[Vector<E, V>],
    left: &mut Shared<[Vector<E, V>]>,
    right: &mut Shared<[Vector<E, V>]>,
    step: usize,
    first_row: usize,
    first_column: usize,
    layout: &Layout,
    #[comptime] columns: usize,
    #[comptime] stages: usize,
) {
    let first = step * WIDTH;
    let vectors = layout.inputs as usize;
    if first < vectors {
        let stage = step % stages;
        start_step(
            x,
            left,
            stage,
            first_row,
            layout.rows as usize,
            layout.x_stride as usize,
            first,
            vectors,
            ROWS,
        );
        start_step(
            weight,
            right,
            stage,
            first_column,
            layout.outputs as usize,
            layout.weight_stride as usize,
            first,
            vectors,
            columns,
        );
    }
    end_group();
}

/// A tile of `y` `[rows, outputs]` a cube: its columns along x, its rows along y. Writes `P` columns at a time.
#[cube(launch_unchecked)]
pub(in super::super) fn linear_kernel<E: Float, V: Size, P: Size>(
    x: &[Vector<E, V>],
    weight: &[Vector<E, V>],
    bias: &[E],
    y: &mut [Vector<E, P>],
    layout: Layout,
    #[comptime] tile: Tile,
    #[comptime] together: usize,
    #[comptime] last: Finish,
    #[comptime] brain: bool,
    #[define(E)] _elem: ElemType,
) {
    let (columns, stages) = comptime!((tile.columns, tile.stages));
    let unit = UNIT_POS as usize;
    let (rows, outputs) = (layout.rows as usize, layout.outputs as usize);
    let vectors = layout.inputs as usize;
    let first_row = CUBE_POS_Y as usize * ROWS;
    let first_column = CUBE_POS_X as usize * columns;
    let mut left =
        Shared::<[Vector<E, V>]>::new_aligned_slice(comptime!(stages * ROWS * WIDTH), 1024usize);
    let mut right =
        Shared::<[Vector<E, V>]>::new_aligned_slice(comptime!(stages * columns * WIDTH), 1024usize);
    declare_sums(SUMS, comptime!(columns / 2));
    // Where one step is multiplied while the one before it still is, copies begin one step later.
    let ahead = comptime!(stages - 1 - tile.pending);
    #[unroll]
    for step in 0..ahead {
        start_next(
            x,
            weight,
            &mut left,
            &mut right,
            step.runtime(),
            first_row,
            first_column,
            &layout,
            columns,
            stages,
        );
    }
    let group = unit / GROUP;
    let lefts = descriptor(&left) + (group * comptime!(GROUP_ROWS * WIDTH)) as u32;
    let rights = descriptor(&right);
    for step in 0..vectors.div_ceil(WIDTH) {
        let stage = step % stages;
        wait_for_groups(comptime!(ahead - 1));
        show_to_products();
        // What arrived is seen by all, and all products but those of the step before are done.
        sync_cube();
        if comptime!(tile.pending == 0) {
            start_next(
                x,
                weight,
                &mut left,
                &mut right,
                step + ahead,
                first_row,
                first_column,
                &layout,
                columns,
                stages,
            );
        }
        begin_products();
        #[unroll]
        for part in 0..comptime!(WIDTH / TERMS) {
            let along = comptime!((part * TERMS) as u32);
            multiply(
                lefts + (stage * comptime!(ROWS * WIDTH)) as u32 + along,
                rights + (stage * comptime!(columns * WIDTH)) as u32 + along,
                SUMS,
                columns,
                true,
                brain,
            );
        }
        end_products();
        if comptime!(tile.pending > 0) {
            start_next(
                x,
                weight,
                &mut left,
                &mut right,
                step + ahead,
                first_row,
                first_column,
                &layout,
                columns,
                stages,
            );
        }
        wait_for_products(tile.pending);
    }
    wait_for_products(0usize);

    let lane = unit % PLANE;
    let row = first_row + unit / PLANE * 16 + lane / 4;
    let column = first_column + lane % 4 * 2;
    #[unroll]
    for pair in 0..comptime!(columns / 8) {
        #[unroll]
        for half in 0..comptime!(2 / together) {
            let output = column + comptime!(pair * 8 + half * together);
            if output < outputs {
                let mut offsets = Array::<f32>::new(together);
                #[unroll]
                for element in 0..together {
                    offsets[element] = 0.0f32;
                    if comptime!(last.bias) {
                        offsets[element] = f32::cast_from(bias[output + element]);
                    }
                }
                #[unroll]
                for down in 0..2usize {
                    let row = row + comptime!(down * 8);
                    if row < rows {
                        let mut finished = Vector::<E, P>::zeroed();
                        #[unroll]
                        for element in 0..together {
                            let mut value = sum(
                                SUMS,
                                comptime!(pair * 4 + down * 2 + half * together + element),
                            ) + offsets[element];
                            if comptime!(last.gelu) {
                                value = gelu(value);
                            }
                            finished.insert(element, E::cast_from(value));
                        }
                        y[(row * outputs + output) / together] = finished;
                    }
                }
            }
        }
    }
}

/// How a cube works on its tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in super::super) struct Tile {
    pub(in super::super) columns: usize,
    /// Steps in shared memory.
    stages: usize,
    /// Steps whose products are not done when those of the next begin.
    pending: usize,
}

/// One cube fills a multiprocessor: products follow one another without a pause, and each factor is read least often.
const WIDE: Tile = Tile {
    columns: 256,
    stages: 4,
    pending: 1,
};

/// Two cubes share a multiprocessor: one copies, or finishes its sums, while the other multiplies.
const NARROW: Tile = Tile {
    columns: 128,
    stages: 3,
    pending: 0,
};

/// Vectors of inputs from which on wide tiles are faster: what follows a product is little beside it.
const MANY_INPUTS: usize = 1024 / VECTOR;

/// The tile for a product that `mma.sync` would take too, on a device that has the instruction and where there are tiles enough to keep
/// it busy. Chosen by measuring the encoders of tiny, base and large on an H100.
pub(in super::super) fn tile(
    x: &CubeTensor,
    rows: usize,
    outputs: usize,
    inputs: usize,
) -> Option<Tile> {
    let cubes = |tile: Tile| rows.div_ceil(ROWS) * outputs.div_ceil(tile.columns);
    if !has_warpgroups(x) || cubes(NARROW) < MANY_CUBES {
        None
    } else if cubes(WIDE) >= 3 * MANY_CUBES && inputs / VECTOR >= MANY_INPUTS {
        Some(WIDE)
    } else {
        Some(NARROW)
    }
}
