//! Which device runs the model: a name as users write it, turned into Burn's [`Device`] at run time.

use burn::tensor::Device;
#[cfg(any(feature = "cuda", feature = "wgpu"))]
use burn::tensor::DeviceType;

use crate::{Error, Result};

/// The device names that this build can open, for messages and help.
pub const AVAILABLE: &[&str] = &[
    "auto",
    "cpu",
    #[cfg(feature = "ndarray")]
    "ndarray",
    #[cfg(feature = "cuda")]
    "cuda[:n]",
    #[cfg(feature = "wgpu")]
    "wgpu[:n]",
    #[cfg(feature = "vulkan")]
    "vulkan[:n]",
    #[cfg(feature = "metal")]
    "metal[:n]",
];

/// The names that some build knows: recognised, so that the message can say what is missing.
const KNOWN: &[&str] = &["ndarray", "cuda", "wgpu", "vulkan", "metal", "webgpu"];

/// Opens the device called `name`: `auto` or `cpu`, and what else the build has compiled in; `:n` picks
/// one of several GPUs, counted from 0.
///
/// # Errors
///
/// [`Error::Device`] when the name is unknown, names a backend that is not compiled into this build, or
/// a GPU that this machine lacks.
// Burn calls its ndarray backend deprecated, but it is a device as long as it is there.
#[cfg_attr(feature = "ndarray", allow(deprecated))]
pub fn open(name: &str) -> Result<Device> {
    let unknown = || {
        Error::Device(format!(
            "'{name}' is unknown; use one of {}",
            AVAILABLE.join(", ")
        ))
    };
    let (kind, index) = match name.split_once(':') {
        None => (name, None),
        Some((kind, index)) => (kind, Some(index.parse::<usize>().map_err(|_| unknown())?)),
    };
    match (kind, index) {
        ("auto" | "cpu", None) => Ok(Device::flex()),
        #[cfg(feature = "ndarray")]
        ("ndarray", None) => Ok(Device::ndarray()),
        #[cfg(feature = "cuda")]
        ("cuda", index) => gpu(name, DeviceType::Cuda, index),
        #[cfg(feature = "wgpu")]
        ("wgpu", index) => gpu(name, DeviceType::Wgpu, index),
        #[cfg(feature = "vulkan")]
        ("vulkan", index) => gpu(name, DeviceType::Vulkan, index),
        #[cfg(feature = "metal")]
        ("metal", index) => gpu(name, DeviceType::Metal, index),
        _ if KNOWN.contains(&kind) => Err(Error::Device(format!(
            "'{name}' is not compiled into this build; use one of {}",
            AVAILABLE.join(", ")
        ))),
        _ => Err(unknown()),
    }
}

/// One of the machine's GPUs of a kind, the first by default.
#[cfg(any(feature = "cuda", feature = "wgpu"))]
fn gpu(name: &str, kind: DeviceType, index: Option<usize>) -> Result<Device> {
    let found = Device::enumerate(kind).into_vec();
    let count = found.len();
    found
        .into_iter()
        .nth(index.unwrap_or(0))
        .ok_or_else(|| match count {
            0 => Error::Device(format!(
                "'{name}': this machine has no such GPU, or its driver is not installed"
            )),
            _ => Error::Device(format!(
                "'{name}': this machine has {count}, counted from 0"
            )),
        })
}

/// Whether a device is a GPU, or a driver that takes itself for one: whatever CubeCL's runtimes drive.
pub fn is_gpu(device: &Device) -> bool {
    #[cfg(any(feature = "cuda", feature = "wgpu"))]
    return device.identity().is_some();
    #[cfg(not(any(feature = "cuda", feature = "wgpu")))]
    {
        let _ = device;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_and_auto_open() {
        assert!(open("cpu").is_ok());
        assert!(open("auto").is_ok());
        assert!(!is_gpu(&open("cpu").unwrap()));
    }

    #[test]
    #[cfg(not(feature = "metal"))]
    fn a_backend_that_is_not_compiled_in_says_so() {
        let message = open("metal:0").unwrap_err().to_string();
        assert!(message.contains("not compiled"), "{message}");
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        for name in ["tpu", "", "cpu:3", "cuda:x", "wgpu:"] {
            let message = open(name).unwrap_err().to_string();
            assert!(message.contains("auto, cpu"), "{message}");
        }
    }
}
