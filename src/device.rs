//! Which device runs the model: a name as users write it, turned into Burn's [`Device`] at run time.

use burn::tensor::Device;

use crate::{Error, Result};

/// The device names that this build can open, for messages and help.
pub const AVAILABLE: &[&str] = &["auto", "cpu"];

/// The names that other builds know: recognised, so that the message can say what is missing.
const KNOWN: &[&str] = &["ndarray", "cuda", "wgpu", "vulkan", "metal", "webgpu"];

/// Opens the device called `name`: `auto` or `cpu`.
///
/// # Errors
///
/// [`Error::Device`] when the name is unknown, or names a backend that is not compiled into this build.
pub fn open(name: &str) -> Result<Device> {
    let kind = name.split(':').next().unwrap_or(name);
    match kind {
        "auto" | "cpu" if kind == name => Ok(Device::flex()),
        _ if KNOWN.contains(&kind) => Err(Error::Device(format!(
            "'{name}' is not compiled into this build; use one of {}",
            AVAILABLE.join(", ")
        ))),
        _ => Err(Error::Device(format!(
            "'{name}' is unknown; use one of {}",
            AVAILABLE.join(", ")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_and_auto_open() {
        assert!(open("cpu").is_ok());
        assert!(open("auto").is_ok());
    }

    #[test]
    fn a_backend_that_is_not_compiled_in_says_so() {
        let message = open("cuda:0").unwrap_err().to_string();
        assert!(message.contains("not compiled"), "{message}");
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        for name in ["tpu", "", "cpu:3"] {
            let message = open(name).unwrap_err().to_string();
            assert!(message.contains("auto, cpu"), "{message}");
        }
    }
}
