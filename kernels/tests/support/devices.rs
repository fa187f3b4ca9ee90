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

/// Whether there is a driver of NVIDIA's to use. All else that is wrong with CUDA is for the tests to fail on.
#[cfg(feature = "cuda")]
fn has_driver(device: &Device) -> bool {
    static HAS_DRIVER: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *HAS_DRIVER.get_or_init(|| {
        // What is missing is told by a panic of another thread, here only that something is.
        let first_use = std::panic::AssertUnwindSafe(|| device.sync());
        let works = matches!(std::panic::catch_unwind(first_use), Ok(Ok(())));
        let is_missing = !works && !std::path::Path::new("/proc/driver/nvidia").exists();
        if is_missing {
            eprintln!("cuda is left out: NVIDIA's driver is not installed");
        }
        !is_missing
    })
}
