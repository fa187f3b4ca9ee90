//! `--compute_type` and `--fp16`: the numbers that a model computes in.

/// whisper-ctranslate2's names, of which those in [`SERVED`] can be had.
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

/// What this build computes in, and the names that leave the choice to it.
const SERVED: [&str; 3] = ["float32", "auto", "default"];

/// Refuses a precision that cannot be had. Says in one line what can.
pub fn check(compute_type: &str) -> Result<(), String> {
    if SERVED.contains(&compute_type) {
        return Ok(());
    }
    Err(format!(
        "not supported yet: --compute_type {compute_type}; models compute in float32: give {}",
        SERVED.join(", ")
    ))
}

/// What `--fp16 True` asks for on a device: openai/whisper computes in f32 on the CPU all the same, with a warning.
///
/// # Errors
///
/// A line on any other device, where f16 would be meant.
pub fn fp16_warning(device: &str) -> Result<&'static str, String> {
    match device {
        "auto" | "cpu" => Ok("FP16 is not supported on the CPU; using FP32 instead"),
        _ => Err(format!(
            "not supported yet: --fp16 True on {device}; models compute in float32: give --fp16 False"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn float32_by_any_of_its_names() {
        for name in KNOWN {
            let served = ["float32", "auto", "default"].contains(&name);
            assert_eq!(check(name).is_ok(), served, "{name}");
        }
        assert!(check("int8").unwrap_err().contains("give float32"));
        assert!(fp16_warning("cpu").is_ok());
        assert!(fp16_warning("cuda:1").unwrap_err().contains("--fp16 False"));
    }
}
