//! Products in half precision on tensor cores, by their own instruction (`mma.sync` of 16 x 8 x 16, as CUDA has it): factors are
//! copied to shared memory while the ones before are multiplied, and what follows a product is done to its sums in registers.
//!
//! Devices without that instruction use [`tiles`](super::tiles).

pub(super) mod attention;
pub(super) mod few_rows;
pub(super) mod linear;
mod warpgroup;

use burn::backend::cubecl::dtype_to_elem_type;
use burn::tensor::DType;
use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::cmma::{MatrixIdent, MmaDefinition};
use cubecl::features::MmaConfig;
use cubecl::ir::{ElemType, FloatKind};
use cubecl::prelude::barrier::copy_async_checked;
use cubecl::prelude::*;

/// Elements of a vector: 16 bytes, as one copy to shared memory takes and as a row of a matrix of 8 x 8 is.
const VECTOR: usize = 8;

/// Units of a plane.
const PLANE: usize = 32;

/// Rows, columns and terms of an instruction.
const ROWS: usize = 16;
const COLUMNS: usize = 8;
const TERMS: usize = 16;

/// Whether a device multiplies elements of `dtype` by the instruction, summing in single precision.
fn has_instruction(tensor: &CubeTensor) -> bool {
    let properties = tensor.client.properties();
    let elem = dtype_to_elem_type(tensor.dtype);
    tensor.dtype != DType::F32
        && properties.hardware.plane_size_min == PLANE as u32
        && properties.hardware.plane_size_max == PLANE as u32
        && properties.features.copy_async
        && properties.features.matmul.mma.contains(&MmaConfig {
            a_type: elem,
            b_type: elem,
            cd_type: ElemType::Float(FloatKind::F32),
            m: ROWS as u32,
            n: COLUMNS as u32,
            k: TERMS as u32,
        })
}

/// Starts the copy of a vector to shared memory, or of zeros where `there` is 0 instead of 1.
#[cube]
fn start_copy<E: Float, V: Size>(
    source: &[Vector<E, V>],
    from: usize,
    there: usize,
    shared: &mut Shared<[Vector<E, V>]>,
    to: usize,
) {
    copy_async_checked(
        &source[from..from + there],
        &mut shared[to..to + 1],
        comptime!(VECTOR as u32),
    );
}

/// Ends a group of copies: those started since the group before.
#[cube]
fn end_group() {
    gpu_asm!("cp.async.commit_group;", options(explicit_mem));
}

/// Waits until all groups of this unit but the last `pending` have arrived.
#[cube]
fn wait_for_groups(#[comptime] pending: usize) {
    gpu_asm!("cp.async.wait_group {pending};", pending = const pending);
}

/// `2^x`, of which 22 bits are right.
#[cube]
fn exp2(x: f32) -> f32 {
    let power: f32;
    gpu_asm!("ex2.approx.ftz.f32 {}, {};", out(_) power, in(_) x, options(pure, nomem));
    power
}

/// `1 / x`, of which 23 bits are right.
#[cube]
fn reciprocal(x: f32) -> f32 {
    let result: f32;
    gpu_asm!("rcp.approx.ftz.f32 {}, {};", out(_) result, in(_) x, options(pure, nomem));
    result
}

/// Loads four matrices of 8 x 8 from shared memory to the registers `at` and after it: the rows of matrix `lane / 8` are given by the
/// lanes of it, `row` that of this lane.
#[cube]
fn load<E: Float, V: Size, R: Size>(
    definition: &MmaDefinition<E, E, f32>,
    shared: &Shared<[Vector<E, V>]>,
    row: usize,
    #[comptime] transpose: bool,
    registers: &mut Array<Vector<E, R>>,
    #[comptime] at: usize,
) {
    let loaded = definition.load_matrix::<Vector<E, V>, R>(
        &shared[row..row + 1],
        MatrixIdent::A,
        4usize,
        transpose,
    );
    #[unroll]
    for register in 0..4usize {
        registers[at + register] = loaded[register];
    }
}

/// Adds a product to the sums `at` and after it: `left` 16 x 16 beginning at `first_left`, `right` 16 x 8 beginning at `first_right`.
#[cube]
fn multiply<E: Float, R: Size, S: Size>(
    definition: &MmaDefinition<E, E, f32>,
    left: &Array<Vector<E, R>>,
    #[comptime] first_left: usize,
    right: &Array<Vector<E, R>>,
    #[comptime] first_right: usize,
    sums: &mut Array<Vector<f32, S>>,
    #[comptime] at: usize,
) {
    let mut a = Array::<Vector<E, R>>::new(4usize);
    #[unroll]
    for register in 0..4usize {
        a[register] = left[first_left + register];
    }
    let mut b = Array::<Vector<E, R>>::new(2usize);
    #[unroll]
    for register in 0..2usize {
        b[register] = right[first_right + register];
    }
    let mut c = Array::<Vector<f32, S>>::new(2usize);
    #[unroll]
    for register in 0..2usize {
        c[register] = sums[at + register];
    }
    let c = definition.execute::<R, R, S>(&a, &b, &c);
    #[unroll]
    for register in 0..2usize {
        sums[at + register] = c[register];
    }
}
