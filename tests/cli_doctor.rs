//! `whisper-rs doctor`: what a user is told of a machine that is well, and of one that is not.
#![cfg(feature = "cli")]

mod common;

use std::path::Path;
use std::process::Command;

use common::{Run, run, whisper_rs};
use serde_json::Value;

/// `doctor` on the CPU with a cache of its own.
fn doctor(cache: &Path, flags: &[&str]) -> Command {
    let mut command = whisper_rs(&["doctor", "--device", "cpu"]);
    command.args(flags).env("WHISPER_RS_CACHE", cache);
    // Nor are other programs' models there.
    command
        .env("HF_HUB_CACHE", cache.join("hub"))
        .env("HF_HOME", cache);
    command
}

fn finish(command: &mut Command) -> Run {
    Run::of(command.output().expect("the command starts"))
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

/// Whether a line of the advice has these words.
fn advises(report: &Value, words: &str) -> bool {
    let lines = report["advice"]
        .as_array()
        .unwrap_or_else(|| panic!("{report}"));
    let has = |line: &Value| line.as_str().is_some_and(|line| line.contains(words));
    lines.iter().any(has)
}

#[test]
fn a_machine_that_is_well_can_transcribe() {
    let cache = tempfile::tempdir().unwrap();
    let run = finish(&mut doctor(cache.path(), &["--json"]));
    let report = json(run.succeeded());
    assert_eq!(report["can_transcribe"], true);
    assert_eq!(report["backends"][0], "cpu");
    assert_eq!(report["devices"].as_array().map(Vec::len), Some(1));
    let cpu = &report["devices"][0];
    assert_eq!((&cpu["name"], &cpu["kind"]), (&"cpu".into(), &"cpu".into()));
    assert_eq!(cpu["self_test"]["passed"], true);
    assert_eq!(cpu["self_test"]["largest_relative_error"], 0.0);
    assert!(cpu["self_test"]["seconds"].as_f64().unwrap() > 0.0);
    assert!(report["system"]["cores"].as_u64().unwrap() > 0);
    assert!(report["storage"]["free_bytes"].as_u64().unwrap() > 0);
    assert_eq!(report["storage"]["folder"], cache.path().to_str().unwrap());
    // The cache is empty, which is no obstacle where one can be fetched.
    assert_eq!(report["storage"]["models"], Value::Array(Vec::new()));
    assert!(advises(&report, "models fetch base"));
    // It only looks.
    assert_eq!(std::fs::read_dir(cache.path()).unwrap().count(), 0);
}

#[test]
fn models_that_are_here_are_listed_with_their_size() {
    let tiny = common::model("tiny.en");
    let run = run(&["doctor", "--json", "--device", "cpu"]);
    let report = json(run.succeeded());
    let models = report["storage"]["models"].as_array().unwrap();
    let model = models.iter().find(|model| model["name"] == tiny).unwrap();
    assert!(model["bytes"].as_u64().unwrap() > 10_000_000, "{model}");
    assert!(!advises(&report, "no model"), "{report}");
}

#[test]
fn every_device_of_this_build_is_examined_and_named_in_the_report() {
    let run = run(&["doctor"]);
    let text = &run.succeeded().stdout;
    for backend in whisper_rs::device::BACKENDS {
        let told = |line: &str| line.starts_with(backend);
        assert!(text.lines().any(told), "{backend}: {text}");
    }
    // A driver that computes on the processor is there, and left alone.
    let software = (text.lines()).filter(|line| line.contains("is a software rasteriser"));
    for line in software {
        assert!(line.contains("not tested: "), "{line}");
    }
    assert!(text.contains("self-test passed in"), "{text}");
    assert!(text.ends_with("This machine can transcribe.\n"), "{text}");
    // In a first run a GPU may be waited for.
    #[cfg(not(any(feature = "cuda", feature = "wgpu")))]
    assert_eq!(run.stderr, "");
}

#[test]
fn a_cache_that_cannot_be_written_is_told_and_fails_where_no_model_is_here() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let run = finish(&mut doctor(&file.join("cache"), &["--json"]));
    assert_eq!(run.code, Some(1), "{run:?}");
    let report = json(&run);
    assert_eq!(report["can_transcribe"], false);
    assert!(advises(&report, "--model_dir"), "{report}");
    // One cause is told once.
    assert!(!advises(&report, "the disk of the cache"), "{report}");

    let run = finish(&mut doctor(folder.path(), &["--offline"]));
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stdout.contains("--offline forbids"), "{run:?}");
    assert!(run.stdout.ends_with("cannot transcribe yet.\n"), "{run:?}");
}

#[test]
#[cfg(unix)]
fn a_missing_ffmpeg_is_told_and_no_obstacle() {
    let cache = tempfile::tempdir().unwrap();
    let mut command = doctor(cache.path(), &["--json"]);
    let run = finish(command.env("PATH", cache.path()));
    let report = json(run.succeeded());
    assert_eq!(report["ffmpeg"], Value::Null);
    assert!(advises(&report, "ffmpeg is not installed"), "{report}");
}

#[test]
#[cfg(feature = "wgpu")]
fn a_gpu_that_is_not_there_is_told_by_its_number() {
    let run = run(&["doctor", "--device", "wgpu:77", "--json"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let report = json(&run);
    let refused = &report["refused"][0];
    assert_eq!(refused["name"], "wgpu:77");
    let has_others = refused["status"] == "unusable";
    assert!(has_others || refused["status"] == "absent", "{report}");
    assert_eq!(
        advises(&report, "wgpu:77 cannot be used"),
        has_others,
        "{report}"
    );
    assert_eq!(advises(&report, "finds no GPU"), !has_others, "{report}");
}

#[test]
#[cfg(feature = "wgpu")]
fn a_software_driver_that_is_named_is_tested_and_told_with_its_driver() {
    let run = run(&["doctor", "--device", "wgpu", "--json"]);
    let report = json(&run);
    let Some(device) = report["devices"].get(0) else {
        return;
    };
    assert_eq!(device["self_test"]["passed"], true, "{report}");
    assert!(
        device["driver"]
            .as_str()
            .is_some_and(|driver| !driver.is_empty()),
        "{report}"
    );
    let software = device["kind"] == "software_rasteriser";
    assert_eq!(
        advises(&report, "computes on the processor"),
        software,
        "{report}"
    );
}

#[test]
fn a_device_that_nobody_knows_is_a_wrong_command_line() {
    let line = run(&["doctor", "--device", "abacus"])
        .one_error(2)
        .to_owned();
    assert!(line.contains("auto, cpu"), "{line}");
    #[cfg(not(feature = "cuda"))]
    {
        let line = run(&["doctor", "--device", "cuda"]).one_error(2).to_owned();
        assert!(line.contains("not compiled into this build"), "{line}");
    }
}
