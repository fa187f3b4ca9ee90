//! What to do about what is wrong.

use whisper_rs::device::DeviceKind;

use super::Report;
use super::system::NO_VECTORS;
use crate::cli::bench::report::bytes;

/// Less free memory than this does not hold the default model and its work in float32.
const LITTLE_MEMORY: u64 = 1_000_000_000;

/// Less room than this does not hold the larger models.
const LITTLE_ROOM: u64 = 4_000_000_000;

/// One line for each thing that is wrong, the most important first; none where all is well.
pub fn advice(report: &Report) -> Vec<String> {
    let parts = [devices(report), models(report), machine(report)];
    parts.into_iter().flatten().collect()
}

fn devices(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    let is_compiled_in = |name: &str| report.backends.contains(&name);
    for device in &report.devices.devices {
        if !device.passed() {
            lines.push(match device.kind {
                DeviceKind::Cpu => format!(
                    "{} does not compute right: please report this, with this report",
                    device.name
                ),
                _ => format!(
                    "{} does not compute right: update its driver; --device cpu does without it",
                    device.name
                ),
            });
        } else if device.kind == DeviceKind::SoftwareRasteriser {
            lines.push(format!(
                "{} computes on the processor, and slower than --device cpu: for a graphics card install its Vulkan driver",
                device.name
            ));
        }
    }
    for refused in &report.devices.refused {
        let kind = refused.name.split(':').next().unwrap_or_default();
        let install = match kind {
            "cuda" => {
                "NVIDIA's driver (nvidia-smi shows whether it is there), and its NVRTC library"
            }
            "metal" => "macOS on a machine with a Metal GPU",
            _ => {
                "the graphics card's Vulkan driver and the Vulkan loader (vulkaninfo shows whether they are there)"
            }
        };
        lines.push(format!("{kind} finds no GPU: it needs {install}"));
    }
    let driver = &report.system.nvidia_driver;
    if driver.is_some() && !is_compiled_in("cuda") && !is_compiled_in("wgpu") {
        lines.push(
            "this machine has an NVIDIA GPU that this build cannot use: build with --features cuda (docs/building.md)"
                .to_owned(),
        );
    }
    lines
}

fn models(report: &Report) -> Vec<String> {
    let storage = &report.storage;
    let mut lines = Vec::new();
    if let Some(problem) = &storage.problem {
        lines.push(format!(
            "models cannot be fetched: {problem}; give another folder by --model_dir or WHISPER_RS_CACHE"
        ));
    } else if storage.models.is_empty() {
        lines.push(match storage.offline {
            true => "no model is here, and --offline forbids to fetch one: fetch one where there is a network, or give --model a path".to_owned(),
            false => "no model is here yet: the first run fetches one, and whisper-rs models fetch base does so now".to_owned(),
        });
    }
    if let Some(free) = storage.free_bytes.filter(|&free| free < LITTLE_ROOM) {
        lines.push(format!(
            "the disk of the cache has {} left, less than large models take: make room, or give another folder by --model_dir",
            bytes(free)
        ));
    }
    lines
}

fn machine(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    let memory = report.system.available_memory_bytes;
    if let Some(memory) = memory.filter(|&memory| memory < LITTLE_MEMORY) {
        lines.push(format!(
            "{} of memory are free: use a small model, such as --model tiny",
            bytes(memory)
        ));
    }
    if report.system.vectors == NO_VECTORS {
        lines.push(
            "this processor has no vector instructions that are used here (AVX2, AVX-512, NEON): the CPU device will be slow"
                .to_owned(),
        );
    }
    if report.ffmpeg.is_none() {
        lines.push(
            "ffmpeg is not installed: Opus and other formats that are not decoded here need it (docs/audio.md)"
                .to_owned(),
        );
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::devices::{Devices, Refused};
    use super::super::storage::{Model, Storage};
    use super::super::system::System;
    use super::*;

    fn healthy() -> Report {
        let mut system = System::find();
        system.available_memory_bytes = Some(8_000_000_000);
        system.nvidia_driver = None;
        system.vectors = "AVX2";
        Report {
            version: "0",
            system,
            backends: &["cpu"],
            devices: Devices::default(),
            storage: Storage {
                free_bytes: Some(50_000_000_000),
                models: vec![Model {
                    name: "base".to_owned(),
                    folder: "base".into(),
                    bytes: 1,
                }],
                ..Storage::default()
            },
            ffmpeg: Some("ffmpeg version 7".to_owned()),
            advice: Vec::new(),
            can_transcribe: true,
        }
    }

    #[test]
    fn where_all_is_well_there_is_none() {
        assert_eq!(advice(&healthy()), Vec::<String>::new());
    }

    #[test]
    fn each_thing_that_is_wrong_has_a_line() {
        type Spoil = fn(&mut Report);
        let spoil: [(Spoil, &str); 7] = [
            (|r| r.ffmpeg = None, "ffmpeg"),
            (|r| r.storage.models.clear(), "models fetch base"),
            (|r| r.storage.problem = Some("full".into()), "--model_dir"),
            (|r| r.storage.free_bytes = Some(5_000_000), "5000 kB"),
            (|r| r.system.vectors = NO_VECTORS, "slow"),
            (
                |r| r.system.available_memory_bytes = Some(1),
                "--model tiny",
            ),
            (
                |r| r.system.nvidia_driver = Some("580.1".into()),
                "--features cuda",
            ),
        ];
        for (spoil, says) in spoil {
            let mut report = healthy();
            spoil(&mut report);
            let lines = advice(&report);
            assert!(lines.len() == 1 && lines[0].contains(says), "{lines:?}");
        }
    }

    #[test]
    fn a_backend_without_a_gpu_says_what_it_needs() {
        for (kind, says) in [("cuda", "nvidia-smi"), ("vulkan", "vulkaninfo")] {
            let mut report = healthy();
            report.devices.refused.push(Refused {
                name: format!("{kind}:0"),
                reason: "none".to_owned(),
            });
            let lines = advice(&report);
            assert!(lines.len() == 1 && lines[0].contains(says), "{lines:?}");
        }
    }
}
