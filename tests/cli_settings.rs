//! Defaults of one's own: the config file, environment variables, and what `--print_config` says of them.
#![cfg(feature = "cli")]

mod common;

use std::fs;
use std::path::Path;

use common::{Run, whisper_rs};

/// Runs `transcribe` with these flags where `home` is the folder of settings.
fn run_with(home: &Path, variables: &[(&str, &str)], flags: &[&str]) -> Run {
    let mut command = whisper_rs(&[&["transcribe"], flags].concat());
    command.env("XDG_CONFIG_HOME", home).env("APPDATA", home);
    command.env("HOME", home).envs(variables.iter().copied());
    command.current_dir(home);
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
        ("WHISPER_RS_OFFLINE", "1"),
        ("WHISPER_RS_PRINT_COLORS", "no"),
    ];
    let run = run_with(home.path(), &variables, &["--print_config", "-l", "en"]);
    assert_eq!(line(&run, "language"), "language = \"en\"  # command line");
    assert_eq!(line(&run, "best_of"), "best_of = 4  # WHISPER_RS_BEST_OF");
    assert!(line(&run, "offline").starts_with("offline = true  # WHISPER_RS_OFFLINE"));
    assert!(line(&run, "print_colors").starts_with("print_colors = false  # "));
    let beam_size = line(&run, "beam_size");
    assert!(beam_size.starts_with("beam_size = 3  # ") && beam_size.ends_with("config.toml"));
    assert!(line(&run, "output_format").starts_with("output_format = [\"srt\", \"json\"]"));
    assert_eq!(line(&run, "temperature"), "temperature = 0  # default");
    assert!(run.stdout.contains("# fp16 is not set\n"));

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
fn flags_that_do_not_fit_together_are_told_with_where_they_come_from() {
    let home = tempfile::tempdir().unwrap();
    write_config(home.path(), "patience = 2\nseed = 7\n");
    let variables = [("WHISPER_RS_BEAM_SIZE", "None")];
    for flags in [&["no_such_file.wav"][..], &["--print_config"]] {
        let run = run_with(home.path(), &variables, flags);
        let line = run.one_error(2);
        assert!(
            line.contains("patience needs a beam_size (beam_size is from WHISPER_RS_BEAM_SIZE, ")
                && line.contains("patience is from ")
                && line.ends_with("config.toml)"),
            "{line}"
        );
    }
    let here = ["no_such_file.wav", "--patience", "2"];
    let line = run_with(home.path(), &variables, &here);
    assert!(!line.one_error(2).contains("patience is from"), "{line:?}");
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

/// A value of each flag that is not its default, where it can be one, as words of the command line.
const OTHER_VALUES: &[(&str, &[&str])] = &[
    ("append_punctuations", &["\"#,"]),
    ("beam_size", &["3"]),
    ("best_of", &["None"]),
    ("carry_initial_prompt", &["True"]),
    ("channel", &["left"]),
    ("clip_timestamps", &["1,2.50"]),
    ("compression_ratio_threshold", &["2.40"]),
    ("compute_type", &["float32"]),
    ("condition_on_previous_text", &["False"]),
    ("detect_language", &["true"]),
    ("device", &["cpu"]),
    // The only one that there is on every machine, in another spelling.
    ("device_index", &["00"]),
    ("duration", &["5000"]),
    ("files_from", &["a list.txt"]),
    ("fp16", &["False"]),
    ("hallucination_silence_threshold", &["1e-3"]),
    ("highlight_words", &["True"]),
    ("hotwords", &["true"]),
    (
        "initial_prompt",
        &["\"a\" \\ 'b' # c = [d]\nnext\tline \u{1f642}"],
    ),
    ("language", &["German"]),
    ("language_detection_segments", &["4"]),
    ("language_detection_threshold", &["inf"]),
    ("length_penalty", &["0.5"]),
    ("log_format", &["json"]),
    ("log_level", &["debug"]),
    ("logprob_threshold", &["-1.00"]),
    ("max_initial_timestamp", &["None"]),
    ("max_line_count", &["2"]),
    ("max_line_width", &["42"]),
    ("max_new_tokens", &["50"]),
    ("max_words_per_line", &["3"]),
    ("model", &["0x10"]),
    ("model_dir", &["models, mine"]),
    ("model_directory", &["1_000"]),
    ("multilingual", &["True"]),
    ("no_repeat_ngram_size", &["3"]),
    ("no_speech_threshold", &["+0.5"]),
    ("normalise", &["peak"]),
    ("offline", &["True"]),
    ("offset_n", &["10"]),
    ("offset_t", &["1500"]),
    ("output_dir", &["out put"]),
    ("output_file", &["a,b", "c \"d\""]),
    ("output_format", &["srt,json", "txt"]),
    ("patience", &["2"]),
    ("prefix", &["[1]"]),
    ("prepend_punctuations", &[""]),
    ("pretty_json", &["True"]),
    ("print_colors", &["False"]),
    ("print_progress", &["True"]),
    ("print_special", &["True"]),
    ("prompt_reset_on_temperature", &["1"]),
    ("quiet", &["True"]),
    ("raw", &["s16le,16000,1"]),
    ("recursive", &["True"]),
    ("repetition_penalty", &["1.1"]),
    ("resume", &["True"]),
    ("seed", &["18446744073709551615"]),
    ("smoothing", &["average3x3"]),
    ("strict", &["True"]),
    ("suppress_blank", &["False"]),
    ("suppress_regex", &["\\d+ ?\\.\"#"]),
    ("suppress_tokens", &["-1,50"]),
    ("task", &["translate"]),
    ("temperature", &["0.50"]),
    ("temperature_increment_on_fallback", &["0.25"]),
    ("threads", &["3"]),
    ("verbose", &["False"]),
    ("warmup", &["True"]),
    ("without_timestamps", &["True"]),
    ("word_timestamps", &["True"]),
];

/// What a flag needs beside it, or is refused.
const NEEDED: &[(&str, &str)] = &[
    ("highlight_words", "--word_timestamps=True"),
    ("max_line_count", "--word_timestamps=True"),
    ("max_line_width", "--word_timestamps=True"),
    ("max_words_per_line", "--word_timestamps=True"),
    ("resume", "--output_dir=out"),
    ("strict", "--word_timestamps=True"),
];
/// What cannot be with all others together.
const ALONE: &[&str] = &["prefix", "strict", "clip_timestamps"];

/// The flags and values that `--print_config` prints, without where they come from.
fn in_force(run: &Run) -> Vec<String> {
    let lines = run.succeeded().stdout.lines();
    lines
        .map(|line| line.rsplit_once("  # ").map_or(line, |(value, _)| value))
        .map(str::to_owned)
        .collect()
}

#[test]
fn what_is_printed_is_a_config_file_that_says_the_same_of_every_flag() {
    let home = tempfile::tempdir().unwrap();
    let saved = home.path().join("saved.toml");
    let place = saved.to_str().unwrap();
    let defaults = in_force(&run_with(home.path(), &[], &["--print_config"]));
    let flags: Vec<&str> = (defaults.iter())
        .map(|line| line.trim_start_matches("# ").split(' ').next().unwrap())
        .collect();
    for flag in &flags {
        assert!(
            OTHER_VALUES.iter().any(|(known, _)| known == flag),
            "{flag} has no value in this test"
        );
    }
    // Models that have the names of numbers.
    for name in ["0x10", "1_000"] {
        fs::write(home.path().join(name), "").unwrap();
    }
    let together: Vec<_> = (OTHER_VALUES.iter().copied())
        .filter(|(flag, _)| !ALONE.contains(flag))
        .collect();
    let each = OTHER_VALUES.iter().map(std::slice::from_ref);
    for given in each.chain([together.as_slice()]) {
        let words = (given.iter())
            .flat_map(|(flag, values)| values.iter().map(move |value| format!("--{flag}={value}")));
        let needed = (NEEDED.iter())
            .filter(|(flag, _)| given.len() == 1 && given[0].0 == *flag)
            .map(|(_, word)| (*word).to_owned());
        let needed: Vec<String> = needed.collect();
        let changes = given.len() + needed.len();
        let words: Vec<String> = needed.into_iter().chain(words).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let printed = run_with(
            home.path(),
            &[],
            &[&words[..], &["--print_config"]].concat(),
        );
        let first = in_force(&printed);
        let changed = first.iter().filter(|line| !defaults.contains(line)).count();
        assert_eq!(changed, changes, "{words:?}: {first:?}");
        fs::write(&saved, &printed.stdout).unwrap();
        let again = run_with(home.path(), &[], &["--print_config", "--config", place]);
        assert_eq!(in_force(&again), first, "{words:?}");
    }
}

#[test]
fn what_a_run_would_refuse_is_not_printed() {
    let home = tempfile::tempdir().unwrap();
    for (words, code, says) in [
        (&["--highlight_words"][..], 2, "--word_timestamps"),
        (&["--resume"], 2, "--output_dir"),
        (&["--beam_size=None", "--patience=2"], 2, "beam_size"),
        (&["--vad_filter"], 2, "not supported yet"),
        (&["--device", "abacus"], 2, "abacus"),
        (&["--model", "bas"], 2, "did you mean \"base\""),
        (&["--model", "./bas"], 1, "./bas"),
    ] {
        let words = [words, &["--print_config"]].concat();
        let run = run_with(home.path(), &[], &words);
        assert!(run.one_error(code).contains(says), "{run:?}");
    }
}

#[test]
fn an_empty_variable_is_as_good_as_none() {
    let home = tempfile::tempdir().unwrap();
    let empty = [("WHISPER_RS_MODEL", ""), ("WHISPER_RS_CONFIG", "")];
    let run = run_with(home.path(), &empty, &["--print_config"]);
    assert_eq!(line(&run, "model"), "model = \"base\"  # default");
    write_config(home.path(), "model = 'tiny'\n");
    let run = run_with(home.path(), &empty, &["--print_config"]);
    assert!(line(&run, "model").starts_with("model = \"tiny\"  # "));
}

#[test]
fn a_config_that_was_printed_can_be_used() {
    let home = tempfile::tempdir().unwrap();
    for flags in [&["-ot", "1500"][..], &["--hotwords", "Burn"], &[]] {
        let printed = run_with(home.path(), &[], &[flags, &["--print_config"]].concat());
        write_config(home.path(), &printed.succeeded().stdout);
        let run = run_with(home.path(), &[], &["no_such_file.wav"]);
        assert!(run.one_error(1).contains("no_such_file.wav"), "{run:?}");
        write_config(home.path(), "");
    }
}

#[test]
fn a_list_is_for_flags_that_take_several_values() {
    let home = tempfile::tempdir().unwrap();
    write_config(
        home.path(),
        "output_file = ['a,b', 'c']\nclip_timestamps = [1, 2.5]\n",
    );
    let run = run_with(home.path(), &[], &["--print_config"]);
    let names = line(&run, "output_file");
    assert!(
        names.starts_with("output_file = [\"a,b\", \"c\"]"),
        "{names}"
    );
    let clips = line(&run, "clip_timestamps");
    assert!(clips.starts_with("clip_timestamps = \"1,2.5\""), "{clips}");
    write_config(home.path(), "model = ['tiny', 'base']\n");
    let refused = run_with(home.path(), &[], &["a.wav"]);
    let told = refused.one_error(2);
    assert!(
        told.ends_with("model: write one value, not a list"),
        "{told}"
    );
}

#[test]
fn a_misspelt_variable_is_told() {
    let home = tempfile::tempdir().unwrap();
    let misspelt = [("WHISPER_RS_BEAM_SISE", "3")];
    let run = run_with(home.path(), &misspelt, &["no_such_file.wav"]);
    assert!(
        (run.stderr).starts_with("warning: WHISPER_RS_BEAM_SISE is no setting")
            && run.stderr.contains("did you mean WHISPER_RS_BEAM_SIZE?"),
        "{run:?}"
    );
    let quiet = run_with(home.path(), &misspelt, &["-q", "no_such_file.wav"]);
    assert!(quiet.one_error(1).contains("no_such_file.wav"));
    let right = [("WHISPER_RS_BEAM_SIZE", "3"), ("WHISPER_RS_CACHE", "cache")];
    let right = run_with(home.path(), &right, &["no_such_file.wav"]);
    assert!(right.one_error(1).contains("no_such_file.wav"));
}
