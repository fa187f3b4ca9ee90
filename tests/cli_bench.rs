//! `whisper-rs bench`: the reports that a user gets.
#![cfg(feature = "cli")]

mod common;

use common::{Run, data, model, run};
use serde_json::Value;

fn report(arguments: &[&str]) -> Value {
    let run: Run = run(arguments);
    assert_eq!(run.code, Some(0), "{run:?}");
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

fn number(value: &Value, path: &str) -> f64 {
    let found = value.pointer(path).and_then(Value::as_f64);
    found.unwrap_or_else(|| panic!("no {path} in {value}"))
}

#[test]
fn the_frontend_beside_the_same_composed_of_operations() {
    let clip = data("jfk.wav");
    let clip = clip.to_str().unwrap();
    let found = report(&["bench", "frontend", clip, "--runs", "2", "--json"]);
    assert_eq!(number(&found, "/audio_seconds"), 11.0);
    assert!(number(&found, "/fused/time/median") > 0.0);
    assert!(number(&found, "/largest_difference") < 1e-4);
}

#[test]
fn a_network_of_random_weights() {
    let flags = "bench --random_weights tiny --tokens 2 --runs 1 --json";
    let found = report(&flags.split(' ').collect::<Vec<_>>());
    assert_eq!(found["random_weights"], true);
    // Where there is no GPU, `auto` is named by what it chose.
    assert_ne!(found["device"], "auto");
    #[cfg(not(any(feature = "cuda", feature = "wgpu")))]
    assert!(found["device"] == "cpu" && found["device_description"].is_null());
    // tiny has 39 million parameters, of which the encoder's table of positions is none.
    assert!((36e6..40e6).contains(&number(&found, "/parameters")));
    assert!(number(&found, "/batches/0/encoder/time/median") > 0.0);
    assert!(number(&found, "/batches/0/step/time/median") > 0.0);
}

#[test]
fn a_network_that_cannot_be_measured_is_refused_before_it_is_made() {
    // A model of that size would not be made in the time of a test, and its batch in no memory.
    for (model, flags, says) in [
        ("huge", "", "large-v3-turbo"),
        ("large-v3", " --batch 0", "--batch 0: between 1 and 1024"),
        (
            "large-v3",
            " --batch 1 1000000",
            "--batch 1000000: between 1 and 1024",
        ),
        ("large-v3", " --tokens 0", "--tokens 0: between 1 and 439"),
        (
            "large-v3",
            " --tokens 440",
            "--tokens 440: between 1 and 439",
        ),
        ("large-v3", " --runs 0", "--runs: at least 1"),
        ("large-v3", " --device abacus", "'abacus' is unknown"),
    ] {
        let flags = format!("bench network --random_weights {model}{flags}");
        let run = run(&flags.split(' ').collect::<Vec<_>>());
        let line = run.one_error(2);
        assert!(line.contains(says), "{flags}: {line}");
    }
    let memory = whisper_rs::measure::system_memory();
    if memory.is_some_and(|memory| memory.available < 500_000_000_000) {
        let flags = "bench network --random_weights large-v3 --device cpu --batch 1024";
        let run = run(&flags.split(' ').collect::<Vec<_>>());
        let line = run.one_error(2);
        assert!(
            line.contains("--batch 1024: takes") && line.contains("give a smaller one"),
            "{line}"
        );
    }
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let clip = data("jfk.wav");
    let clip = clip.to_str().unwrap();
    for (flags, code, message) in [
        ("--runs 0", 2, "at least 1"),
        ("--seconds 62500", 2, "between 0.02 and 3600"),
        ("--seconds 62500 --fused_only", 2, "between 0.02 and 36000"),
        ("--seconds nan", 2, "between 0.02"),
        ("--n_mels 64", 2, "80 or 128"),
        ("--device tpu", 2, "'tpu' is unknown"),
        ("--features /no/such/folder/features", 1, "/no/such/folder"),
    ] {
        let arguments: Vec<&str> = ["bench", "frontend", clip]
            .into_iter()
            .chain(flags.split(' '))
            .collect();
        let run = run(&arguments);
        let line = run.one_error(code);
        assert!(line.contains(message), "{flags}: {line}");
    }
    let missing = run(&["bench", "frontend", "no such file"]);
    assert!(missing.one_error(1).contains("no such file"));
}

#[test]
fn the_features_are_written_as_they_lie_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let features = folder.path().join("features.f32");
    let clip = data("jfk.wav");
    let arguments = ["bench", "frontend", clip.to_str().unwrap(), "--runs", "1"];
    let more = ["--fused_only", "--features", features.to_str().unwrap()];
    let run = run(&[&arguments[..], &more].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    let bytes = std::fs::read(features).unwrap();
    assert_eq!(bytes.len(), 4 * 80 * 1100);
    let (numbers, _) = bytes.as_chunks();
    let numbers = numbers.iter().map(|&number| f32::from_le_bytes(number));
    // From 8 below the maximum in steps of log10, plus 4, divided by 4.
    let highest = numbers.clone().fold(f32::MIN, f32::max);
    let lowest = numbers.fold(f32::MAX, f32::min);
    assert!(
        highest - lowest <= 2.0 && highest > 0.0,
        "{lowest} {highest}"
    );
}

#[test]
fn the_stages_of_a_transcription_are_parts_of_its_time() {
    let clip = data("clips/cheetah_en_norm.flac");
    let flags = "--beam-size None --word-timestamps --runs 2 --profile --json --model";
    let mut arguments = vec!["bench", clip.to_str().unwrap()];
    arguments.extend(flags.split(' '));
    arguments.push(model("tiny.en"));
    let found = report(&arguments);
    let seconds = |stage: &str| {
        assert_eq!(number(&found, &format!("/stages/{stage}/runs")), 2.0);
        number(&found, &format!("/stages/{stage}/median"))
    };
    let stages = ["audio", "frontend", "encoder", "decoder", "words"].map(seconds);
    assert!(stages.iter().all(|&seconds| seconds > 0.0), "{found}");
    // Of two runs the medians are the means, and the whole has all parts.
    assert!(stages.iter().sum::<f64>() <= seconds("all"), "{found}");
    assert!(seconds("load") > 0.0);
    assert_eq!(found["windows"], 1);
    assert!(number(&found, "/tokens") > 10.0);
    assert!((number(&found, "/times_real_time") * seconds("all") - 6.8).abs() < 0.1);
    assert!(found["launches"].is_null() && found["versus"].is_null());
    the_operations_are_parts_of_their_stages(&found["profile"]);
}

fn the_operations_are_parts_of_their_stages(profile: &Value) {
    for peak in ["float_operations", "integer_operations", "bytes"] {
        assert!(
            number(profile, &format!("/peaks/{peak}")) > 1e8,
            "{profile}"
        );
    }
    let stages = profile["stages"].as_array().unwrap();
    let names: Vec<_> = stages
        .iter()
        .map(|stage| stage["name"].as_str().unwrap())
        .collect();
    let expected = [
        "frontend",
        "encoder",
        "cross keys and values",
        "decoder",
        "words",
    ];
    assert_eq!(names, expected);
    let of = |stage: usize, name: &str| -> Vec<&Value> {
        let operations = stages[stage]["operations"].as_array().unwrap();
        operations
            .iter()
            .filter(|operation| operation["name"] == name)
            .collect()
    };
    for stage in stages {
        let operations = stage["operations"].as_array().unwrap();
        let inside: f64 = operations.iter().map(|one| number(one, "/seconds")).sum();
        assert!(inside <= number(stage, "/seconds"), "{stage}");
        for operation in operations {
            assert!(number(operation, "/share_of_peak") > 0.0, "{operation}");
        }
    }
    // tiny.en: two convolutions, four layers of attention, 384 wide.
    assert_eq!(of(1, "convolution").len(), 2);
    assert_eq!(of(1, "attention, many queries")[0]["calls"], 4);
    let keys_and_values = of(2, "linear");
    assert_eq!(keys_and_values[0]["shape"], serde_json::json!([384, 384]));
    assert_eq!(keys_and_values[0]["calls"], 8);
    let projection = of(3, "vocabulary projection");
    assert_eq!(projection[0]["shape"], serde_json::json!([384, 51864]));
}

#[test]
fn another_program_takes_turns() {
    let file = data("clips/gen_0.1s.wav");
    let run = run(&[
        "bench",
        "transcribe",
        file.to_str().unwrap(),
        "--model",
        model("tiny.en"),
        "--runs",
        "2",
        "--vs",
        "echo a line",
    ]);
    let told = &run.succeeded().stdout;
    assert!(
        told.contains("2 pairs in turns, beside: echo a line"),
        "{told}"
    );
    for measure in ["wall time", "CPU time", "peak memory"] {
        let line = told.lines().find(|line| line.trim().starts_with(measure));
        assert!(line.is_some_and(|line| line.contains("ratio")), "{told}");
    }
}

#[test]
fn what_cannot_be_transcribed_or_run_beside_is_one_line() {
    let file = data("clips/gen_0.1s.wav");
    let file = file.to_str().unwrap();
    for (arguments, code, says) in [
        (&["missing.wav"][..], 1, "missing.wav: No such file"),
        (&[file, "--runs", "0"], 2, "--runs"),
        (
            &[file, "--profile", "--device", "tpu"],
            2,
            "'tpu' is unknown",
        ),
        (&[file, "--beam-size", "0"], 2, "beam_size"),
        (&[file, "--device", "abacus"], 2, "'abacus' is unknown"),
        (&[file, "--output-format", "srt"], 2, "--output-format"),
        (
            &[file, "--model", model("tiny.en"), "--vs", "exit 3"],
            1,
            "exit 3: exit status: 3",
        ),
    ] {
        let run = run(&[&["bench"], arguments].concat());
        let line = run.one_error(code);
        assert!(line.contains(says), "{arguments:?}: {line}");
    }
}
