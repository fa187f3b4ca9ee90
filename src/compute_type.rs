//! The number format that the network's weights are kept and multiplied in.

use std::fmt;
use std::str::FromStr;

use burn::tensor::{DType, Device, FloatDType};

use crate::device::is_gpu;
use crate::{Error, Result};

/// What weights and states are, by the names of faster-whisper's `compute_type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ComputeType {
    /// The best that is proven on the device; [`ComputeType::on`] says which.
    #[default]
    Auto,
    /// IEEE single precision: token for token what openai/whisper gives, see `docs/parity-exceptions.md`.
    Float32,
    /// IEEE half precision, summed in single precision where products are summed. On GPUs alone.
    Float16,
    /// bfloat16, summed likewise. On GPUs alone.
    BFloat16,
}

impl ComputeType {
    /// The names that users write, in the order of the variants.
    pub const NAMES: [&str; 4] = ["auto", "float32", "float16", "bfloat16"];

    /// The element type on a device.
    ///
    /// # Errors
    ///
    /// [`Error::Device`] when the device cannot compute in it.
    pub fn on(self, device: &Device) -> Result<FloatDType> {
        let dtype = match self {
            Self::Auto | Self::Float32 => return Ok(FloatDType::F32),
            Self::Float16 => FloatDType::F16,
            Self::BFloat16 => FloatDType::BF16,
        };
        if is_gpu(device) && device.supports_dtype(DType::from(dtype)) {
            return Ok(dtype);
        }
        Err(Error::Device(format!(
            "compute_type {self}: this device computes in float32 alone; use float32 or auto"
        )))
    }
}

impl fmt::Display for ComputeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::NAMES[*self as usize])
    }
}

impl FromStr for ComputeType {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "auto" | "default" => Ok(Self::Auto),
            "float32" => Ok(Self::Float32),
            "float16" => Ok(Self::Float16),
            "bfloat16" => Ok(Self::BFloat16),
            _ => Err(Error::Option(format!(
                "compute_type '{name}' is unknown; use one of {}",
                Self::NAMES.join(", ")
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in ComputeType::NAMES {
            assert_eq!(name.parse::<ComputeType>().unwrap().to_string(), name);
        }
        let message = "int3".parse::<ComputeType>().unwrap_err().to_string();
        assert!(
            message.contains("int3") && message.contains("float16"),
            "{message}"
        );
    }

    #[test]
    fn the_cpu_computes_in_single_precision_alone() {
        let cpu = Device::flex();
        assert_eq!(ComputeType::Auto.on(&cpu).unwrap(), FloatDType::F32);
        let message = ComputeType::Float16.on(&cpu).unwrap_err().to_string();
        assert!(message.contains("float32"), "{message}");
    }
}
