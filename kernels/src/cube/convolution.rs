//! A convolution on CubeCL runtimes: what each output sees is laid out as a row, and the rows are multiplied by the weight.

use burn::backend::TensorMetadata;
use burn::backend::cubecl::dtype_to_elem_type;
use burn::tensor::Shape;
use burn_cubecl::cubecl;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::linear::linear;
use super::reduce::UNITS;
use super::{empty, line_of_cubes};
use crate::backends::Activation;
use crate::convolution::TAPS;

/// Where the elements of `x` lie.
#[derive(CubeLaunch, CubeType, Clone, Copy)]
struct Strides {
    batch: u32,
    position: u32,
    channel: u32,
}

/// An element a unit: `rows` `[batch, positions, channels, taps]`, zero outside of `x`.
#[cube(launch_unchecked)]
fn lay_out_kernel<E: Float>(
    x: &[E],
    rows: &mut [E],
    strides: Strides,
    count: u32,
    length: u32,
    positions: u32,
    channels: u32,
    step: u32,
    #[define(E)] _elem: ElemType,
) {
    let at = ABSOLUTE_POS;
    if at < count as usize {
        let tap = at % TAPS;
        let channel = at / TAPS % channels as usize;
        let position = at / (TAPS * channels as usize) % positions as usize;
        let batch = at / (TAPS * channels as usize * positions as usize);
        // One further than the sample, since the zero before the first has no number.
        let sample = position * step as usize + tap;
        let mut found = E::cast_from(0.0f32);
        if sample > 0 && sample <= length as usize {
            found = x[batch * strides.batch as usize
                + (sample - 1) * strides.position as usize
                + channel * strides.channel as usize];
        }
        rows[at] = found;
    }
}

/// See [`convolution_gelu`](crate::convolution_gelu).
pub(crate) fn convolution_gelu(
    x: CubeTensor,
    weight: CubeTensor,
    bias: CubeTensor,
    stride: usize,
) -> CubeTensor {
    let [batch, length, channels] = x.shape().dims();
    let outputs = weight.shape()[0];
    let positions = (length - 1) / stride + 1;
    let width = channels * TAPS;
    let count = batch * positions * width;
    let rows = empty(&x, Shape::new([batch, positions, width]), x.dtype);
    let mut weight = into_contiguous(weight);
    weight.meta.shape = Shape::new([outputs, width]);
    weight.meta.strides = [width, 1].into();
    if count > 0 {
        let client = x.client.clone();
        let elem = dtype_to_elem_type(x.dtype);
        let strides = StridesLaunch::new(
            x.meta.strides[0] as u32,
            x.meta.strides[1] as u32,
            x.meta.strides[2] as u32,
        );
        // SAFETY: each unit has its own element, which it checks to be there, and reads a sample that is.
        unsafe {
            lay_out_kernel::launch_unchecked(
                &client,
                line_of_cubes(count.div_ceil(UNITS)),
                CubeDim::new_1d(UNITS as u32),
                x.into_buffer_arg(),
                rows.clone().into_buffer_arg(),
                strides,
                count as u32,
                length as u32,
                positions as u32,
                channels as u32,
                stride as u32,
                elem,
            );
        }
    }
    linear(rows, weight, Some(bias), Activation::Gelu)
}
