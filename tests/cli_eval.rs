//! `whisper-rs eval`: the table, the files that it writes, and going on with a run that did not end.
#![cfg(feature = "cli")]

mod common;

use std::fs;
use std::path::Path;

use common::{data, json, model, run};

const GREEDY: [&str; 8] = [
    "--temperature",
    "0",
    "--temperature-increment-on-fallback",
    "None",
    "--beam-size",
    "None",
    "--best-of",
    "None",
];

/// A manifest of copies of clips, each with its language and transcript.
fn manifest(folder: &Path, clips: &[(&str, &str, &str)]) -> String {
    let mut text = "file\tlanguage\ttranscript\n".to_owned();
    for (clip, language, transcript) in clips {
        let name = Path::new(clip).file_name().unwrap().to_str().unwrap();
        if data(clip).exists() {
            fs::copy(data(clip), folder.join(name)).unwrap();
        }
        text += &format!("{name}\t{language}\t{transcript}\n");
    }
    let path = folder.join("manifest.tsv");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

const JFK: (&str, &str, &str) = (
    "jfk.wav",
    "en",
    "And so my fellow Americans, ask not what your country can do for you: ask what you can do for your town.",
);

#[test]
fn errors_are_told_by_clip_by_language_and_together() {
    let folder = tempfile::tempdir().unwrap();
    let clips = [
        JFK,
        ("clips/noise_sb1.flac", "none", ""),
        ("clips/gen_0.1s.wav", "", ""),
    ];
    let manifest = manifest(folder.path(), &clips);
    let report = folder.path().join("report.json");
    let page = folder.path().join("page.html");
    let against = data("reference/tiny.en");
    let mut arguments = vec!["eval", &manifest, "--model", model("tiny.en"), "--json"];
    arguments.extend([report.to_str().unwrap(), "--html", page.to_str().unwrap()]);
    arguments.extend(["--against", against.to_str().unwrap()]);
    let run = run(&[&arguments[..], &GREEDY].concat());
    run.succeeded();
    let row = |name: &str| {
        let line = run.stdout.lines().find(|line| line.starts_with(name));
        let line = line.unwrap_or_else(|| panic!("no {name}: {}", run.stdout));
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(row("jfk.wav")[4..7], ["22", "1", "4.55"]);
    assert_eq!(row("jfk.wav")[10..], ["windows", "1/1,", "text", "yes"]);
    assert_eq!(row("no speech")[5..7], ["0", "0"]);
    assert_eq!(row("not given")[5..9], ["-", "-", "-", "-"]);
    assert_eq!(row("all")[1..3], ["3", "16.10"]);
    assert_eq!(row("all")[4..7], ["22", "1", "4.55"]);

    let report = json(&report);
    assert_eq!(report["model"], "tiny.en");
    assert_eq!(report["clips"][0]["errors"]["words"]["substitutions"], 1);
    assert_eq!(report["all"]["errors"]["word_error_rate"], 1.0 / 22.0);
    assert_eq!(report["all"]["agreement"]["windows_equal"], 1);
    assert!(report["all"]["peak_host_bytes"].as_u64().unwrap() > 50_000_000);
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("jfk.wav") && page.contains("town"));
}

#[test]
fn a_run_that_did_not_end_goes_on_with_the_same_options_alone() {
    let folder = tempfile::tempdir().unwrap();
    let clips = [JFK, ("missing.wav", "en", "gone")];
    let manifest = manifest(folder.path(), &clips);
    let report = folder.path().join("report.json");
    let mut arguments = vec!["eval", &manifest, "--model", model("tiny.en"), "--json"];
    arguments.push(report.to_str().unwrap());
    arguments.extend(GREEDY);
    let first = run(&arguments);
    assert_eq!(first.code, Some(1), "{first:?}");
    assert!(
        first.stderr.contains("missing.wav: No such file"),
        "{first:?}"
    );
    let seconds = || json(&report)["clips"][0]["seconds"].clone();
    let (failed, took) = (json(&report)["failed"].clone(), seconds());
    assert_eq!(failed, 1);

    fs::copy(
        data("clips/gen_0.1s.wav"),
        folder.path().join("missing.wav"),
    )
    .unwrap();
    let other = run(&[&arguments[..], &["--resume", "--suppress-blank", "False"]].concat());
    assert!(
        !other.succeeded().stderr.contains("done already"),
        "{other:?}"
    );
    let resumed = run(&[&arguments[..], &["--resume"]].concat());
    assert!(
        resumed
            .succeeded()
            .stderr
            .contains("1 of 2 clips were done already"),
        "{resumed:?}"
    );
    assert_eq!(
        seconds(),
        took,
        "the first clip's time is that of the first run"
    );
    // A run that ended leaves nothing to go on with.
    let again = run(&[&arguments[..], &["--resume"]].concat());
    assert!(
        !again.succeeded().stderr.contains("done already"),
        "{again:?}"
    );
}

#[test]
fn what_cannot_be_evaluated_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = manifest(folder.path(), &[JFK]);
    let bad = folder.path().join("bad.tsv");
    fs::write(&bad, "jfk.wav\tAnd so\n").unwrap();
    let (bad, empty) = (bad.to_str().unwrap(), folder.path().to_str().unwrap());
    for (arguments, code, says) in [
        (&["missing.tsv"][..], 1, "missing.tsv: No such file"),
        (&[bad], 1, "no column 'file'"),
        (&[&manifest, "--only", "de"], 2, "no clip of"),
        (
            &[&manifest, "--against", "nowhere"],
            1,
            "nowhere: No such file",
        ),
        (&[&manifest, "--against", empty], 1, "no .json file"),
        (
            &[&manifest, "--against-member", "x"],
            2,
            "--against <FOLDER>",
        ),
        (&[&manifest, "--model", "tony"], 2, "tony"),
        (&[&manifest, "--beam-size", "0"], 2, "beam_size"),
        (&[&manifest, "--device", "abacus"], 2, "abacus"),
        (&[], 2, "MANIFEST"),
    ] {
        let run = run(&[&["eval"], arguments].concat());
        let line = run.one_error(code);
        assert!(line.contains(says), "{arguments:?}: {line}");
    }
}
