//! The flags about the model, and the device that it computes on.

use burn::tensor::Device;
use clap::builder::PossibleValuesParser;
use whisper_rs::ComputeType;
use whisper_rs::device::{self, is_gpu};

use super::heading;
use super::values::{self, Optional};
use crate::cli::models::StoreArguments;
use crate::cli::precision;

/// Which model computes, where and in which numbers.
#[derive(Debug, clap::Args)]
#[command(rename_all = "snake_case", next_help_heading = heading::MODEL)]
pub struct ModelFlags {
    /// Model: a name such as tiny.en or base, or the path of a file or folder with weights
    #[arg(short, long, default_value = "base")]
    model: String,

    /// Folder or file of a model, in the place of --model
    #[arg(
        long,
        default_value = "None",
        value_name = "PATH",
        hide_short_help = true
    )]
    model_directory: Optional<String>,

    #[command(flatten)]
    pub store: StoreArguments,

    // The help names what this build can open.
    #[arg(
        long,
        default_value = "auto",
        help = format!("Device to run on: {}", device::AVAILABLE.join(", ")),
    )]
    device: String,

    /// Which of several GPUs to use, counted from 0
    #[arg(
        long,
        value_parser = values::whole_number,
        default_value = "0",
        value_name = "N",
        hide_short_help = true,
    )]
    device_index: usize,

    /// Numbers of the model: float32; on the CPU int16, int8 or float16 (weights alone); on a GPU float16 or bfloat16; auto is the best that is proven
    #[arg(
        long,
        value_parser = PossibleValuesParser::new(precision::KNOWN),
        default_value = "auto",
        value_name = "TYPE",
        hide_possible_values = true,
        hide_short_help = true,
    )]
    compute_type: String,

    /// --compute_type as openai/whisper has it: False is float32, True is float16 on a GPU
    #[arg(long, hide_short_help = true)]
    fp16: Option<bool>,

    /// Run the model once on silence before the first file, so that what a device compiles on its first use is compiled
    #[arg(long, hide_short_help = true)]
    pub warmup: bool,

    /// Threads for work on the CPU; 0 or None is one for each physical core
    #[arg(short, long, default_value = "0", value_name = "N", value_parser = values::threads)]
    pub threads: usize,
}

impl ModelFlags {
    /// The model's name or path.
    pub fn name(&self) -> &str {
        (self.model_directory.0.as_deref()).unwrap_or(&self.model)
    }

    /// The device's name: which of several is meant stands behind a colon.
    pub fn device_name(&self) -> String {
        match self.device_index {
            0 => self.device.clone(),
            index => format!("{}:{index}", self.device),
        }
    }

    /// Refuses numbers that cannot be computed in yet, and an index where there is nothing to count, by a line.
    pub fn check(&self) -> Result<(), String> {
        let (device, index) = (&self.device, self.device_index);
        if index > 0 && ["auto", "cpu", "ndarray"].contains(&device.as_str()) {
            return Err(format!(
                "--device_index {index} is for GPUs: give a --device such as cuda as well"
            ));
        }
        if index > 0 && device.contains(':') {
            return Err(format!(
                "--device {device} says which GPU is meant, and --device_index {index} does so as well: give one of the two"
            ));
        }
        precision::compute_type(&self.compute_type).map(drop)
    }

    /// The numbers to compute in on a device.
    pub fn compute_type(&self, device: &Device) -> ComputeType {
        self.numbers(device).0
    }

    /// What should be told of the numbers to compute in.
    pub fn warning(&self, device: &Device) -> Option<&'static str> {
        self.numbers(device).1
    }

    fn numbers(&self, device: &Device) -> (ComputeType, Option<&'static str>) {
        match (precision::compute_type(&self.compute_type), self.fp16) {
            (Ok(ComputeType::Auto), Some(fp16)) => precision::of_fp16(fp16, is_gpu(device)),
            (Ok(integers @ (ComputeType::Int8 | ComputeType::Int16)), _) => {
                precision::of_integers(integers, device)
            }
            (Ok(compute_type), _) => (compute_type, None),
            // Refused by `check`.
            (Err(_), _) => (ComputeType::Auto, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::transcribe;

    #[test]
    fn an_index_is_for_gpus() {
        let message = transcribe(&["--device_index", "1"]).unwrap_err();
        assert!(message.contains("--device such as cuda"), "{message}");
        let flags = transcribe(&["--device_index", "1", "--device", "cuda"]).unwrap();
        assert_eq!(flags.engine.model.device_name(), "cuda:1");
        assert!(transcribe(&["--device_index", "0"]).is_ok());
        let message = transcribe(&["--device_index", "1", "--device", "ndarray"]).unwrap_err();
        assert!(message.contains("is for GPUs"), "{message}");
        let message = transcribe(&["--device_index", "2", "--device", "cuda:1"]).unwrap_err();
        assert!(message.contains("one of the two"), "{message}");
        assert!(transcribe(&["--device_index", "0", "--device", "cuda:1"]).is_ok());
    }

    #[test]
    fn half_precision_by_openais_flag() {
        let half = transcribe(&["--fp16"]).unwrap().engine.model;
        let cpu = Device::flex();
        assert_eq!(half.compute_type(&cpu), ComputeType::Float32);
        assert!(half.warning(&cpu).unwrap().contains("FP32"));
    }
}
