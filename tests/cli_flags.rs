//! Every flag of openai/whisper, whisper-ctranslate2 and whisper.cpp's `whisper-cli`, as their users write it.
#![cfg(feature = "cli")]

mod common;

use std::fs;

use common::{Run, data, whisper_rs};
use whisper_rs::device::AVAILABLE;

/// A flag as it is written for another program, and what becomes of it (`tests/data/README.md`).
struct Row {
    program: String,
    words: Vec<String>,
    meaning: String,
    default: String,
}

fn rows() -> Vec<Row> {
    let table = fs::read_to_string(data("flags.tsv")).unwrap();
    let lines = table.lines().skip(1);
    let row = |line: &str| {
        let [program, words, meaning, default] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("no row: {line}");
        };
        let empty = |word: &str| if word == "\"\"" { "" } else { word }.to_owned();
        Row {
            program: program.to_owned(),
            words: words.split(' ').map(empty).collect(),
            meaning: meaning.to_owned(),
            default: default.to_owned(),
        }
    };
    lines.map(row).collect()
}

/// Runs `transcribe` where no settings of the user's own count, and the models that the table names by a path are there.
fn run(words: &[&str]) -> Run {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("folder")).unwrap();
    fs::create_dir(home.path().join("models")).unwrap();
    fs::write(home.path().join("models/ggml-base.en.bin"), "").unwrap();
    let mut command = whisper_rs(&[&["transcribe", "talk.wav"], words].concat());
    command.env("HOME", home.path());
    command.env("XDG_CONFIG_HOME", home.path());
    command.current_dir(&home);
    Run::of(command.output().unwrap())
}

/// The lines `flag = value` that come from this source, by name.
fn settings(run: &Run, from: &str) -> Vec<String> {
    let lines = run.succeeded().stdout.lines();
    let mut lines: Vec<String> = lines
        .filter_map(|line| line.strip_suffix(&format!("  # {from}")))
        .map(str::to_owned)
        .collect();
    lines.sort();
    lines
}

#[test]
fn every_flag_of_three_programs_is_known() {
    let rows = rows();
    assert!(rows.len() > 200, "{}", rows.len());
    for row in &rows {
        let words: Vec<&str> = row.words.iter().map(String::as_str).collect();
        let about = format!("{} {}", row.program, row.words.join(" "));
        if let Some(says) = row.meaning.strip_prefix("error: ") {
            let refused = run(&words);
            let line = refused.one_error(2);
            assert!(line.starts_with(says), "{about}: {line}");
        } else if let Some(says) = row.meaning.strip_prefix("prints ") {
            assert!(run(&words).succeeded().stdout.starts_with(says), "{about}");
        } else if words == ["--device", "cuda"] && !AVAILABLE.contains(&"cuda") {
            let refused = run(&[&words[..], &["--print_config"]].concat());
            assert!(refused.one_error(2).contains("'cuda'"), "{refused:?}");
        } else {
            let run = run(&[&words[..], &["--print_config"]].concat());
            let given = settings(&run, "command line").join("; ");
            assert_eq!(given, row.meaning, "{about}");
        }
    }
}

#[test]
fn defaults_are_theirs_but_where_the_table_says_otherwise() {
    let run = run(&["--print_config"]);
    let defaults = settings(&run, "default");
    for row in rows() {
        let settings: Vec<&str> = row.meaning.split("; ").collect();
        let expected: Vec<&str> = match row.default.as_str() {
            "" => continue,
            "=" => settings.clone(),
            default => default.split("; ").collect(),
        };
        for (setting, expected) in settings.iter().zip(expected) {
            let flag = setting.split(" = ").next().unwrap();
            let about = format!("{} {flag}", row.program);
            let value = expected.rsplit(" = ").next().unwrap();
            if value == "not set" {
                let line = format!("# {flag} is not set\n");
                assert!(run.stdout.contains(&line), "{about}");
                continue;
            }
            let quoted = [format!("{flag} = {value}"), format!("{flag} = \"{value}\"")];
            assert!(
                defaults.iter().any(|line| quoted.contains(line)),
                "{about}: {value}"
            );
        }
    }
}

#[test]
fn a_command_of_whisper_cli_is_a_command_here() {
    let clip = data("clips/gen_0.1s.wav");
    let folder = tempfile::tempdir().unwrap();
    let output = whisper_rs(&[
        "-m",
        common::model("tiny.en"),
        "-f",
        clip.to_str().unwrap(),
        "-t",
        "2",
        "-p",
        "1",
        "-osrt",
        "-oj",
        "-np",
        "-of",
        "said",
    ])
    .current_dir(&folder)
    .output();
    let run = Run::of(output.unwrap());
    assert_eq!(run.succeeded().stderr, "");
    let mut names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["said.json", "said.srt"]);
}
