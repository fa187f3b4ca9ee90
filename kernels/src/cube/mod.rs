//! The operations as CubeCL kernels: one source for CUDA, Vulkan, Metal and WebGPU.

pub(crate) mod attention;
mod dft;
pub(crate) mod embedding;
mod gelu;
pub(crate) mod layer_norm;
pub(crate) mod linear;
pub(crate) mod log_mel;
mod matmul;
mod reduce;
pub(crate) mod sampling;

use burn::tensor::{DType, Shape};
use burn_cubecl::cubecl::prelude::CubeCount;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;

/// Cubes along one axis of a grid at most, on any device.
const AXIS: usize = 65_535;

/// Contiguous memory beside `like`.
fn empty(like: &CubeTensor, shape: Shape, dtype: DType) -> CubeTensor {
    empty_device_contiguous_dtype(like.client.clone(), like.device.clone(), shape, dtype)
}

/// At least `cubes` cubes, told apart by `CUBE_POS`.
fn line_of_cubes(cubes: usize) -> CubeCount {
    CubeCount::Static(cubes.min(AXIS) as u32, cubes.div_ceil(AXIS) as u32, 1)
}
