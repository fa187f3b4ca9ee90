//! The operations as CubeCL kernels: one source for CUDA, Vulkan, Metal and WebGPU.

pub(crate) mod attention;
mod dft;
mod gelu;
pub(crate) mod linear;
pub(crate) mod log_mel;
mod matmul;
