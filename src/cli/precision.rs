//! `--compute_type` and `--fp16`: the numbers that a model computes in.

use burn::tensor::{DType, Device};
use whisper_rs::ComputeType;
use whisper_rs::device::is_gpu;

/// whisper-ctranslate2's names.
pub const KNOWN: [&str; 10] = [
    "default",
    "auto",
    "int8",
    "int8_float16",
    "int8_bfloat16",
    "int8_float32",
    "int16",
    "float16",
    "float32",
    "bfloat16",
];

/// The compute type of a name that is known. Says in one line what can be had instead of those that cannot.
pub fn compute_type(name: &str) -> Result<ComputeType, String> {
    name.parse().map_err(|_| {
        format!(
            "not supported yet: --compute_type {name}; give {} or default",
            ComputeType::NAMES.join(", ")
        )
    })
}

/// What `--fp16` stands for on a GPU or elsewhere, where `--compute_type` leaves it open. openai/whisper computes in f32 on the
/// CPU all the same, with a warning, which comes along.
pub fn of_fp16(fp16: bool, on_gpu: bool) -> (ComputeType, Option<&'static str>) {
    match (fp16, on_gpu) {
        (false, _) => (ComputeType::Float32, None),
        (true, false) => (
            ComputeType::Float32,
            Some("FP16 is not supported on the CPU; using FP32 instead"),
        ),
        (true, true) => (ComputeType::Float16, None),
    }
}

/// What stands for a type in integers on a device: only the CPU computes in them, and elsewhere there is the nearest that is
/// supported, as CTranslate2 has it, with a warning that comes along.
pub fn of_integers(integers: ComputeType, device: &Device) -> (ComputeType, Option<&'static str>) {
    let half = DType::F16;
    match (*device == Device::flex(), is_gpu(device)) {
        (true, _) => (integers, None),
        (false, true) if device.supports_dtype(half) => (
            ComputeType::Float16,
            Some("integers are computed on the CPU alone; using float16 instead"),
        ),
        _ => (
            ComputeType::Float32,
            Some("integers are computed on the CPU alone; using float32 instead"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_compute_type() {
        for name in KNOWN {
            let integers = name.starts_with("int8");
            let read = compute_type(name).unwrap();
            assert_eq!(read == ComputeType::Int8, integers, "{name}");
        }
        let message = compute_type("int4").unwrap_err();
        assert!(message.contains("give auto, float32"), "{message}");
        let cpu = Device::flex();
        assert_eq!(
            of_integers(ComputeType::Int16, &cpu),
            (ComputeType::Int16, None)
        );
    }

    #[test]
    fn half_precision_is_for_gpus() {
        assert_eq!(of_fp16(false, true).0, ComputeType::Float32);
        assert_eq!(of_fp16(true, true), (ComputeType::Float16, None));
        let (compute_type, warning) = of_fp16(true, false);
        assert_eq!(compute_type, ComputeType::Float32);
        assert!(warning.unwrap().contains("FP32"));
    }
}
