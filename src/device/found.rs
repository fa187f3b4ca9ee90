//! The devices of this machine that this build can open, and why others cannot be had.

use std::fmt;

use burn::tensor::{Device, DeviceType};

use super::{gpu_type, gpu_types, parse};
use crate::Error;
use crate::panics::caught;

/// A device of this machine.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Found {
    /// The name that [`open`](super::open) takes: `cpu`, `cuda:0`.
    pub name: String,
    /// What it is, in its driver's words: `NVIDIA H100 80GB HBM3`.
    pub description: String,
    /// What kernels are compiled for, in the runtime's words; `None` on the host's backends, which compile nothing.
    pub target: Option<String>,
    /// Whether it is a card.
    pub kind: DeviceKind,
    /// The device itself.
    pub device: Device,
}

/// What stands behind a device's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceKind {
    /// The host's processor, by a backend of its own.
    Cpu,
    /// A graphics card.
    Gpu,
    /// A graphics driver that computes on the host's processor, such as llvmpipe: for tests, slower than [`Cpu`](Self::Cpu).
    SoftwareRasteriser,
}

/// Why a device, or every device of a backend, cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The device's name, or its backend's where that has none.
    pub name: String,
    /// The reason, in one line.
    pub reason: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.reason)
    }
}

/// Every device that this build can open, those of the host first, and why there are no more. It opens each one. Where no driver
/// is installed that is a refusal, never a panic.
pub fn find() -> (Vec<Found>, Vec<Refusal>) {
    let mut found = host_devices();
    let mut refused = Vec::new();
    for (kind, device_type) in gpu_types() {
        for device in of_type(kind, device_type) {
            match device {
                Ok(device) => found.push(device),
                Err(refusal) => refused.push(refusal),
            }
        }
    }
    (found, refused)
}

/// The device that [`open`](super::open) opens by this name, except `auto`, which is no device but a choice.
///
/// # Errors
///
/// Why it cannot be used: the name is unknown (see [`check`](super::check)), or this machine lacks the device or cannot open it.
pub fn find_named(name: &str) -> Result<Found, Refusal> {
    let refused = |error: Error| Refusal::new(name, error.to_string());
    let (kind, index) = parse(name).map_err(refused)?;
    let index = index.unwrap_or(0);
    match gpu_type(kind) {
        Some(device_type) => {
            let devices = enumerate(device_type).map_err(|reason| Refusal::new(name, reason))?;
            let device = nth(devices, index).map_err(|reason| Refusal::new(name, reason))?;
            describe(kind, index, device)
        }
        None => {
            let mut host = host_devices().into_iter();
            (host.find(|device| device.name == name)).ok_or_else(|| refused(super::unknown(name)))
        }
    }
}

/// The devices that compute on the host.
// Burn calls its ndarray backend deprecated, but it is a device as long as it is there.
#[cfg_attr(feature = "ndarray", allow(deprecated))]
fn host_devices() -> Vec<Found> {
    let host = |name: &str, description: &str, device| Found {
        name: name.to_owned(),
        description: description.to_owned(),
        target: None,
        kind: DeviceKind::Cpu,
        device,
    };
    vec![
        host("cpu", "the host's processor (Burn's flex)", Device::flex()),
        #[cfg(feature = "ndarray")]
        host(
            "ndarray",
            "the host's processor (Burn's ndarray)",
            Device::ndarray(),
        ),
    ]
}

/// The GPUs of a kind, each as it was found or why it cannot be opened; one refusal where there are none.
pub(super) fn of_type(kind: &str, device_type: DeviceType) -> Vec<Result<Found, Refusal>> {
    let refused = |reason| vec![Err(Refusal::new(kind, reason))];
    match enumerate(device_type) {
        Err(reason) => refused(reason),
        Ok(devices) if devices.is_empty() => refused(NO_GPU.to_owned()),
        Ok(devices) => (devices.into_iter().enumerate())
            .map(|(index, device)| describe(kind, index, device))
            .collect(),
    }
}

/// The reason of a backend that finds no GPU at all.
const NO_GPU: &str = "this machine has no such GPU, or its driver is not installed";

/// One of several devices, or why there is no such one.
fn nth(devices: Vec<Device>, index: usize) -> Result<Device, String> {
    let count = devices.len();
    (devices.into_iter().nth(index)).ok_or_else(|| match count {
        0 => NO_GPU.to_owned(),
        1 => "this machine has one such GPU, which is number 0".to_owned(),
        _ => format!("this machine has {count} such GPUs, counted from 0"),
    })
}

/// Keeps what is compiled for a GPU in the cache folder, from the first device on. A program that has set CubeCL up by itself is left
/// as it is, and where there is no cache folder, or no feature `fetch` that knows it, each process compiles anew.
fn keep_compiled_kernels() {
    #[cfg(all(feature = "fetch", any(feature = "cuda", feature = "vulkan")))]
    {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| {
            if let Some(folder) = super::kept_kernels() {
                whisper_kernels::keep_compiled_kernels(&folder);
            }
        });
    }
}

fn enumerate(device_type: DeviceType) -> Result<Vec<Device>, String> {
    keep_compiled_kernels();
    caught(|| Device::enumerate(device_type).into_vec())
}

fn describe(kind: &str, index: usize, device: Device) -> Result<Found, Refusal> {
    let name = format!("{kind}:{index}");
    match caught(|| identity(&device)) {
        Err(reason) => Err(Refusal::new(&name, reason)),
        Ok(None) => Err(Refusal::new(
            &name,
            "its runtime does not say what it is".to_owned(),
        )),
        Ok(Some(identity)) => Ok(Found {
            // CUDA has no other devices than cards, whether or not one tells its place on the bus.
            kind: match identity.is_card || kind == "cuda" {
                true => DeviceKind::Gpu,
                false => DeviceKind::SoftwareRasteriser,
            },
            name,
            description: identity.name,
            target: Some(identity.target),
            device,
        }),
    }
}

impl Refusal {
    /// Whether the machine lacks such a GPU, or its driver; otherwise there is one that cannot be used.
    pub fn is_absence(&self) -> bool {
        self.reason == NO_GPU
    }

    pub(super) fn new(name: &str, reason: String) -> Self {
        Refusal {
            name: name.to_owned(),
            reason,
        }
    }
}

/// What a GPU's driver says of it.
pub(super) struct Identity {
    name: String,
    target: String,
    is_card: bool,
}

/// `None` for the host's backends. Opens the device, which may panic.
pub(super) fn identity(device: &Device) -> Option<Identity> {
    #[cfg(any(feature = "cuda", feature = "wgpu"))]
    return device.identity().map(|identity| Identity {
        name: identity.name,
        target: identity.fingerprint,
        is_card: identity.physical.is_some(),
    });
    #[cfg(not(any(feature = "cuda", feature = "wgpu")))]
    {
        let _ = device;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_too_high_is_no_absence() {
        let refusal = |devices, index| Refusal::new("cuda:7", nth(devices, index).unwrap_err());
        assert!(refusal(Vec::new(), 0).is_absence());
        for count in [1, 2] {
            let beyond = refusal(vec![Device::flex(); count], 7);
            assert!(
                !beyond.is_absence() && beyond.reason.contains("such GPU"),
                "{beyond}"
            );
        }
    }

    #[test]
    fn the_cpu_is_there_and_every_other_backend_is_found_or_refused() {
        let (found, refused) = find();
        assert_eq!(found[0].name, "cpu");
        assert_eq!(found[0].kind, DeviceKind::Cpu);
        for (kind, _) in gpu_types() {
            let of_kind = |name: &str| name.split(':').next() == Some(kind);
            let told = found.iter().any(|device| of_kind(&device.name))
                || refused.iter().any(|refusal| of_kind(&refusal.name));
            assert!(told, "{kind}: {found:?} {refused:?}");
        }
        for refusal in refused {
            assert!(!refusal.reason.is_empty() && !refusal.reason.contains('\n'));
            assert!(
                !(refusal.is_absence() && refusal.name.contains(':')),
                "{refusal}"
            );
        }
    }

    #[test]
    fn what_is_found_is_found_by_its_name() {
        for device in find().0 {
            assert_eq!(find_named(&device.name).unwrap().device, device.device);
        }
        for name in ["auto", "abacus", "cpu:1"] {
            let refusal = find_named(name).unwrap_err();
            assert!(refusal.reason.contains("auto, cpu"), "{refusal}");
        }
    }
}
