//! What to do about what is wrong.

use whisper_rs::device::DeviceKind;

use super::Report;
use super::devices::{Examined, Refused, Status};
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
    let devices = &report.devices;
    let mut lines: Vec<String> = devices.devices.iter().filter_map(examined).collect();
    let is_gpu = |device: &Examined| device.kind == DeviceKind::Gpu && device.passed();
    let has_gpu = devices.devices.iter().any(is_gpu);
    lines.extend((devices.refused.iter()).filter_map(|refused| not_examined(refused, has_gpu)));
    let driver = &report.system.nvidia_driver;
    let is_compiled_in = |name: &str| report.backends.contains(&name);
    if driver.is_some() && !is_compiled_in("cuda") && !is_compiled_in("wgpu") {
        lines.push(
            "this machine has an NVIDIA GPU that this build cannot use: build with --features cuda (docs/building.md)"
                .to_owned(),
        );
    }
    lines
}

/// What to do about a device that was found.
fn examined(device: &Examined) -> Option<String> {
    let (name, test) = (&device.name, &device.self_test);
    let is_cpu = device.kind == DeviceKind::Cpu;
    let without = "--device cpu does without it";
    match (test.passed, test.failed()) {
        (true, _) => (device.kind == DeviceKind::SoftwareRasteriser).then(|| {
            format!(
                "{name} computes on the processor, and slower than --device cpu: for a graphics card install its Vulkan driver"
            )
        }),
        (false, _) if is_cpu => Some(format!(
            "{name} does not compute right: please report this, with this report"
        )),
        (false, true) if test.result.to_lowercase().contains("nvrtc") => Some(format!(
            "{name} compiles its kernels by NVIDIA's NVRTC library, and that failed: install it (it is part of the CUDA toolkit) where the loader finds it, such as by LD_LIBRARY_PATH; {without}"
        )),
        (false, true) => Some(format!(
            "{name} fails when it is used ({}): see that its driver is whole and that other programs leave it memory; {without}",
            test.result
        )),
        (false, false) => Some(format!(
            "{name} does not compute right: update its driver; {without}"
        )),
    }
}

/// What to do about a device that was not examined. One GPU is enough: that a backend finds none then needs nothing to be done.
fn not_examined(refused: &Refused, has_gpu: bool) -> Option<String> {
    let name = &refused.name;
    match refused.status {
        Status::Untested => None,
        Status::Unusable => Some(format!("{name} cannot be used: {}", refused.reason)),
        Status::Absent if has_gpu => None,
        Status::Absent => {
            let kind = name.split(':').next().unwrap_or_default();
            let needs = match kind {
                "cuda" => {
                    "NVIDIA's driver (nvidia-smi shows whether it is there), and its NVRTC library"
                }
                "metal" => "macOS on a machine with a Metal GPU",
                _ => {
                    "the graphics card's Vulkan driver and the Vulkan loader (vulkaninfo shows whether they are there)"
                }
            };
            Some(format!("{kind} finds no GPU: it needs {needs}"))
        }
    }
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
    // A folder that cannot be written may be on a file system that has no room at all.
    let free = (storage.free_bytes).filter(|_| storage.problem.is_none());
    if let Some(free) = free.filter(|&free| free < LITTLE_ROOM) {
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
    use whisper_rs::Error;

    use super::super::devices::{Devices, SelfTestReport};
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

    fn refused(name: &str, status: Status) -> Refused {
        Refused {
            name: name.to_owned(),
            status,
            reason: "the reason".to_owned(),
        }
    }

    /// A GPU whose self-test ended so.
    fn gpu(name: &str, self_test: SelfTestReport) -> Examined {
        Examined {
            name: name.to_owned(),
            description: "a card".to_owned(),
            kind: DeviceKind::Gpu,
            target: None,
            driver: None,
            memory_bytes: None,
            compute_types: Vec::new(),
            self_test,
        }
    }

    fn failed(message: &str) -> SelfTestReport {
        SelfTestReport::new(Err(Error::Device(message.to_owned())))
    }

    #[test]
    fn a_backend_without_a_gpu_says_what_it_needs_unless_another_has_one() {
        for (name, says) in [("cuda", "nvidia-smi"), ("vulkan", "vulkaninfo")] {
            let mut report = healthy();
            (report.devices.refused).push(refused(name, Status::Absent));
            let lines = advice(&report);
            assert!(lines.len() == 1 && lines[0].contains(says), "{lines:?}");

            let mut wrong = failed("");
            wrong.seconds = Some(0.1);
            report.devices.devices.push(gpu("metal:0", wrong));
            let lines = advice(&report);
            assert_eq!(lines.len(), 2, "{lines:?}");
            assert!(lines[0].contains("update its driver"), "{lines:?}");

            report.devices.devices[0].self_test.passed = true;
            assert_eq!(advice(&report), Vec::<String>::new());
        }
    }

    #[test]
    fn what_cannot_be_used_says_why_and_what_is_not_tested_nothing() {
        let mut report = healthy();
        (report.devices.refused).push(refused("vulkan:0", Status::Untested));
        assert_eq!(advice(&report), Vec::<String>::new());
        (report.devices.refused).push(refused("cuda:7", Status::Unusable));
        assert_eq!(advice(&report), ["cuda:7 cannot be used: the reason"]);
    }

    #[test]
    fn a_gpu_that_fails_is_not_one_that_computes_wrong() {
        for (message, says) in [
            (
                "Unable to dynamically load the \"nvrtc\" shared library",
                "CUDA toolkit",
            ),
            ("out of memory", "out of memory"),
        ] {
            let mut report = healthy();
            report.devices.devices.push(gpu("cuda:0", failed(message)));
            let lines = advice(&report);
            assert!(lines.len() == 1 && lines[0].contains(says), "{lines:?}");
            assert!(!lines[0].contains("compute right"), "{lines:?}");
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_one_line() {
        let mut report = healthy();
        report.storage.problem = Some("/proc/none cannot be written".to_owned());
        report.storage.free_bytes = Some(0);
        let lines = advice(&report);
        assert!(
            lines.len() == 1 && lines[0].contains("/proc/none"),
            "{lines:?}"
        );
    }
}
