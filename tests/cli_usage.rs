//! What a user sees who types a wrong command line, or asks for help.
#![cfg(feature = "cli")]

mod common;

use std::process::Command;

use common::{Run, data, run, whisper_rs};

#[test]
fn version_and_help_are_given_on_standard_output() {
    let version = run(&["--version"]);
    assert_eq!(
        version.succeeded().stdout.trim(),
        concat!("whisper-rs ", env!("CARGO_PKG_VERSION"))
    );

    let help = run(&["transcribe", "--help"]);
    for flag in [
        "--model",
        "--output_format",
        "--language",
        "--condition_on_previous_text",
    ] {
        assert!(help.succeeded().stdout.contains(flag), "{flag}");
    }
    assert_eq!(help.stderr, "");
    // What this build cannot open is not offered. (Where the help's lines break is the terminal's business.)
    let words: Vec<_> = help.stdout.split_whitespace().collect();
    let devices = format!(
        "Device to run on: {} [",
        whisper_rs::device::AVAILABLE.join(", ")
    );
    assert!(words.join(" ").contains(&devices), "{}", help.stdout);
}

#[test]
fn the_document_of_flags_has_every_flag() {
    let document = include_str!("../docs/flags.md");
    let (_, groups) = document.split_once("## All of them").unwrap();
    let (groups, _) = groups.split_once("\n## ").unwrap();
    let help = run(&["transcribe", "--help"]);
    let help = help.succeeded();
    // A flag begins its line, behind its short form if it has one.
    let names = help.stdout.lines().filter_map(|line| {
        let line = line.trim_start();
        let long = line.strip_prefix('-').and_then(|rest| rest.get(3..));
        let long = if line.starts_with("--") { line } else { long? };
        let name = long.split([' ', ',', '[', '=']).next()?;
        // Prose may begin a line with a flag as well.
        let name = name.trim_end_matches(|mark: char| mark.is_ascii_punctuation());
        name.starts_with("--").then_some(name)
    });
    let names: Vec<_> = names
        .filter(|name| !["--help", "--version"].contains(name))
        .collect();
    assert!(names.len() > 60, "{names:?}");
    for name in names {
        let known = [format!("`{name}"), format!("/{name}`")];
        assert!(
            known.iter().any(|known| groups.contains(known)),
            "docs/flags.md lacks {name}"
        );
    }
}

#[test]
fn a_wrong_command_line_is_one_line_and_exit_code_2() {
    let clip = data("jfk.wav");
    let clip = clip.to_str().unwrap();
    for (flags, says) in [
        (&["--nonsense"][..], "--nonsense"),
        (&["--task", "sing"], "transcribe, translate"),
        (&["--language", "Klingon"], "Klingon"),
        (&["--device", "abacus"], "abacus"),
        (&["--output_format", "pdf"], "json"),
        (&["--verbose", "perhaps"], "True or False"),
        (&["--threads", "many"], "--threads"),
        (&["--no_speech_threshold", "high"], "a number"),
    ] {
        let arguments = [&["transcribe", clip], flags].concat();
        let line = run(&arguments).one_error(2).to_owned();
        assert!(line.contains(says), "{flags:?}: {line}");
    }
    let told = |flag| run(&["transcribe", clip, flag]).one_error(2).to_owned();
    assert!(!told("--nonsense").contains("similar"));
    assert!(told("--modle").contains("'--model'"));
    // Values that each are one, and make no sense or none together: neither the file nor the model is looked at.
    for (flags, says) in [
        (&["--beam_size", "None", "--patience", "2"][..], "beam_size"),
        (&["--patience", "-1"], "patience"),
        (&["--length_penalty", "3"], "length_penalty"),
        (&["--beam_size", "100000000000"], "64"),
        (&["--best_of", "18446744073709551616"], "64"),
        (&["--temperature_increment_on_fallback", "1e-300"], "0.01"),
        (&["--temperature_increment_on_fallback", "1e-12"], "0.01"),
        (&["--seed", "-1"], "from 0"),
        (&["--suppress_tokens", "-5"], "-5"),
        (&["--clip_timestamps", "-1,2"], "-1"),
        (&["--clip_timestamps", "5,4"], "before its start"),
    ] {
        let missing = ["transcribe", "no_such_file.wav", "--model", "no/such/model"];
        let line = run(&[&missing, flags].concat()).one_error(2).to_owned();
        assert!(line.contains(says), "{flags:?}: {line}");
        assert!(
            !line.contains("no_such_file") && !line.contains("no/such"),
            "{line}"
        );
    }
    for (words, says) in [
        (&[][..], "FILES"),
        (&["-", "-"], "once"),
        (&["-", "--files_from", "-"], "once"),
        (&["-", "--channel", "split"], "once"),
    ] {
        let line = run(&[&["transcribe"], words].concat())
            .one_error(2)
            .to_owned();
        assert!(line.contains(says), "{line}");
    }
}

#[test]
fn what_is_wrong_with_a_command_line_is_told_in_the_form_it_asks_for() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    std::fs::write(&config, "log_format = 'json'\nbeam_sise = 5\n").unwrap();
    let named = format!("--config={}", config.display());
    for (flags, variable) in [
        (&["--nonsense", "--log_format", "json"][..], ""),
        (&["--log-format=json", "--task", "sing"], ""),
        (&["--log_f=text", "--log_f=json", "--patience=-1"], ""),
        (&["--task", "sing"], "json"),
        (&[named.as_str()], ""),
    ] {
        let mut command = whisper_rs(&[&["transcribe", "a.wav"], flags].concat());
        let command = command.env("WHISPER_RS_LOG_FORMAT", variable);
        let refused = Run::of(command.output().unwrap());
        assert_eq!(refused.code, Some(2), "{refused:?}");
        let told: serde_json::Value = serde_json::from_str(&refused.stderr).unwrap();
        assert_eq!(told["level"], "error", "{told}");
    }
    let text = run(&["a.wav", "--task", "sing", "--log_format", "text"]);
    assert!(text.one_error(2).contains("sing"));
}

#[test]
fn flags_for_lines_of_words_need_words() {
    let clip = data("jfk.wav");
    let flags = ["--max-line-width", "40"];
    let run = run(&[&["transcribe", clip.to_str().unwrap()][..], &flags].concat());
    assert_eq!(
        run.one_error(2),
        "--max_line_width requires --word_timestamps True"
    );
}

#[test]
fn the_manual_page_and_completions_have_every_flag() {
    let help = run(&["transcribe", "--help"]).succeeded().stdout.clone();
    let flags: Vec<&str> = (help.split_whitespace())
        .filter(|word| word.starts_with("--"))
        .map(|word| word.trim_end_matches([',', '.', ';', ':', ')']))
        // The manual page does without second names, which the help has in brackets.
        .filter(|word| word.contains('_') && !word.ends_with(']'))
        .collect();
    assert!(flags.len() > 50, "{flags:?}");
    let page = run(&["man", "transcribe"])
        .succeeded()
        .stdout
        .replace('\\', "");
    assert!(page.contains(".SH NAME"), "{page}");
    for flag in &flags {
        assert!(page.contains(flag), "{flag}");
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let completions = run(&["completions", shell]).succeeded().stdout.clone();
        // Both spellings.
        for flag in ["output_format", "max_line_width", "beam_size", "beam-size"] {
            assert!(completions.contains(flag), "{shell}: {flag}");
        }
    }
    assert!(run(&["man", "sing"]).one_error(2).contains("sing"));
}

#[test]
fn what_is_not_there_yet_is_refused_before_any_work() {
    for (flags, says) in [
        (&["--vad_filter"][..], "voice activity detection"),
        (&["--batched", "True"], "batched decoding"),
        (&["--live-transcribe", "true"], "live input"),
    ] {
        // A file without a subcommand before it is to be transcribed.
        let line = run(&[&["no_such_file.wav"], flags].concat())
            .one_error(2)
            .to_owned();
        assert!(
            line.starts_with("not supported yet: --") && line.contains(says),
            "{line}"
        );
    }
}

/// What only prints something must not seem to have done so.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_is_a_failure_and_a_closed_pipe_is_none() {
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["transcribe", "-h"],
        &["completions", "bash"],
        &["man", "transcribe"],
        &["models", "list"],
        &["talk.wav", "--print_config"],
    ] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
        let failed = whisper_rs(arguments).stdout(full.unwrap()).output();
        let failed = Run::of(failed.unwrap());
        let line = failed.one_error(1);
        assert!(
            line.starts_with("standard output: No space left"),
            "{arguments:?}: {line}"
        );
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let unread = Run::of(whisper_rs(arguments).stdout(writer).output().unwrap());
        assert_eq!(unread.succeeded().stderr, "", "{arguments:?}");
    }
}

#[test]
fn a_flag_that_may_stand_alone_takes_no_name_for_its_value() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let flags = [
        "models",
        "path",
        "--model_dir",
        place,
        "--offline",
        "tiny.en",
    ];
    let line = run(&flags).one_error(1).to_owned();
    assert!(line.contains("tiny.en"), "{line}");
}

#[test]
fn bash_completes_flags_and_values_of_subcommands() {
    let script = run(&["completions", "bash"]).succeeded().stdout.clone();
    for (words, completed) in [
        ("transcribe --mod", "--model"),
        ("transcribe --output_format sr", "srt"),
        ("models fe", "fetch"),
        ("eval --js", "--json"),
    ] {
        let (before, last) = words.rsplit_once(' ').unwrap();
        let previous = before.rsplit(' ').next().unwrap();
        let asked = format!(
            "{script}\nCOMP_WORDS=(whisper-rs {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n\
             _whisper__rs whisper-rs {last} {previous}; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let bash = Command::new("bash").args(["-c", &asked]).output().unwrap();
        let completions = String::from_utf8(bash.stdout).unwrap();
        assert!(
            completions.lines().any(|line| line == completed),
            "{words}: {completions}"
        );
    }
}
