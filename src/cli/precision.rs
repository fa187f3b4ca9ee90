//! `--compute_type` and `--fp16`: the numbers that a model computes in.

use whisper_rs::ComputeType;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_beside_half_precision_are_refused_by_name() {
        for name in KNOWN {
            let message = compute_type(name).err();
            let refused = ["int8_float16", "int8_bfloat16"].contains(&name);
            assert_eq!(message.is_some(), refused, "{name}");
        }
        let message = compute_type("int8_float16").unwrap_err();
        assert!(message.contains("give auto, float32"), "{message}");
        assert_eq!(compute_type("int8_float32"), Ok(ComputeType::Int8));
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
