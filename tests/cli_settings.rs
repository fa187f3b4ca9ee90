//! Defaults of one's own: the config file, environment variables, and what `--print_config` says of them.

mod common;

use std::fs;
use std::path::Path;

use common::{Run, whisper_rs};

/// Runs `transcribe` with these flags where `home` is the folder of settings.
fn run_with(home: &Path, variables: &[(&str, &str)], flags: &[&str]) -> Run {
    let mut command = whisper_rs(&[&["transcribe"], flags].concat());
    command.env("XDG_CONFIG_HOME", home).env("APPDATA", home);
    command.env("HOME", home).envs(variables.iter().copied());
    Run::of(command.output().expect("the command starts"))
}

/// The line that `--print_config` prints of a flag.
fn line(run: &Run, flag: &str) -> String {
    let begins = |line: &&str| line.split(' ').next() == Some(flag);
    let line = run.succeeded().stdout.lines().find(begins);
    line.unwrap_or_else(|| panic!("no {flag}: {run:?}"))
        .to_owned()
}

fn write_config(home: &Path, text: &str) {
    let folder = home.join(if cfg!(target_os = "macos") {
        "Library/Application Support/whisper-rs"
    } else {
        "whisper-rs"
    });
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), text).unwrap();
}

#[test]
fn what_is_in_force_and_where_from() {
    let home = tempfile::tempdir().unwrap();
    write_config(
        home.path(),
        "beam_size = 3\nbest-of = 2\nlanguage = 'German'\noutput_format = ['srt', 'json']\n",
    );
    let variables = [
        ("WHISPER_RS_BEST_OF", "4"),
        ("WHISPER_RS_LANGUAGE", "French"),
    ];
    let run = run_with(home.path(), &variables, &["--print_config", "-l", "en"]);
    assert_eq!(line(&run, "language"), "language = \"en\"  # command line");
    assert_eq!(line(&run, "best_of"), "best_of = 4  # WHISPER_RS_BEST_OF");
    let beam_size = line(&run, "beam_size");
    assert!(beam_size.starts_with("beam_size = 3  # ") && beam_size.ends_with("config.toml"));
    assert!(line(&run, "output_format").starts_with("output_format = \"srt,json\""));
    assert_eq!(line(&run, "temperature"), "temperature = 0  # default");
    assert!(run.stdout.contains("# prefix is not set\n"));

    // What is printed is a config file that says the same.
    let saved = home.path().join("saved.toml");
    fs::write(&saved, &run.stdout).unwrap();
    let saved = saved.to_str().unwrap();
    let again = run_with(home.path(), &[], &["--print_config", "--config", saved]);
    let values = |run: &Run| -> Vec<String> {
        let lines = run.succeeded().stdout.lines();
        lines
            .map(|line| line.split("  # ").next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(values(&run), values(&again));
}

#[test]
fn a_setting_from_anywhere_counts() {
    let home = tempfile::tempdir().unwrap();
    // The model is looked at before the audio.
    let told = |variables: &[(&str, &str)], flags: &[&str]| {
        let flags = [&["no_such_file.wav"], flags].concat();
        run_with(home.path(), variables, &flags)
            .one_error(1)
            .to_owned()
    };
    assert!(
        told(&[("WHISPER_RS_MODEL", "./of/the/environment")], &[]).contains("of/the/environment")
    );
    write_config(home.path(), "model = './of/the/config'\n");
    assert!(told(&[], &[]).contains("of/the/config"));
    assert!(told(&[], &["-m", "./of/the/line"]).contains("of/the/line"));
}

#[test]
fn mistakes_are_told_with_their_place() {
    let home = tempfile::tempdir().unwrap();
    let told = |variables: &[(&str, &str)], flags: &[&str]| {
        let flags = [&["a.wav"], flags].concat();
        run_with(home.path(), variables, &flags)
            .one_error(2)
            .to_owned()
    };
    let message = told(&[("WHISPER_RS_BEAM_SIZE", "many")], &[]);
    assert!(message.starts_with("WHISPER_RS_BEAM_SIZE: "), "{message}");
    assert!(told(&[], &["--config", "no/such.toml"]).starts_with("no/such.toml: "));
    for (text, says) in [
        ("beam_size = 'many'", "beam_size"),
        ("beam_sise = 5", "did you mean beam_size?"),
        ("model = \"base\n", "line 1"),
        ("[beam_size]\n", "write a string"),
    ] {
        write_config(home.path(), text);
        let message = told(&[], &[]);
        assert!(
            message.contains("config.toml: ") && message.contains(says),
            "{message}"
        );
    }
}
