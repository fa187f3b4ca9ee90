//! The machine itself: system, processor, memory, NVIDIA's driver.

use std::fs;

use serde::Serialize;
use whisper_rs::{measure, threads};

/// What the machine is.
#[derive(Debug, Serialize)]
pub struct System {
    /// Operating system and architecture.
    pub platform: String,
    /// The processor's name, where the system tells.
    pub processor: Option<String>,
    /// Physical cores that this process may use: as many threads `--threads 0` takes.
    pub cores: usize,
    /// The widest vector instructions that the kernels know and the processor has.
    pub vectors: &'static str,
    pub memory_bytes: Option<u64>,
    pub available_memory_bytes: Option<u64>,
    /// The version of NVIDIA's kernel driver, if it is loaded.
    pub nvidia_driver: Option<String>,
}

impl System {
    pub fn find() -> Self {
        let memory = measure::system_memory();
        System {
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            processor: read("/proc/cpuinfo").and_then(|info| processor_name(&info)),
            cores: threads::physical_cores(),
            vectors: vectors(),
            memory_bytes: memory.map(|memory| memory.total),
            available_memory_bytes: memory.map(|memory| memory.available),
            nvidia_driver: read("/proc/driver/nvidia/version")
                .and_then(|text| driver_version(&text)),
        }
    }
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn processor_name(info: &str) -> Option<String> {
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    let (_, name) = line.split_once(':')?;
    Some(name.trim().to_owned())
}

/// The first word that is digits with dots: `580.95.05` of `NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.95.05  ...`.
fn driver_version(text: &str) -> Option<String> {
    let is_version = |word: &&str| {
        word.contains('.')
            && word
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    let mut words = text.lines().next()?.split_whitespace();
    words.find(is_version).map(str::to_owned)
}

/// What rten-simd compiles for is chosen by these.
fn vectors() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
        {
            return "AVX-512";
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return "AVX2";
        }
        NO_VECTORS
    }
    #[cfg(target_arch = "aarch64")]
    return "NEON";
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return NO_VECTORS;
}

/// What is said of a processor without vectors that the kernels know.
pub const NO_VECTORS: &str = "none";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_s_version_is_found() {
        for text in [
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.95.05  Tue Sep 23 UTC 2025\nGCC version: 12.2.0",
            "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build",
        ] {
            assert_eq!(driver_version(text).as_deref(), Some("580.95.05"));
        }
        assert_eq!(driver_version("no version"), None);
        assert_eq!(driver_version(""), None);
    }

    #[test]
    fn a_processor_s_name_is_found() {
        let info = "processor\t: 0\nmodel name\t: AMD EPYC 9R14\nmodel name\t: other\n";
        assert_eq!(processor_name(info).as_deref(), Some("AMD EPYC 9R14"));
        assert_eq!(processor_name("processor: 0"), None);
    }
}
