//! The device that is used where none is named.

use burn::tensor::Device;

use super::found::{DeviceKind, Found, Refusal, of_type};
use super::gpu_types;
use crate::self_test::self_test;

/// What [`auto`] chose, or [`choose`](super::choose) opened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChosenDevice {
    /// The name that [`open`](super::open) takes.
    pub name: String,
    /// What the device is, in its driver's words; `None` for the host's processor.
    pub description: Option<String>,
    /// The device itself.
    pub device: Device,
    /// The devices that would have been preferred, and why they were not taken.
    pub refused: Vec<Refusal>,
}

impl ChosenDevice {
    pub(super) fn of(found: Found, refused: Vec<Refusal>) -> Self {
        Self {
            description: (found.kind != DeviceKind::Cpu).then_some(found.description),
            name: found.name,
            device: found.device,
            refused,
        }
    }
}

/// Chooses a device: the first GPU that passes its [`self_test`], by CUDA, else Vulkan, Metal or wgpu, and else the CPU. Drivers
/// that compute on the CPU are no GPUs.
///
/// In a build without a backend for GPUs that is the CPU, without any test. Never panics where no driver is installed.
pub fn auto() -> ChosenDevice {
    let mut refused = Vec::new();
    for (kind, device_type) in gpu_types() {
        for found in of_type(kind, device_type) {
            match found.and_then(tested) {
                Err(refusal) => refused.push(refusal),
                Ok(found) => return ChosenDevice::of(found, refused),
            }
        }
    }
    ChosenDevice {
        name: "cpu".to_owned(),
        description: None,
        device: Device::flex(),
        refused,
    }
}

/// The device if it is a GPU that computes what the CPU does.
fn tested(found: Found) -> Result<Found, Refusal> {
    let reason = match found.kind {
        DeviceKind::Gpu => match self_test(&found.device) {
            Ok(test) if test.passed() => return Ok(found),
            Ok(test) => format!("{} fails its self-test: {test}", found.description),
            Err(error) => format!("{} fails its self-test: {error}", found.description),
        },
        _ => format!(
            "{} is no GPU, and slower than the CPU device",
            found.description
        ),
    };
    Err(Refusal::new(&found.name, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_chosen_can_be_opened_by_its_name() {
        let chosen = auto();
        let named = super::super::open(&chosen.name).unwrap();
        assert_eq!(chosen.device, named);
        assert_eq!(chosen.name == "cpu", chosen.description.is_none());
        if !super::super::has_gpu_backend() {
            assert!(chosen.refused.is_empty() && chosen.name == "cpu");
        }
    }

    #[test]
    fn a_device_that_is_no_gpu_is_refused() {
        let (found, _) = super::super::find();
        let cpu = found.into_iter().next().unwrap();
        let refusal = tested(cpu).unwrap_err();
        assert!(refusal.to_string().starts_with("cpu: "), "{refusal}");
        assert!(refusal.reason.contains("no GPU"), "{refusal}");
    }
}
