//! A long recording takes no more memory than a short one.
#![cfg(feature = "cli")]
#![cfg(target_os = "linux")]

mod common;

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use common::{data, model, wav, whisper_rs};

/// jfk.wav over and over, for so many minutes.
fn repeated(path: &Path, minutes: usize) {
    let clip = wav::read_pcm16(&data("jfk.wav"));
    let samples = minutes * 60 * 16_000;
    // The header alone, and then the samples one after the other.
    let mut header = wav::pcm16(1, 16_000, &[]);
    let bytes = (samples * 2) as u32;
    header[4..8].copy_from_slice(&(bytes + 36).to_le_bytes());
    header[40..44].copy_from_slice(&bytes.to_le_bytes());
    let mut file = BufWriter::new(File::create(path).unwrap());
    file.write_all(&header).unwrap();
    for sample in clip.iter().cycle().take(samples) {
        file.write_all(&sample.to_le_bytes()).unwrap();
    }
    file.flush().unwrap();
}

/// The peak of a process's resident memory in MB, when it has ended.
fn peak_memory(child: &mut Child) -> f64 {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0;
    while child.try_wait().unwrap().is_none() {
        let now = fs::read_to_string(&status).ok().and_then(|status| {
            let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
            line.split_whitespace().nth(1)?.parse::<f64>().ok()
        });
        peak = now.map_or(peak, |kilobytes| kilobytes / 1000.0);
        thread::sleep(Duration::from_millis(20));
    }
    assert!(child.wait().unwrap().success());
    peak
}

/// The peak of a greedy run over so many minutes, which writes every format.
fn peak_for(minutes: usize, flags: &[&str]) -> (f64, usize) {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("long.wav");
    repeated(&clip, minutes);
    let common = [
        "transcribe",
        "-m",
        model("tiny.en"),
        "--beam_size=None",
        "--best_of=None",
        "--temperature_increment_on_fallback=None",
        "-f",
        "all,json-full,jsonl,csv,lrc,ass",
        "-q",
        "-o",
        folder.path().to_str().unwrap(),
        clip.to_str().unwrap(),
    ];
    let mut child = whisper_rs(&[&common, flags].concat())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let peak = peak_memory(&mut child);
    let text = fs::read_to_string(folder.path().join("long.txt")).unwrap();
    (peak, text.matches("country").count())
}

#[track_caller]
fn assert_grows_by_less_than(most: f64, (one, many): (f64, f64), minutes: usize) {
    println!("peak memory: {one:.0} MB for a minute, {many:.0} MB for {minutes}");
    assert!(many - one < most, "{one:.0} MB and {many:.0} MB");
}

#[track_caller]
fn assert_all_grows_by_less_than(most: f64, minutes: usize) {
    let peak = |minutes| {
        let (peak, said) = peak_for(minutes, &[]);
        assert!(said > minutes * 5, "{said} times in {minutes} minutes");
        peak
    };
    assert_grows_by_less_than(most, (peak(1), peak(minutes)), minutes);
}

/// All of an hour is decoded, and its features are computed; little of it is transcribed. Its samples are 115 MB as they are
/// stored, its features as many.
#[test]
fn an_hour_of_audio_takes_no_more_memory_than_a_minute() {
    let peak = |minutes, clips| {
        let (peak, said) = peak_for(minutes, &["--clip_timestamps", clips]);
        assert!(said > 2, "{said} times");
        peak
    };
    let peaks = (peak(1, "0,22"), peak(60, "0,11,3578,3589"));
    assert_grows_by_less_than(40.0, peaks, 60);
}

#[test]
fn five_minutes_take_no_more_memory_than_one() {
    assert_all_grows_by_less_than(50.0, 5);
}

#[test]
#[ignore = "takes half an hour"]
fn three_hours_take_little_more_memory_than_a_minute() {
    assert_all_grows_by_less_than(200.0, 180);
}
