//! The number format that the network's weights are kept and multiplied in.

use std::fmt;
use std::str::FromStr;

use burn::tensor::{DType, Device, FloatDType};

use serde::{Deserialize, Serialize};

use crate::device::is_gpu;
use crate::{Error, Result};

/// What weights and states are, by the names of faster-whisper's `compute_type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ComputeType {
    /// The best that is proven on the device; [`ComputeType::on`] says which.
    #[default]
    Auto,
    /// IEEE single precision: token for token what openai/whisper gives, but for [what floating point decides](crate::book::parity_exceptions).
    Float32,
    /// IEEE half precision, summed in single precision where products are summed. On the CPU the weights alone are kept so.
    Float16,
    /// bfloat16, summed likewise. On GPUs alone.
    BFloat16,
    /// As [`Int16`](Self::Int16), and the projection on the vocabulary in integers of 8 bits, exact where the likeliest tokens are. On
    /// the CPU alone.
    Int8,
    /// Products over whole windows in integers of 16 bits, the rest as in [`Float32`](Self::Float32). On the CPU alone.
    Int16,
}

/// What the tensors of a model are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Numbers {
    /// Features, states, and the weights of what is no matrix product.
    pub states: FloatDType,
    /// The weights of linear layers.
    pub weights: WeightNumbers,
}

/// What the weights of linear layers are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WeightNumbers {
    /// As the states are.
    AsStates,
    /// As the states are, or in half precision where that holds them exactly, which takes half the memory and gives the same results.
    Exact,
    /// Rounded to half precision.
    Half,
    /// As [`Int16`](Self::Int16), and twice 8-bit integers for the projection on the vocabulary, the second of which are read for the
    /// likeliest tokens alone. The keys and values of the encoder's output are kept in half precision.
    Int8,
    /// 16-bit integers with a scale for each output, for what multiplies whole windows: the encoder, and the keys and values of its
    /// output. The rest is [`Exact`](Self::Exact), since what multiplies a token is bound by the reading of weights.
    Int16,
}

impl From<FloatDType> for Numbers {
    fn from(states: FloatDType) -> Self {
        Self {
            states,
            weights: WeightNumbers::AsStates,
        }
    }
}

impl fmt::Display for Numbers {
    /// The name of the compute type that gives these numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let compute_type = match (self.weights, self.states) {
            (WeightNumbers::Int8, _) => ComputeType::Int8,
            (WeightNumbers::Int16, _) => ComputeType::Int16,
            (WeightNumbers::Half, _) | (_, FloatDType::F16) => ComputeType::Float16,
            (_, FloatDType::BF16) => ComputeType::BFloat16,
            _ => ComputeType::Float32,
        };
        write!(f, "{compute_type}")
    }
}

impl Numbers {
    /// Whether a linear layer's weight that is in half precision stays so.
    pub(crate) fn keeps_half(self) -> bool {
        let kept = [
            WeightNumbers::Exact,
            WeightNumbers::Half,
            WeightNumbers::Int8,
            WeightNumbers::Int16,
        ];
        kept.contains(&self.weights) || self.states == FloatDType::F16
    }

    /// The element type to keep the values of a linear layer's weight in.
    pub(crate) fn weight_dtype(self, values: &[f32]) -> DType {
        match self.weights {
            WeightNumbers::Half => DType::F16,
            WeightNumbers::Exact | WeightNumbers::Int8 | WeightNumbers::Int16
                if whisper_kernels::half_holds(values) =>
            {
                DType::F16
            }
            _ => self.states.into(),
        }
    }
}

impl ComputeType {
    /// The names that users write, in the order of the variants.
    pub const NAMES: [&str; 6] = ["auto", "float32", "float16", "bfloat16", "int8", "int16"];

    /// The element type of states on a device.
    ///
    /// # Errors
    ///
    /// [`Error::Device`] when the device cannot compute in it.
    pub fn on(self, device: &Device) -> Result<FloatDType> {
        self.numbers_on(device).map(|numbers| numbers.states)
    }

    /// What a model's tensors are made of on a device.
    ///
    /// # Errors
    ///
    /// [`Error::Device`] when the device cannot compute in it.
    pub fn numbers_on(self, device: &Device) -> Result<Numbers> {
        // Burn's other CPU backend has no products of its own for the rest.
        let on_flex = *device == Device::flex();
        let weights = match self {
            // The fastest whose tokens are those of single precision on all clips that it was tried on.
            Self::Auto | Self::Int16 if on_flex => WeightNumbers::Int16,
            Self::Float32 if on_flex => WeightNumbers::Exact,
            Self::Auto | Self::Float32 => WeightNumbers::AsStates,
            Self::Float16 if on_flex => WeightNumbers::Half,
            Self::Int8 if on_flex => WeightNumbers::Int8,
            Self::Float16 => return self.half_on_gpu(device, FloatDType::F16),
            Self::BFloat16 => return self.half_on_gpu(device, FloatDType::BF16),
            Self::Int8 | Self::Int16 => return Err(self.refused("float32, float16 or auto")),
        };
        Ok(Numbers {
            states: FloatDType::F32,
            weights,
        })
    }

    fn half_on_gpu(self, device: &Device, dtype: FloatDType) -> Result<Numbers> {
        if is_gpu(device) && device.supports_dtype(DType::from(dtype)) {
            return Ok(dtype.into());
        }
        Err(self.refused("float32 or auto"))
    }

    fn refused(self, instead: &str) -> Error {
        Error::Device(format!(
            "compute_type {self}: this device does not compute in it; use {instead}"
        ))
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
            // The rest of an int8 model is f32 here, as CTranslate2's is on a CPU whatever stands behind the line.
            "int8" | "int8_float32" | "int8_float16" | "int8_bfloat16" => Ok(Self::Int8),
            "int16" => Ok(Self::Int16),
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
    fn the_cpu_has_states_in_single_precision_alone() {
        let cpu = Device::flex();
        for name in [
            "auto",
            "float32",
            "float16",
            "int8",
            "int8_float32",
            "int16",
        ] {
            let compute_type: ComputeType = name.parse().unwrap();
            assert_eq!(compute_type.on(&cpu).unwrap(), FloatDType::F32, "{name}");
        }
        for name in ["float32", "float16", "int8", "int16"] {
            let compute_type: ComputeType = name.parse().unwrap();
            assert_eq!(compute_type.numbers_on(&cpu).unwrap().to_string(), name);
        }
        let message = ComputeType::BFloat16.on(&cpu).unwrap_err().to_string();
        assert!(message.contains("float32"), "{message}");
    }
}
