//! The devices that are compiled in beside the CPU.

use burn::tensor::Device;

/// Each with its name. None when only flex is compiled in, which the other tests run on.
pub fn devices() -> Vec<(&'static str, Device)> {
    vec![
        #[cfg(feature = "ndarray")]
        ("ndarray", Device::ndarray()),
        #[cfg(feature = "wgpu")]
        (
            "wgpu",
            Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
        ),
        #[cfg(feature = "cuda")]
        ("cuda", Device::cuda(burn::tensor::DeviceIndex::new(0usize))),
    ]
}
