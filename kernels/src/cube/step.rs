//! What a step of decoding writes, in the memory where it lies: keys and values, sampled tokens, and how far it is.

use burn::backend::TensorMetadata;
use burn::backend::cubecl::dtype_to_elem_type;
use burn_cubecl::cubecl;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::reduce::UNITS;
use super::{empty, line_of_cubes};

/// Where caches lie, whose rows may have room between them: elements from one sequence to the next, and from one position to
/// the next.
#[derive(CubeLaunch, CubeType, Clone, Copy)]
struct Layout {
    key_sequence: u32,
    key_position: u32,
    value_sequence: u32,
    value_position: u32,
}

/// An element a unit: `key` and `value` `[rows, n_state]` to the position that `progress` begins with.
#[cube(launch_unchecked)]
fn append_kernel<E: Float>(
    keys: &mut [E],
    values: &mut [E],
    key: &[E],
    value: &[E],
    progress: &[i32],
    layout: Layout,
    count: u32,
    n_state: u32,
    n_ctx: u32,
    #[define(E)] _elem: ElemType,
) {
    let at = ABSOLUTE_POS;
    if at < count as usize {
        let sequence = at / n_state as usize;
        let element = at % n_state as usize;
        let position = progress[0usize];
        if position < n_ctx as i32 {
            let position = position as usize;
            keys[sequence * layout.key_sequence as usize
                + position * layout.key_position as usize
                + element] = key[at];
            values[sequence * layout.value_sequence as usize
                + position * layout.value_position as usize
                + element] = value[at];
        }
    }
}

/// See [`append`](crate::append): `keys` and `values` are written, whoever else holds them.
pub(crate) fn append(
    keys: CubeTensor,
    values: CubeTensor,
    key: CubeTensor,
    value: CubeTensor,
    progress: CubeTensor,
) -> (CubeTensor, CubeTensor) {
    let [_, n_ctx, n_state] = keys.shape().dims();
    let count = key.shape().num_elements();
    if count == 0 {
        return (keys, values);
    }
    let [key, value] = [key, value].map(into_contiguous);
    let client = keys.client.clone();
    let elem = dtype_to_elem_type(keys.dtype);
    let layout = LayoutLaunch::new(
        keys.meta.strides[0] as u32,
        keys.meta.strides[1] as u32,
        values.meta.strides[0] as u32,
        values.meta.strides[1] as u32,
    );
    // SAFETY: each unit has its own element, of a row that the caches have and a position that is checked.
    unsafe {
        append_kernel::launch_unchecked(
            &client,
            line_of_cubes(count.div_ceil(UNITS)),
            CubeDim::new_1d(UNITS as u32),
            keys.clone().into_buffer_arg(),
            values.clone().into_buffer_arg(),
            key.into_buffer_arg(),
            value.into_buffer_arg(),
            progress.into_buffer_arg(),
            layout,
            count as u32,
            n_state as u32,
            n_ctx as u32,
            elem,
        );
    }
    (keys, values)
}

#[cube(launch_unchecked)]
fn overwrite_kernel<E: Float>(
    target: &mut [E],
    source: &[E],
    count: u32,
    #[define(E)] _elem: ElemType,
) {
    let at = ABSOLUTE_POS;
    if at < count as usize {
        target[at] = source[at];
    }
}

/// See [`overwrite`](crate::overwrite): `target` is written, whoever else holds it. One with room between its rows, as only a
/// tensor that has not been here before has, is left for memory without.
pub(crate) fn overwrite(target: CubeTensor, source: CubeTensor) -> CubeTensor {
    let source = into_contiguous(source);
    let target = match target.is_contiguous() {
        true => target,
        false => empty(&source, source.shape(), source.dtype),
    };
    let count = source.shape().num_elements();
    let client = target.client.clone();
    let elem = dtype_to_elem_type(target.dtype);
    // SAFETY: each unit has its own element, which it checks to be there.
    unsafe {
        overwrite_kernel::launch_unchecked(
            &client,
            line_of_cubes(count.div_ceil(UNITS)),
            CubeDim::new_1d(UNITS as u32),
            target.clone().into_buffer_arg(),
            source.into_buffer_arg(),
            count as u32,
            elem,
        );
    }
    target
}

/// One cube: the tokens of a report to the column of the next sample, and then both numbers of `progress` one further.
#[cube(launch_unchecked)]
fn record_kernel(
    sampled: &mut [i32],
    progress: &mut [i32],
    report: &[i32],
    rows: u32,
    capacity: u32,
    stride: u32,
) {
    let unit = UNIT_POS as usize;
    let position = progress[0usize];
    let column = progress[1usize];
    sync_cube();
    if column < capacity as i32 {
        let mut row = unit;
        while row < rows as usize {
            sampled[row * stride as usize + column as usize] = report[row * 2];
            row += UNITS;
        }
    }
    if unit == 0 {
        progress[0usize] = position + 1;
        progress[1usize] = column + 1;
    }
}

/// See [`record`](crate::record): `sampled` and `progress` are written, whoever else holds them.
pub(crate) fn record(
    sampled: CubeTensor,
    progress: CubeTensor,
    report: CubeTensor,
) -> (CubeTensor, CubeTensor) {
    let [rows, capacity] = sampled.shape().dims();
    let report = into_contiguous(report);
    let client = sampled.client.clone();
    // SAFETY: each unit has its own rows, and the column is checked.
    unsafe {
        record_kernel::launch_unchecked(
            &client,
            CubeCount::Static(1, 1, 1),
            CubeDim::new_1d(UNITS as u32),
            sampled.clone().into_buffer_arg(),
            progress.clone().into_buffer_arg(),
            report.into_buffer_arg(),
            rows as u32,
            capacity as u32,
            sampled.meta.strides[0] as u32,
        );
    }
    (sampled, progress)
}
