//! Matrix products on any device: tiles of both factors in shared memory, sums in registers, in single precision whatever the elements are.
//!
//! Burn's own product of `f32` goes through tensor cores where there are any, which round its factors
//! to 10 bits (TF32): tokens then differ from the CPU's. And it tunes itself at run time, for minutes. Here nothing is tuned.

use burn::backend::TensorMetadata;
use burn::backend::cubecl::dtype_to_elem_type;
use burn::tensor::DType;
use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::empty;
use super::linear::{Finish, finish};
use super::reduce::UNITS;

/// Units along each side of a tile.
const SIDE: usize = 16;

/// Elements of each factor that a unit brings to shared memory at a time.
const LOADS: usize = 4;

/// Sizes and distances, in elements: `batch` matrices of `heads` at a time, whose sequences and heads lie apart. Rows of the left factor
/// are contiguous.
#[derive(CubeLaunch, CubeType, Clone, Copy)]
struct Layout {
    rows: u32,
    columns: u32,
    terms: u32,
    heads: u32,
    left_sequence: u32,
    left_head: u32,
    left_row: u32,
    right_sequence: u32,
    right_head: u32,
    right_column: u32,
    right_term: u32,
}

/// Brings the next elements of a factor to registers: `lines` are its rows, or columns, `side` of them from `first` on. Zero past the
/// last.
#[cube]
fn fetch<E: Float>(
    matrix: &[E],
    fetched: &mut Array<f32>,
    base: usize,
    first: usize,
    lines: usize,
    line_stride: usize,
    first_term: usize,
    terms: usize,
    term_stride: usize,
    #[comptime] side: usize,
    #[comptime] lines_contiguous: bool,
) {
    #[unroll]
    for round in 0..LOADS {
        let (line, term) = place(round, side, lines_contiguous);
        let (line, term) = (first + line, first_term + term);
        fetched[round] = 0.0f32;
        if line < lines && term < terms {
            fetched[round] = f32::cast_from(matrix[base + line * line_stride + term * term_stride]);
        }
    }
}

/// Which line and which term of a tile a unit fetches: units side by side fetch what lies side by side.
#[cube]
fn place(
    #[comptime] round: usize,
    #[comptime] side: usize,
    #[comptime] lines_contiguous: bool,
) -> (usize, usize) {
    let item = UNIT_POS as usize + comptime!(round * UNITS);
    let depth = comptime!(LOADS * UNITS / side);
    if comptime!(lines_contiguous) {
        (item % side, item / side)
    } else {
        (item / depth, item % depth)
    }
}

#[cube]
fn keep(
    fetched: &Array<f32>,
    shared: &mut Shared<[f32]>,
    #[comptime] side: usize,
    #[comptime] lines_contiguous: bool,
) {
    #[unroll]
    for round in 0..LOADS {
        let (line, term) = place(round, side, lines_contiguous);
        // A place more in each line keeps units that store to one line in different banks.
        shared[term * comptime!(side + 1) + line] = fetched[round];
    }
}

/// A tile of the output `[batch, rows, columns]` a cube: its columns along x, its rows along y, the matrix along z. A unit has
/// `each` times `each` elements of it.
#[cube(launch_unchecked)]
fn product_kernel<E: Float, O: Float>(
    left: &[E],
    right: &[E],
    bias: &[E],
    output: &mut [O],
    layout: Layout,
    #[comptime] each: usize,
    #[comptime] columns_contiguous: bool,
    #[comptime] last: Finish,
    #[define(E)] _elem: ElemType,
    #[define(O)] _output: ElemType,
) {
    let side = comptime!(SIDE * each);
    let depth = comptime!(LOADS * UNITS / side);
    let unit = UNIT_POS as usize;
    let (rows, columns, terms) = (
        layout.rows as usize,
        layout.columns as usize,
        layout.terms as usize,
    );
    let matrix = CUBE_POS_Z as usize;
    let (sequence, head) = (
        matrix / layout.heads as usize,
        matrix % layout.heads as usize,
    );
    let left_base = sequence * layout.left_sequence as usize + head * layout.left_head as usize;
    let right_base = sequence * layout.right_sequence as usize + head * layout.right_head as usize;
    let first_row = CUBE_POS_Y as usize * side;
    let first_column = CUBE_POS_X as usize * side;

    let mut lefts = Shared::<[f32]>::new_slice(comptime!(depth * (side + 1)));
    let mut rights = Shared::<[f32]>::new_slice(comptime!(depth * (side + 1)));
    let mut next_left = Array::<f32>::new(LOADS);
    let mut next_right = Array::<f32>::new(LOADS);
    let mut sums = Array::<f32>::new(comptime!(each * each));
    #[unroll]
    for sum in 0..comptime!(each * each) {
        sums[sum] = 0.0f32;
    }

    let steps = terms.div_ceil(depth);
    for step in 0..steps + 1 {
        if step > 0 {
            // All are done with the step before.
            sync_cube();
            keep(&next_left, &mut lefts, side, false);
            keep(&next_right, &mut rights, side, columns_contiguous);
            sync_cube();
        }
        if step < steps {
            fetch(
                left,
                &mut next_left,
                left_base,
                first_row,
                rows,
                layout.left_row as usize,
                step * depth,
                terms,
                1usize.runtime(),
                side,
                false,
            );
            fetch(
                right,
                &mut next_right,
                right_base,
                first_column,
                columns,
                layout.right_column as usize,
                step * depth,
                terms,
                layout.right_term as usize,
                side,
                columns_contiguous,
            );
        }
        if step > 0 {
            #[unroll]
            for term in 0..depth {
                let mut own = Array::<f32>::new(each);
                #[unroll]
                for row in 0..each {
                    own[row] = lefts[comptime!(term * (side + 1) + row * SIDE) + unit / SIDE];
                }
                #[unroll]
                for column in 0..each {
                    let factor = rights[comptime!(term * (side + 1) + column * SIDE) + unit % SIDE];
                    #[unroll]
                    for row in 0..each {
                        sums[comptime!(row * each + column)] += own[row] * factor;
                    }
                }
            }
        }
    }

    #[unroll]
    for row_of_unit in 0..each {
        let row = first_row + comptime!(row_of_unit * SIDE) + unit / SIDE;
        #[unroll]
        for column_of_unit in 0..each {
            let column = first_column + comptime!(column_of_unit * SIDE) + unit % SIDE;
            if row < rows && column < columns {
                let sum = sums[comptime!(row_of_unit * each + column_of_unit)];
                output[(matrix * rows + row) * columns + column] =
                    O::cast_from(finish(sum, bias, column, last));
            }
        }
    }
}

/// Cubes from which on a tile is a large one: there are as many for a large GPU.
const MANY_CUBES: usize = 128;

/// The product of batches of matrices, of rows that are contiguous on the left, finished, in elements of `dtype`.
///
/// # Shapes
/// - `lhs`: `[rows, terms]` or `[batch, heads, rows, terms]`; `rhs`: `[.., terms, columns]`, a transposed view as well as not
/// - returns `[.., rows, columns]`
pub(super) fn product(
    lhs: CubeTensor,
    rhs: CubeTensor,
    bias: Option<CubeTensor>,
    last: Finish,
    dtype: DType,
) -> CubeTensor {
    let axes = lhs.shape().num_dims();
    let [rows, terms] = [lhs.shape()[axes - 2], lhs.shape()[axes - 1]];
    let columns = rhs.shape()[axes - 1];
    let [batch, heads] = match axes {
        2 => [1, 1],
        _ => [lhs.shape()[0], lhs.shape()[1]],
    };
    let stride = |tensor: &CubeTensor, axis: usize| tensor.meta.strides[axis] as u32;
    let outer = |tensor: &CubeTensor| match axes {
        2 => [0, 0],
        _ => [stride(tensor, 0), stride(tensor, 1)],
    };
    let ([left_sequence, left_head], [right_sequence, right_head]) = (outer(&lhs), outer(&rhs));
    let layout = LayoutLaunch::new(
        rows as u32,
        columns as u32,
        terms as u32,
        heads as u32,
        left_sequence,
        left_head,
        stride(&lhs, axes - 2),
        right_sequence,
        right_head,
        stride(&rhs, axes - 1),
        stride(&rhs, axes - 2),
    );
    let columns_contiguous = rhs.meta.strides[axes - 1] == 1;
    let mut shape = lhs.shape();
    shape[axes - 1] = columns;
    let output = empty(&lhs, shape, dtype);
    let tiles = |each: usize| [columns, rows].map(|length| length.div_ceil(SIDE * each));
    let large = tiles(8);
    let each = match large[0] * large[1] * batch * heads >= MANY_CUBES {
        true => 8,
        false => 4,
    };
    let [x, y] = tiles(each);
    let bias = bias.unwrap_or_else(|| lhs.clone());
    let client = lhs.client.clone();
    let elem = dtype_to_elem_type(lhs.dtype);
    // SAFETY: units read and write inside the matrices, whose sizes they check.
    unsafe {
        product_kernel::launch_unchecked(
            &client,
            CubeCount::Static(x as u32, y as u32, (batch * heads) as u32),
            CubeDim::new_1d(UNITS as u32),
            lhs.into_buffer_arg(),
            rhs.into_buffer_arg(),
            bias.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            layout,
            each,
            columns_contiguous,
            last,
            elem,
            dtype_to_elem_type(dtype),
        );
    }
    output
}
