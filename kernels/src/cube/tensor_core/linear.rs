//! Linear layers of many rows: `x W^T`, with bias and GELU in registers.

use burn::backend::TensorMetadata;
use burn::backend::cubecl::dtype_to_elem_type;
use burn::tensor::{DType, Shape};
use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::cmma::{MatrixIdent, MmaDefinition};
use cubecl::prelude::*;

use super::{
    COLUMNS, PLANE, ROWS, TERMS, VECTOR, end_group, exp2, has_instruction, load, multiply,
    reciprocal, start_copy, wait_for_groups, warpgroup,
};
use crate::cube::empty;
use crate::cube::gelu::{argument, gelu_of};
use crate::cube::linear::Finish;

/// Terms that are copied at a time, in vectors.
const STEP: usize = 32 / VECTOR;

/// Products of [`TERMS`] in a step: an even number, so that each step begins with the same registers.
const PARTS: usize = STEP * VECTOR / TERMS;

/// Steps in shared memory: one is multiplied while the others arrive.
const STAGES: usize = 3;

/// Planes of a cube along rows and along columns.
const PLANES: usize = 2;

const UNITS: usize = PLANES * PLANES * PLANE;

/// Sizes in elements of inputs and weight: rows of both are `_stride` vectors apart.
#[derive(CubeLaunch, CubeType, Clone, Copy)]
pub(super) struct Layout {
    pub(super) rows: u32,
    pub(super) outputs: u32,
    /// Vectors of a row.
    pub(super) inputs: u32,
    pub(super) x_stride: u32,
    pub(super) weight_stride: u32,
}

/// Where a vector of a step lies in shared memory, so that the eight rows of a matrix lie in different banks.
#[cube]
fn place(row: usize, vector: usize) -> usize {
    row * STEP + (vector ^ ((row / 2) % STEP))
}

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
    #[unroll]
    for round in 0..comptime!(count * STEP / UNITS) {
        let item = unit + comptime!(round * UNITS);
        let row = item / STEP;
        let vector = first_vector + item % STEP;
        let there = usize::cast_from(vector < vectors);
        start_copy(
            matrix,
            min(first_row + row, rows - 1) * stride + vector * there,
            there,
            shared,
            stage * comptime!(count * STEP) + place(row, item % STEP),
        );
    }
}

/// GELU in half precision's reach.
#[cube]
pub(super) fn gelu(x: f32) -> f32 {
    let bell = exp2(comptime!(-0.5 * std::f32::consts::LOG2_E) * x * x);
    gelu_of(x, reciprocal(argument(x.abs())), bell)
}

/// A tile of `y` `[rows, outputs]` a cube: its columns along x, its rows along y. A plane has `tiles` times 16 rows and as many
/// columns, and writes `P` of them at a time.
#[cube(launch_unchecked)]
fn linear_kernel<E: Float, V: Size, P: Size>(
    x: &[Vector<E, V>],
    weight: &[Vector<E, V>],
    bias: &[E],
    y: &mut [Vector<E, P>],
    layout: Layout,
    #[comptime] tiles: usize,
    #[comptime] together: usize,
    #[comptime] last: Finish,
    #[define(E)] _elem: ElemType,
) {
    let side = comptime!(PLANES * tiles * ROWS);
    let lane = UNIT_POS_PLANE as usize;
    let plane = UNIT_POS as usize / PLANE;
    let (rows, outputs) = (layout.rows as usize, layout.outputs as usize);
    let first_row = CUBE_POS_Y as usize * side;
    let first_column = CUBE_POS_X as usize * side;
    let definition = MmaDefinition::<E, E, f32>::new(ROWS, COLUMNS, TERMS);
    let size!(R) = definition.vector_size(MatrixIdent::A);
    let size!(S) = definition.vector_size(MatrixIdent::Accumulator);

    let mut left =
        Shared::<[Vector<E, V>]>::new_aligned_slice(comptime!(STAGES * side * STEP), 16usize);
    let mut right =
        Shared::<[Vector<E, V>]>::new_aligned_slice(comptime!(STAGES * side * STEP), 16usize);
    let sums_count = comptime!(tiles * tiles * 4);
    let mut sums = Array::<Vector<f32, S>>::new(sums_count);
    #[unroll]
    for sum in 0..sums_count {
        sums[sum] = Vector::zeroed();
    }

    let vectors = layout.inputs as usize;
    let steps = vectors.div_ceil(STEP);
    #[unroll]
    for stage in 0..STAGES {
        let first = comptime!(stage * STEP).runtime();
        start_step(
            x,
            &mut left,
            stage.runtime(),
            first_row,
            rows,
            layout.x_stride as usize,
            first,
            vectors,
            side,
        );
        start_step(
            weight,
            &mut right,
            stage.runtime(),
            first_column,
            outputs,
            layout.weight_stride as usize,
            first,
            vectors,
            side,
        );
        end_group();
    }
    // The rows that this lane gives of four matrices: two of rows by two of terms on the left, where the second is further down; on
    // the right, the second is further along the terms.
    let left_row = plane / PLANES * comptime!(tiles * ROWS) + lane % 16;
    let left_vector = lane / 16;
    let right_row = plane % PLANES * comptime!(tiles * ROWS) + lane / 16 * 8 + lane % 8;
    let right_vector = lane / 8 % 2;
    // Two sets of factors in registers: one is multiplied while the other is loaded.
    let set = comptime!(tiles * 4);
    let mut lefts = Array::<Vector<E, R>>::new(comptime!(2 * set));
    let mut rights = Array::<Vector<E, R>>::new(comptime!(2 * set));
    wait_for_groups(comptime!(STAGES - 1));
    sync_cube();
    #[unroll]
    for tile in 0..tiles {
        let down = comptime!(tile * ROWS);
        load(
            &definition,
            &left,
            place(left_row + down, left_vector),
            false,
            &mut lefts,
            comptime!(tile * 4),
        );
        load(
            &definition,
            &right,
            place(right_row + down, right_vector),
            false,
            &mut rights,
            comptime!(tile * 4),
        );
    }
    for step in 0..steps {
        let stage = step % STAGES;
        #[unroll]
        for part in 0..PARTS {
            let next_set = comptime!((part + 1) % 2 * set);
            let next_part = comptime!((part + 1) % PARTS * 2);
            let mut next_stage = stage * comptime!(side * STEP);
            if comptime!(part + 1 == PARTS) {
                wait_for_groups(comptime!(STAGES - 2));
                // What arrived is seen by all, and all have loaded the last of this stage, where other steps arrive from now on.
                sync_cube();
                let first = (step + STAGES) * STEP;
                start_step(
                    x,
                    &mut left,
                    stage,
                    first_row,
                    rows,
                    layout.x_stride as usize,
                    first,
                    vectors,
                    side,
                );
                start_step(
                    weight,
                    &mut right,
                    stage,
                    first_column,
                    outputs,
                    layout.weight_stride as usize,
                    first,
                    vectors,
                    side,
                );
                end_group();
                next_stage = (step + 1) % STAGES * comptime!(side * STEP);
            }
            #[unroll]
            for tile in 0..tiles {
                let down = comptime!(tile * ROWS);
                let at = comptime!(next_set + tile * 4);
                load(
                    &definition,
                    &left,
                    next_stage + place(left_row + down, left_vector + next_part),
                    false,
                    &mut lefts,
                    at,
                );
                load(
                    &definition,
                    &right,
                    next_stage + place(right_row + down, right_vector + next_part),
                    false,
                    &mut rights,
                    at,
                );
            }
            let this_set = comptime!(part % 2 * set);
            #[unroll]
            for tile in 0..tiles {
                #[unroll]
                for pair in 0..comptime!(tiles * 2) {
                    multiply(
                        &definition,
                        &lefts,
                        comptime!(this_set + tile * 4),
                        &rights,
                        comptime!(this_set + pair * 2),
                        &mut sums,
                        comptime!((tile * tiles * 2 + pair) * 2),
                    );
                }
            }
        }
    }

    let row = first_row + plane / PLANES * comptime!(tiles * ROWS) + lane / 4;
    let column = first_column + plane % PLANES * comptime!(tiles * ROWS) + lane % 4 * 2;
    #[unroll]
    for pair in 0..comptime!(tiles * 2) {
        #[unroll]
        for half in 0..comptime!(2 / together) {
            let output = column + comptime!(pair * COLUMNS + half * together);
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
                for down in 0..comptime!(tiles * 2) {
                    let row = row + comptime!(down * 8);
                    if row < rows {
                        let found = sums[comptime!((down / 2 * tiles * 2 + pair) * 2 + down % 2)];
                        let mut finished = Vector::<E, P>::zeroed();
                        #[unroll]
                        for element in 0..together {
                            let mut value = found.extract(comptime!(half * together + element))
                                + offsets[element];
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

/// Cubes of large tiles from which on these are taken: as many as keep a large GPU busy.
pub(super) const MANY_CUBES: usize = 100;

/// Tiles along each side of a plane: 4, which read each factor half as often as 2, where there is enough to do.
fn tiles(rows: usize, outputs: usize) -> usize {
    let side = PLANES * 4 * ROWS;
    match rows.div_ceil(side) * outputs.div_ceil(side) >= MANY_CUBES {
        true => 4,
        false => 2,
    }
}

/// Whether [`linear`] takes a layer: rows of whole vectors on a device that has the instruction.
pub(crate) fn takes(x: &CubeTensor, weight: &CubeTensor) -> bool {
    let whole = |tensor: &CubeTensor| {
        let axes = tensor.meta.strides.len();
        tensor.meta.strides[axes - 1] == 1
            && tensor.meta.strides[axes - 2].is_multiple_of(VECTOR)
            && tensor.shape()[axes - 1].is_multiple_of(VECTOR)
    };
    whole(x) && whole(weight) && has_instruction(x)
}

/// A linear layer: see [`linear`](crate::linear). The rows of `x` `[rows, inputs]` and `weight` `[outputs, inputs]` have to be
/// whole vectors ([`takes`]).
pub(crate) fn linear(
    x: CubeTensor,
    weight: CubeTensor,
    bias: Option<CubeTensor>,
    last: Finish,
) -> CubeTensor {
    let [rows, inputs] = x.shape().dims();
    let [outputs, _] = weight.shape().dims();
    let tiles = tiles(rows, outputs);
    let side = PLANES * tiles * ROWS;
    let y = empty(&x, Shape::new([rows, outputs]), x.dtype);
    let layout = LayoutLaunch::new(
        rows as u32,
        outputs as u32,
        (inputs / VECTOR) as u32,
        (x.meta.strides[0] / VECTOR) as u32,
        (weight.meta.strides[0] / VECTOR) as u32,
    );
    let bias = bias.unwrap_or_else(|| x.clone());
    let together = if outputs.is_multiple_of(2) { 2 } else { 1 };
    let client = x.client.clone();
    if let Some(tile) = warpgroup::linear::tile(&x, rows, outputs, inputs) {
        // SAFETY: as below.
        unsafe {
            warpgroup::linear::linear_kernel::launch_unchecked(
                &client,
                CubeCount::Static(
                    outputs.div_ceil(tile.columns) as u32,
                    rows.div_ceil(warpgroup::linear::ROWS) as u32,
                    1,
                ),
                CubeDim::new_1d(warpgroup::linear::UNITS as u32),
                VECTOR,
                together,
                x.clone().into_buffer_arg(),
                weight.into_buffer_arg(),
                bias.into_buffer_arg(),
                y.clone().into_buffer_arg(),
                layout,
                tile,
                together,
                last,
                x.dtype == DType::BF16,
                dtype_to_elem_type(x.dtype),
            );
        }
        return y;
    }
    // SAFETY: what is read and written is inside the matrices: rows past the last are the last one, terms past the last are not
    // read, and results past the last row or column are not written.
    unsafe {
        linear_kernel::launch_unchecked(
            &client,
            CubeCount::Static(outputs.div_ceil(side) as u32, rows.div_ceil(side) as u32, 1),
            CubeDim::new_1d(UNITS as u32),
            VECTOR,
            together,
            x.clone().into_buffer_arg(),
            weight.into_buffer_arg(),
            bias.into_buffer_arg(),
            y.clone().into_buffer_arg(),
            layout,
            tiles,
            together,
            last,
            dtype_to_elem_type(x.dtype),
        );
    }
    y
}
