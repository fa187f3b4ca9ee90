//! Which device runs the model: a name as users write it, turned into Burn's [`Device`] at run time.

mod auto;
mod found;

use std::path::PathBuf;

use burn::tensor::{Device, DeviceType};

pub use auto::{ChosenDevice, auto};
pub use found::{DeviceKind, Found, Refusal, find, find_named};
pub use whisper_kernels::allow_recordings;

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
    #[cfg(feature = "wgpu")]
    "webgpu[:n]",
    #[cfg(feature = "vulkan")]
    "vulkan[:n]",
    #[cfg(feature = "metal")]
    "metal[:n]",
];

/// The Burn backends that are compiled into this build, by the names that open them.
pub const BACKENDS: &[&str] = &[
    "cpu",
    #[cfg(feature = "ndarray")]
    "ndarray",
    #[cfg(feature = "cuda")]
    "cuda",
    #[cfg(feature = "vulkan")]
    "vulkan",
    #[cfg(feature = "metal")]
    "metal",
    #[cfg(feature = "wgpu")]
    "wgpu",
];

/// The names that some build knows: recognised, so that the message can say what is missing.
const KNOWN: &[&str] = &["ndarray", "cuda", "wgpu", "vulkan", "metal", "webgpu"];

/// Opens the device called `name`: `auto` ([`auto`] says what it chose), `cpu`, and what else the build has compiled in; `:n`
/// picks one of several GPUs, counted from 0. `webgpu` is another name of `wgpu`.
///
/// # Errors
///
/// [`Error::Device`] when the name is unknown, names a backend that is not compiled into this build, or
/// a GPU that this machine lacks or cannot open.
pub fn open(name: &str) -> Result<Device> {
    choose(name).map(|chosen| chosen.device)
}

/// The same, and says what was opened.
///
/// # Errors
///
/// As [`open`].
pub fn choose(name: &str) -> Result<ChosenDevice> {
    check(name)?;
    if name == "auto" {
        return Ok(auto());
    }
    match find_named(name) {
        Ok(found) => Ok(ChosenDevice::of(found, Vec::new())),
        Err(refusal) => Err(Error::Device(format!("'{name}': {}", refusal.reason))),
    }
}

/// The folder that kernels compiled for CUDA and Vulkan are kept in, for other processes of the same build; `None` in builds without
/// either or without the feature `fetch`, and where there is no cache folder.
pub fn kept_kernels() -> Option<PathBuf> {
    #[cfg(all(feature = "fetch", any(feature = "cuda", feature = "vulkan")))]
    let folder = (whisper_weights::Fetcher::from_env().ok())
        .map(|fetcher| fetcher.cache_folder().join("kernels"));
    #[cfg(not(all(feature = "fetch", any(feature = "cuda", feature = "vulkan"))))]
    let folder = None;
    folder
}

/// Whether `name` is one that this build can open, if the machine has it: that is not looked at.
///
/// # Errors
///
/// [`Error::Device`] when the name is unknown, or names a backend that is not compiled into this build.
pub fn check(name: &str) -> Result<()> {
    match parse(name)? {
        (_, None) => Ok(()),
        (kind, Some(_)) if gpu_type(kind).is_some() => Ok(()),
        _ => Err(unknown(name)),
    }
}

/// Whether this build has a backend for GPUs.
pub fn has_gpu_backend() -> bool {
    !gpu_types().is_empty()
}

/// Whether a device is a GPU, or a driver that takes itself for one: whatever CubeCL's runtimes drive.
pub fn is_gpu(device: &Device) -> bool {
    found::identity(device).is_some()
}

/// The driver of a GPU with its version, in words; `None` for the host's devices, and where it does not tell.
pub fn driver(device: &Device) -> Option<String> {
    #[cfg(any(feature = "cuda", feature = "wgpu"))]
    return whisper_kernels::device_driver(device);
    #[cfg(not(any(feature = "cuda", feature = "wgpu")))]
    {
        let _ = device;
        None
    }
}

/// A name's kind, and its index if it has one. The kind is one that this build knows, except that the host's devices may have
/// been given an index.
fn parse(name: &str) -> Result<(&str, Option<usize>)> {
    let (kind, index) = match name.split_once(':') {
        None => (name, None),
        Some((kind, index)) => (kind, Some(index.parse().map_err(|_| unknown(name))?)),
    };
    let available =
        (AVAILABLE.iter()).any(|name| name.strip_suffix("[:n]").unwrap_or(name) == kind);
    match available {
        true => Ok((kind, index)),
        false if KNOWN.contains(&kind) => Err(Error::Device(format!(
            "'{name}' is not compiled into this build; use one of {}",
            AVAILABLE.join(", ")
        ))),
        false => Err(unknown(name)),
    }
}

fn unknown(name: &str) -> Error {
    Error::Device(format!(
        "'{name}' is unknown; use one of {}",
        AVAILABLE.join(", ")
    ))
}

/// The kinds of GPU devices that are compiled in, in the order in which [`auto`] prefers them: what drives a card most directly
/// comes first.
fn gpu_types() -> Vec<(&'static str, DeviceType)> {
    vec![
        #[cfg(feature = "cuda")]
        ("cuda", DeviceType::Cuda),
        #[cfg(feature = "vulkan")]
        ("vulkan", DeviceType::Vulkan),
        #[cfg(feature = "metal")]
        ("metal", DeviceType::Metal),
        #[cfg(feature = "wgpu")]
        ("wgpu", DeviceType::Wgpu),
    ]
}

fn gpu_type(kind: &str) -> Option<DeviceType> {
    // Burn's own `webgpu` is a browser's; what wgpu drives here takes WebGPU's shaders.
    let kind = if kind == "webgpu" { "wgpu" } else { kind };
    let mut types = gpu_types().into_iter();
    types
        .find(|(name, _)| *name == kind)
        .map(|(_, found)| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_and_auto_open() {
        assert!(open("cpu").is_ok());
        assert!(open("auto").is_ok());
        assert!(!is_gpu(&open("cpu").unwrap()));
        let cpu = choose("cpu").unwrap();
        assert!(cpu.name == "cpu" && cpu.description.is_none());
    }

    #[test]
    #[cfg(not(feature = "metal"))]
    fn a_backend_that_is_not_compiled_in_says_so() {
        let message = open("metal:0").unwrap_err().to_string();
        assert!(message.contains("not compiled"), "{message}");
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        for name in ["tpu", "", "cpu:3", "auto:1", "cuda:x", "wgpu:", "cuda[:n]"] {
            let message = open(name).unwrap_err().to_string();
            assert!(message.contains("auto, cpu"), "{message}");
        }
    }

    #[test]
    #[cfg(feature = "wgpu")]
    fn webgpu_is_wgpu() {
        assert_eq!(gpu_type("webgpu"), Some(DeviceType::Wgpu));
        match (open("wgpu"), open("webgpu")) {
            (Ok(wgpu), Ok(webgpu)) => assert_eq!(wgpu, webgpu),
            (wgpu, webgpu) => assert!(wgpu.is_err() && webgpu.is_err()),
        }
    }
}
