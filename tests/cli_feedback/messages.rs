//! What a run tells, and in what form.

use crate::common::{data, model, run};
use crate::running::arguments;

#[test]
fn a_quiet_run_tells_errors_alone() {
    let clip = data("clips/gen_0.1s.wav");
    let quiet = run(&arguments(
        clip.to_str().unwrap(),
        &["-q", "--language", "French"],
    ));
    assert_eq!(quiet.succeeded().stderr, "");
    let level = run(&arguments(
        clip.to_str().unwrap(),
        &["--log_level", "warning", "-l", "French"],
    ));
    assert!(
        level.succeeded().stderr.starts_with("warning: "),
        "{level:?}"
    );
    let failed = run(&arguments("no_such_file.wav", &["--quiet"]));
    assert!(failed.one_error(1).contains("no_such_file.wav"));
}

#[test]
fn messages_as_json_are_one_object_a_line() {
    let clip = data("jfk.wav");
    let clip = clip.to_str().unwrap();
    let flags = [
        "--log_format",
        "json",
        "--log_level",
        "debug",
        "-l",
        "French",
        "no_such_file.wav",
    ];
    let run = run(&arguments(clip, &flags));
    assert_eq!(run.code, Some(1), "{run:?}");
    let events: Vec<serde_json::Value> = (run.stderr.lines())
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    let of_level = |level: &str| {
        events
            .iter()
            .filter(|event| event["level"] == level)
            .count()
    };
    assert_eq!((of_level("warn"), of_level("error")), (1, 1), "{events:?}");
    assert!(
        events
            .iter()
            .all(|event| event["time"].as_f64().unwrap() > 1.7e9)
    );
    let segments: Vec<_> = events
        .iter()
        .filter(|event| event["message"] == "segment")
        .collect();
    assert_eq!(segments.len(), run.stdout.lines().count());
    let text = segments[0]["text"].as_str().unwrap();
    assert!(run.stdout.contains(text) && segments[0]["avg_logprob"].is_f64());
}

#[test]
fn colours_are_for_terminals_or_on_demand() {
    let clip = data("jfk.wav");
    let clip = clip.to_str().unwrap();
    let plain = run(&arguments(clip, &[]));
    assert!(!plain.succeeded().stdout.contains('\u{1b}'));
    let coloured = run(&arguments(clip, &["--print_colors"]));
    assert!(coloured.succeeded().stdout.contains("\u{1b}[38;5;"));
    let mut text = String::new();
    let mut in_sequence = false;
    for character in coloured.stdout.chars() {
        match (in_sequence, character) {
            (_, '\u{1b}') => in_sequence = true,
            (true, 'm') => in_sequence = false,
            (true, _) => {}
            (false, other) => text.push(other),
        }
    }
    assert_eq!(text, plain.stdout, "colours change nothing but colours");
}

#[test]
fn a_model_is_warmed_up_before_the_first_file_and_transcribes_the_same() {
    let clip = data("jfk.wav");
    let clip = clip.to_str().unwrap();
    let flags = ["transcribe", clip, "--model", model("tiny.en"), "--warmup"];
    let warm = run(&flags);
    let lines: Vec<_> = warm.succeeded().stderr.lines().collect();
    assert!(lines[0].starts_with("warmed up in "), "{warm:?}");
    let cold = run(&flags[..4]);
    assert_eq!(cold.succeeded().stdout, warm.stdout);
    assert!(!cold.stderr.contains("warmed up"), "{cold:?}");
}
