//! Drivers of wgpu's adapters.

use cubecl::future::block_on;
use cubecl::wgpu::wgpu::{Adapter, Backends, Instance, InstanceDescriptor};

/// The driver of the adapter of this name: `llvmpipe, Mesa 22.3.6 (LLVM 15.0.6)`.
pub(super) fn driver(name: &str) -> Option<String> {
    let backends = Backends::VULKAN | Backends::METAL | Backends::DX12;
    let instance = Instance::new(InstanceDescriptor {
        backends,
        ..InstanceDescriptor::new_without_display_handle()
    });
    let adapters = block_on(instance.enumerate_adapters(backends));
    let mut adapters = adapters.iter().map(Adapter::get_info);
    let info = adapters.find(|adapter| adapter.name == name)?;
    let parts = [info.driver, info.driver_info];
    let told: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    (!told.is_empty()).then(|| told.join(", "))
}
