//! What drives a GPU.

#[cfg(feature = "cuda")]
mod cuda;
#[cfg(feature = "wgpu")]
mod wgpu;

use burn::backend::DispatchDevice;
use burn::tensor::Device;
#[cfg(any(feature = "cuda", feature = "wgpu"))]
use cubecl::RuntimeId;

/// The driver of a GPU with its version, and of CUDA the library that compiles kernels, in words; `None` for the host's
/// backends, and where the driver does not tell. Opens a device of wgpu's; CUDA's libraries are asked without one.
pub fn device_driver(device: &Device) -> Option<String> {
    let DispatchDevice::Cube(device) = device.as_dispatch() else {
        return None;
    };
    match device.runtime() {
        #[cfg(feature = "cuda")]
        RuntimeId::Cuda => cuda::driver(),
        #[cfg(feature = "wgpu")]
        RuntimeId::Wgpu => wgpu::driver(&device.client().properties().identity.name),
        _ => None,
    }
}
