//! The devices that are compiled in beside the CPU.

use burn::tensor::Device;

/// Each with its name. None when only flex is compiled in, which the other tests run on. CUDA is left out where there is no driver.
pub fn devices() -> Vec<(&'static str, Device)> {
    let devices = vec![
        #[cfg(feature = "ndarray")]
        ("ndarray", Device::ndarray()),
        #[cfg(feature = "wgpu")]
        (
            "wgpu",
            Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
        ),
        #[cfg(feature = "cuda")]
        ("cuda", Device::cuda(burn::tensor::DeviceIndex::new(0usize))),
    ];
    #[cfg(feature = "cuda")]
    let devices = devices
        .into_iter()
        .filter(|(name, device)| *name != "cuda" || has_driver(device))
        .collect();
    devices
}

/// Whether NVIDIA's driver can be loaded. All else that is wrong with it is for the tests to fail on.
#[cfg(feature = "cuda")]
fn has_driver(device: &Device) -> bool {
    let first_use = || device.sync();
    let Err(panic) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(first_use)) else {
        return true;
    };
    let text = panic.downcast_ref::<String>().map_or("", String::as_str);
    let is_missing = text.contains("dynamically load");
    if is_missing {
        eprintln!("cuda is left out: NVIDIA's driver is not installed");
    }
    !is_missing
}
