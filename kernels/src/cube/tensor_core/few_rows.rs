//! Linear layers of few rows, as in each step of the decoder: the weight is the left factor, read once and straight to registers.

use burn::backend::TensorMetadata;
use burn::backend::cubecl::dtype_to_elem_type;
use burn::tensor::Shape;
use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::cmma::{MatrixIdent, MmaDefinition};
use cubecl::prelude::*;

use super::{COLUMNS, PLANE, ROWS, TERMS, VECTOR, has_instruction, multiply};
use crate::cube::linear::{Finish, finish};
use crate::cube::{empty, line_of_cubes};

/// Rows that the kernel takes at most.
pub(in crate::cube) const FEW: usize = 32;

/// Planes of a cube, each of which sums its own terms.
const PLANES: usize = 8;

const UNITS: usize = PLANES * PLANE;

/// Vectors of each row that a plane reads at a time: one for each lane that shares a row.
const CHUNK: usize = 4;

/// Products of a chunk.
const PARTS: usize = CHUNK * VECTOR / TERMS;

/// Two neighbours of a vector: which terms a register holds does not matter, as long as it is the same ones in both factors.
#[cube]
fn pair<E: Float, V: Size, R: Size>(vector: Vector<E, V>, #[comptime] at: usize) -> Vector<E, R> {
    let mut pair = Vector::<E, R>::zeroed();
    pair.insert(0usize, vector.extract(comptime!(at * 2)));
    pair.insert(1usize, vector.extract(comptime!(at * 2 + 1)));
    pair
}

/// Sixteen outputs of all rows a cube: `x` `[rows, inputs]`, `weight` `[outputs, inputs]` with `stride` vectors from row to row, `y`
/// `[rows, outputs]`. `groups` times 8 rows are computed.
#[cube(launch_unchecked)]
fn few_rows_kernel<E: Float, V: Size>(
    x: &[Vector<E, V>],
    weight: &[Vector<E, V>],
    bias: &[E],
    y: &mut [E],
    rows: u32,
    outputs: u32,
    chunks: u32,
    stride: u32,
    #[comptime] groups: usize,
    #[comptime] last: Finish,
    #[define(E)] _elem: ElemType,
) {
    let lane = UNIT_POS_PLANE as usize;
    let plane = UNIT_POS as usize / PLANE;
    let (rows, outputs, chunks) = (rows as usize, outputs as usize, chunks as usize);
    let first = CUBE_POS as usize * ROWS;
    let definition = MmaDefinition::<E, E, f32>::new(ROWS, COLUMNS, TERMS);
    let size!(R) = definition.vector_size(MatrixIdent::A);
    let size!(S) = definition.vector_size(MatrixIdent::Accumulator);
    let mut sums = Array::<Vector<f32, S>>::new(comptime!(groups * 2));
    #[unroll]
    for sum in 0..comptime!(groups * 2) {
        sums[sum] = Vector::zeroed();
    }

    let upper = min(first + lane / 4, outputs - 1) * stride as usize;
    let lower = min(first + lane / 4 + 8, outputs - 1) * stride as usize;
    let mut chunk = plane;
    while chunk < chunks {
        let at = chunk * CHUNK + lane % 4;
        let weights_above = weight[upper + at];
        let weights_below = weight[lower + at];
        let mut left = Array::<Vector<E, R>>::new(comptime!(PARTS * 4));
        #[unroll]
        for part in 0..PARTS {
            #[unroll]
            for along in 0..2usize {
                let from = comptime!(part * 2 + along);
                left[comptime!(part * 4 + along * 2)] = pair::<E, V, R>(weights_above, from);
                left[comptime!(part * 4 + along * 2 + 1)] = pair::<E, V, R>(weights_below, from);
            }
        }
        #[unroll]
        for group in 0..groups {
            let row = min(comptime!(group * COLUMNS) + lane / 4, rows - 1);
            let inputs = x[row * chunks * CHUNK + at];
            let mut right = Array::<Vector<E, R>>::new(comptime!(PARTS * 2));
            #[unroll]
            for from in 0..comptime!(PARTS * 2) {
                right[from] = pair::<E, V, R>(inputs, from);
            }
            #[unroll]
            for part in 0..PARTS {
                multiply(
                    &definition,
                    &left,
                    comptime!(part * 4),
                    &right,
                    comptime!(part * 2),
                    &mut sums,
                    comptime!(group * 2),
                );
            }
        }
        chunk += PLANES;
    }

    // Each plane's sums of all groups, outputs and rows.
    let size = comptime!(groups * ROWS * COLUMNS);
    let mut shared = Shared::<[f32]>::new_slice(comptime!(PLANES * size));
    #[unroll]
    for group in 0..groups {
        #[unroll]
        for down in 0..2usize {
            let output = lane / 4 + comptime!(down * 8);
            #[unroll]
            for element in 0..2usize {
                let row = lane % 4 * 2 + element;
                shared[plane * size + (comptime!(group * ROWS) + output) * COLUMNS + row] =
                    sums[comptime!(group * 2 + down)].extract(element);
            }
        }
    }
    sync_cube();
    #[unroll]
    for round in 0..comptime!(size.div_ceil(UNITS)) {
        let item = UNIT_POS as usize + comptime!(round * UNITS);
        let row = item / comptime!(ROWS * COLUMNS) * COLUMNS + item % COLUMNS;
        let output = first + item / COLUMNS % ROWS;
        if item < size && row < rows && output < outputs {
            let mut sum = 0.0f32;
            #[unroll]
            for plane in 0..PLANES {
                sum += shared[comptime!(plane * size) + item];
            }
            y[row * outputs + output] = E::cast_from(finish(sum, bias, output, last));
        }
    }
}

/// Whether [`few_rows`] takes a layer: few rows of whole chunks, on a device that has the instruction.
pub(in crate::cube) fn takes(x: &CubeTensor, weight: &CubeTensor) -> bool {
    let [rows, inputs] = x.shape().dims();
    rows <= FEW
        && inputs.is_multiple_of(CHUNK * VECTOR)
        && x.meta.strides[0] == inputs
        && weight.meta.strides[1] == 1
        && weight.meta.strides[0].is_multiple_of(VECTOR)
        && has_instruction(x)
}

/// A linear layer: see [`linear`](crate::linear). `x` `[rows, inputs]` and the rows of `weight` `[outputs, inputs]` are contiguous
/// ([`takes`]).
pub(in crate::cube) fn few_rows(
    x: CubeTensor,
    weight: CubeTensor,
    bias: Option<CubeTensor>,
    last: Finish,
) -> CubeTensor {
    let [rows, inputs] = x.shape().dims();
    let [outputs, _] = weight.shape().dims();
    let stride = weight.meta.strides[0] / VECTOR;
    let y = empty(&x, Shape::new([rows, outputs]), x.dtype);
    let bias = bias.unwrap_or_else(|| x.clone());
    let client = x.client.clone();
    let elem = dtype_to_elem_type(x.dtype);
    // SAFETY: rows and outputs past the last are the last one, and are not written.
    unsafe {
        few_rows_kernel::launch_unchecked(
            &client,
            line_of_cubes(outputs.div_ceil(ROWS)),
            CubeDim::new_1d(UNITS as u32),
            VECTOR,
            x.into_buffer_arg(),
            weight.into_buffer_arg(),
            bias.into_buffer_arg(),
            y.clone().into_buffer_arg(),
            rows as u32,
            outputs as u32,
            (inputs / (CHUNK * VECTOR)) as u32,
            stride as u32,
            rows.div_ceil(COLUMNS),
            last,
            elem,
        );
    }
    y
}
