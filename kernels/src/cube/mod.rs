//! The operations as CubeCL kernels: one source for CUDA, Vulkan, Metal and WebGPU.

mod dft;
pub(crate) mod log_mel;
