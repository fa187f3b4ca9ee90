//! Layer normalisation in one kernel: a cube for each row.

use burn::backend::TensorMetadata;
use burn::backend::cubecl::dtype_to_elem_type;
use burn_cubecl::cubecl;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::reduce::{UNITS, sum_of_all};
use super::{empty, line_of_cubes};

/// Normalises rows `[rows, n_state]`, two passes over each: the mean, and the squares around it.
#[cube(launch_unchecked)]
fn layer_norm_kernel<E: Float>(
    x: &[E],
    gamma: &[E],
    beta: &[E],
    output: &mut [E],
    epsilon: f32,
    rows: u32,
    n_state: u32,
    #[define(E)] _elem: ElemType,
) {
    let unit = UNIT_POS as usize;
    let n_state = n_state as usize;
    // The grid may have more cubes than there are rows: those write the last row once more.
    let row = min(CUBE_POS as u32, rows - 1) as usize * n_state;
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    let mut part = 0.0f32;
    let mut at = unit;
    while at < n_state {
        part += f32::cast_from(x[row + at]);
        at += UNITS;
    }
    let mean = sum_of_all(part, &mut shared) / n_state as f32;
    let mut part = 0.0f32;
    let mut at = unit;
    while at < n_state {
        let centred = f32::cast_from(x[row + at]) - mean;
        part += centred * centred;
        at += UNITS;
    }
    let variance = sum_of_all(part, &mut shared) / n_state as f32;
    let scale = 1.0f32 / (variance + epsilon).sqrt();
    let mut at = unit;
    while at < n_state {
        let normalised = (f32::cast_from(x[row + at]) - mean) * scale;
        output[row + at] =
            E::cast_from(normalised * f32::cast_from(gamma[at]) + f32::cast_from(beta[at]));
        at += UNITS;
    }
}

/// See [`layer_norm`](crate::layer_norm).
pub(crate) fn layer_norm(
    x: CubeTensor,
    gamma: CubeTensor,
    beta: CubeTensor,
    epsilon: f64,
) -> CubeTensor {
    let [x, gamma, beta] = [x, gamma, beta].map(into_contiguous);
    let output = empty(&x, x.shape(), x.dtype);
    let [n_state] = gamma.shape().dims();
    let rows = x.shape().num_elements() / n_state.max(1);
    if rows == 0 {
        return output;
    }
    let client = x.client.clone();
    let dtype = x.dtype;
    // SAFETY: each cube reads and writes its own row.
    unsafe {
        layer_norm_kernel::launch_unchecked(
            &client,
            line_of_cubes(rows),
            CubeDim::new_1d(UNITS as u32),
            x.into_buffer_arg(),
            gamma.into_buffer_arg(),
            beta.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            epsilon as f32,
            rows as u32,
            n_state as u32,
            dtype_to_elem_type(dtype),
        );
    }
    output
}
