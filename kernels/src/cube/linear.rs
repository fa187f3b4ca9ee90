//! Linear layers on CubeCL runtimes.
//!
//! Of many rows, as in the encoder, a layer is a matrix product by [`tiles`]. Of few
//! rows, as in each step of the decoder, it is bound by reading the weight once: one kernel has a
//! run of units read each row of the weight side by side. In half precision both are left to [`tensor_core`] where it can. Bias and GELU
//! are applied to the sums in registers.

use burn::backend::TensorMetadata;
use burn::backend::cubecl::dtype_to_elem_type;
use burn::tensor::Shape;
use burn_cubecl::cubecl;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::permute;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::gelu::gelu;
use super::reduce::UNITS;
use super::{empty, line_of_cubes, tensor_core, tiles, with_contiguous_rows};
use crate::backends::{Activation, linear_shape};

/// Rows that the kernel of few rows takes at most: beams of a step.
const FEW: usize = 8;

/// Units that share one output.
const SHARERS: usize = 64;

/// What happens to a sum before it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Finish {
    pub(super) bias: bool,
    pub(super) gelu: bool,
}

impl Finish {
    /// Nothing: the sum itself.
    pub(super) const NONE: Self = Self {
        bias: false,
        gelu: false,
    };
}

/// The sum of an output, finished.
#[cube]
pub(super) fn finish<E: Float>(
    sum: f32,
    bias: &[E],
    output: usize,
    #[comptime] finish: Finish,
) -> f32 {
    let mut value = sum;
    if comptime!(finish.bias) {
        value += f32::cast_from(bias[output]);
    }
    if comptime!(finish.gelu) {
        value = gelu(value);
    }
    value
}

/// `x W^T`, finished: `x` `[rows, inputs]`, `weight` `[outputs, inputs]` with `stride` elements from row to row, `y` `[rows, outputs]`.
#[cube(launch_unchecked)]
fn few_rows_kernel<E: Float>(
    x: &[E],
    weight: &[E],
    bias: &[E],
    y: &mut [E],
    inputs: u32,
    outputs: u32,
    stride: u32,
    #[comptime] rows: usize,
    #[comptime] last: Finish,
    #[define(E)] _elem: ElemType,
) {
    let unit = UNIT_POS as usize;
    let sharer = unit % SHARERS;
    let output = CUBE_POS as usize * comptime!(UNITS / SHARERS) + unit / SHARERS;
    let (inputs, outputs) = (inputs as usize, outputs as usize);
    let mut sums = Array::<f32>::new(rows);
    #[unroll]
    for row in 0..rows {
        sums[row] = 0.0f32;
    }
    if output < outputs {
        let mut input = sharer;
        while input < inputs {
            let factor = f32::cast_from(weight[output * stride as usize + input]);
            #[unroll]
            for row in 0..rows {
                sums[row] += factor * f32::cast_from(x[row * inputs + input]);
            }
            input += SHARERS;
        }
    }
    let mut shared = Shared::<[f32]>::new_slice(comptime!(rows * UNITS));
    #[unroll]
    for row in 0..rows {
        shared[unit + comptime!(row * UNITS)] = sums[row];
    }
    sync_cube();
    #[unroll]
    for halving in 0..comptime!(SHARERS.ilog2() as usize) {
        let reach = comptime!(SHARERS >> (halving + 1));
        if sharer < reach {
            #[unroll]
            for row in 0..rows {
                let at = unit + comptime!(row * UNITS);
                shared[at] = shared[at] + shared[at + reach];
            }
        }
        sync_cube();
    }
    if sharer < rows && output < outputs {
        let sum = shared[sharer * UNITS + unit - sharer];
        y[sharer * outputs + output] = E::cast_from(finish(sum, bias, output, last));
    }
}

/// `x W^T + b`, and GELU of it if asked for.
///
/// # Shapes
/// - `x`: `[.., inputs]`; `weight`: `[outputs, inputs]`; `bias`: `[outputs]`
/// - returns `[.., outputs]`
pub(crate) fn linear(
    x: CubeTensor,
    weight: CubeTensor,
    bias: Option<CubeTensor>,
    activation: Activation,
) -> CubeTensor {
    let shape = linear_shape(&x.shape(), &weight.shape());
    let [outputs, inputs] = weight.shape().dims();
    let rows = x.shape().num_elements() / inputs.max(1);
    let last = Finish {
        bias: bias.is_some(),
        gelu: activation == Activation::Gelu,
    };
    let mut x = into_contiguous(x);
    x.meta.shape = Shape::new([rows, inputs]);
    x.meta.strides = [inputs, 1].into();
    let mut y = if rows == 0 || outputs == 0 {
        empty(&x, Shape::new([rows, outputs]), x.dtype)
    } else if tensor_core::few_rows::takes(&x, &weight) {
        tensor_core::few_rows::few_rows(x, weight, bias.map(into_contiguous), last)
    } else if rows <= FEW {
        few_rows(x, weight, bias, last)
    } else if tensor_core::linear::takes(&x, &weight) {
        tensor_core::linear::linear(x, weight, bias.map(into_contiguous), last)
    } else {
        let dtype = x.dtype;
        let bias = bias.map(into_contiguous);
        tiles::product(x, permute(weight, &[1, 0]), bias, last, dtype)
    };
    let strides: Vec<usize> = (0..shape.num_dims())
        .map(|axis| shape[axis + 1..].iter().product())
        .collect();
    y.meta.strides = strides.as_slice().into();
    y.meta.shape = shape;
    y
}

fn few_rows(
    x: CubeTensor,
    weight: CubeTensor,
    bias: Option<CubeTensor>,
    last: Finish,
) -> CubeTensor {
    let weight = with_contiguous_rows(weight);
    let stride = weight.meta.strides[0];
    let [outputs, inputs] = weight.shape().dims();
    let [rows, _] = x.shape().dims();
    let y = empty(&x, Shape::new([rows, outputs]), x.dtype);
    let bias = bias.map_or_else(|| x.clone(), into_contiguous);
    let client = x.client.clone();
    let cubes = outputs.div_ceil(UNITS / SHARERS);
    // SAFETY: units read and write inside the matrices, whose sizes they check.
    unsafe {
        few_rows_kernel::launch_unchecked(
            &client,
            line_of_cubes(cubes),
            CubeDim::new_1d(UNITS as u32),
            x.clone().into_buffer_arg(),
            weight.into_buffer_arg(),
            bias.into_buffer_arg(),
            y.clone().into_buffer_arg(),
            inputs as u32,
            outputs as u32,
            stride as u32,
            rows,
            last,
            dtype_to_elem_type(x.dtype),
        );
    }
    y
}
