//! The report for people.

use super::Report;
use super::devices::{Examined, Status};
use crate::cli::bench::report::{bytes, time};

/// The report as lines: what there is, and the advice at its end.
pub fn text(report: &Report) -> String {
    let mut lines = vec![format!("whisper-rs {}", report.version)];
    lines.extend(machine(report));
    lines.push(format!("\nbackends    {}", report.backends.join(", ")));
    for device in &report.devices.devices {
        lines.extend(examined(device));
    }
    for refused in &report.devices.refused {
        let status = match refused.status {
            Status::Absent => "not found",
            Status::Unusable => "cannot be used",
            Status::Untested => "not tested",
        };
        let (name, reason) = (&refused.name, &refused.reason);
        lines.push(format!("{name:<11} {status}: {reason}"));
    }
    lines.extend(storage(report));
    let ffmpeg = report.ffmpeg.as_deref().unwrap_or("not installed");
    lines.push(format!("ffmpeg      {ffmpeg}"));
    lines.push(String::new());
    lines.extend(report.advice.iter().map(|line| format!("! {line}")));
    lines.push(match report.can_transcribe {
        true => "This machine can transcribe.".to_owned(),
        false => "This machine cannot transcribe yet.".to_owned(),
    });
    lines.join("\n")
}

fn machine(report: &Report) -> Vec<String> {
    let system = &report.system;
    let mut lines = vec![
        format!("system      {}", system.platform),
        format!(
            "processor   {}, physical cores to use: {}, vectors: {}",
            system.processor.as_deref().unwrap_or("name not known"),
            system.cores,
            system.vectors
        ),
        format!(
            "memory      {}, of which {} are free",
            known(system.memory_bytes),
            known(system.available_memory_bytes)
        ),
    ];
    let driver = system.nvidia_driver.iter();
    lines.extend(driver.map(|version| format!("driver      NVIDIA {version}")));
    lines
}

fn examined(device: &Examined) -> Vec<String> {
    let mut about = device.description.clone();
    if let Some(memory) = device.memory_bytes {
        about += &format!(", {}", bytes(memory));
    }
    if let Some(target) = &device.target {
        about += &format!(", kernels for {target}");
    }
    let test = &device.self_test;
    let verdict = if test.passed { "passed" } else { "FAILED" };
    let took = test.seconds.map(|seconds| format!(" in {}", time(seconds)));
    let mut lines = vec![format!("{:<11} {about}", device.name)];
    let driver = device.driver.iter();
    lines.extend(driver.map(|driver| format!("            driver: {driver}")));
    lines.push(format!(
        "            computes in {}",
        device.compute_types.join(", ")
    ));
    lines.push(format!(
        "            self-test {verdict}{}: {}",
        took.unwrap_or_default(),
        test.result
    ));
    lines
}

fn storage(report: &Report) -> Vec<String> {
    let storage = &report.storage;
    let folder = storage.folder.as_deref();
    let folder = folder.map_or("not known".to_owned(), |folder| {
        folder.display().to_string()
    });
    let mut lines = vec![format!(
        "\ncache       {folder}, {} free on its disk",
        known(storage.free_bytes)
    )];
    for model in &storage.models {
        let folder = model.folder.display();
        lines.push(format!(
            "            {} {}, {folder}",
            model.name,
            bytes(model.bytes)
        ));
    }
    if storage.models.is_empty() {
        lines.push("            no models".to_owned());
    }
    if let Some(kernels) = &storage.kernels {
        let folder = kernels.folder.display();
        let kept = bytes(kernels.bytes);
        lines.push(format!("            compiled kernels {kept}, {folder}"));
    }
    lines
}

fn known(value: Option<u64>) -> String {
    value.map_or("not known".to_owned(), bytes)
}
