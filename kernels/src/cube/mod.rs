//! The operations as CubeCL kernels: one source for CUDA, Vulkan, Metal and WebGPU.

pub(crate) mod attention;
pub(crate) mod convolution;
mod dft;
pub(crate) mod embedding;
pub(crate) mod few_queries;
mod gelu;
pub(crate) mod layer_norm;
pub(crate) mod linear;
pub(crate) mod log_mel;
mod reduce;
pub(crate) mod sampling;
pub(crate) mod step;
mod tensor_core;
mod tiles;

use burn::tensor::{DType, Shape};
use burn_cubecl::cubecl::prelude::CubeCount;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;

/// Cubes along one axis of a grid at most, on any device.
const AXIS: usize = 65_535;

/// Contiguous memory beside `like`.
fn empty(like: &CubeTensor, shape: Shape, dtype: DType) -> CubeTensor {
    empty_device_contiguous_dtype(like.client.clone(), like.device.clone(), shape, dtype)
}

/// A tensor whose rows are contiguous, copied only if they are not. There may be room between them: a device lays out what it
/// is given as it likes it.
fn with_contiguous_rows(tensor: CubeTensor) -> CubeTensor {
    match tensor.meta.strides.last() {
        Some(1) | None => tensor,
        _ => into_contiguous(tensor),
    }
}

/// At least `cubes` cubes, told apart by `CUBE_POS`.
fn line_of_cubes(cubes: usize) -> CubeCount {
    CubeCount::Static(cubes.min(AXIS) as u32, cubes.div_ceil(AXIS) as u32, 1)
}
