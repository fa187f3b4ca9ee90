//! A user loads a model on a machine with little memory.
#![cfg(target_os = "linux")]

mod support;

use support::real_model;

/// A line of `/proc/self/status` in bytes.
fn status(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(key)).unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        * 1024
}

/// Converting base to f32 tensor by tensor, as a loader does that hands each one to the device,
/// stays under 1.3 times the file's size, the mapped pages included. The only test of its file, so
/// that the process is its own.
#[test]
fn loading_base_tensor_by_tensor_peaks_under_1_3_times_its_file() {
    let checkpoint = real_model("base");
    let before = status("VmRSS:");
    // Begins a new count of the peak.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let mut sum = 0.0;
    for name in checkpoint.tensor_names() {
        let values = checkpoint.tensor(name).unwrap().to_f32();
        sum += values.iter().map(|&value| f64::from(value)).sum::<f64>();
        drop(values);
        checkpoint.release_pages();
    }
    assert!(sum.is_finite());
    let peak = status("VmHWM:").saturating_sub(before);
    let size = checkpoint.file_size();
    println!(
        "peak {} MB beyond the {} MB of the process, for a file of {} MB: {:.2}",
        peak / 1_000_000,
        before / 1_000_000,
        size / 1_000_000,
        peak as f64 / size as f64
    );
    assert!(10 * peak < 13 * size, "{peak} bytes for a file of {size}");
    // The measurement sees what it should: at least the largest tensor in both types.
    let embedding = checkpoint.tensor("decoder.token_embedding.weight").unwrap();
    assert!(peak > 4 * embedding.len() as u64, "{peak}");
}
