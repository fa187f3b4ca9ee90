//! How much memory a GPU has.

use burn::backend::DispatchDevice;
use burn::tensor::Device;

/// Bytes of memory that a GPU has, whoever uses them; `None` for the host's backends, and where the driver does not tell. Opens
/// the device.
pub fn device_capacity(device: &Device) -> Option<u64> {
    match device.as_dispatch() {
        DispatchDevice::Cube(device) => device.client().properties().memory.max_memory(),
        _ => None,
    }
}
