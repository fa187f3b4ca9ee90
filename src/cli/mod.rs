//! The command line: one file per subcommand, and what they share.
//!
//! Exit codes: 0 when everything went through, 1 when something failed, 2 for a wrong command line.

mod arguments;
pub mod bench;
mod decoding_flags;
mod later;
pub mod messages;
pub mod models;
mod output_lines;
mod outputs;
mod progress;
mod threads;
pub mod transcribe;
mod transcript_lines;
mod values;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub use arguments::{SmoothingKind, TranscribeArguments};

/// Exit code of a run in which something failed.
const FAILED: u8 = 1;
/// Exit code for a command line that cannot be run.
const USAGE: u8 = 2;

/// Whisper speech to text: from an audio file to a transcript, in pure Rust.
#[derive(Debug, Parser)]
#[command(name = "whisper-rs", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What the command can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Transcribe audio files, with the flags of OpenAI's `whisper` command
    Transcribe(Box<TranscribeArguments>),
    /// List, describe, fetch, convert and remove models
    #[command(subcommand)]
    Models(models::ModelsCommand),
    /// Measure how fast the parts are on this machine
    #[command(subcommand)]
    Bench(bench::BenchCommand),
}

/// Parses the command line. When there is nothing to run (help, version, a usage error) that has been printed,
/// and the exit code comes back instead of a command.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, ExitCode> {
    try_parse(arguments).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A reader that closed the pipe has seen enough of the help.
            let _ = error.print();
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            ExitCode::from(USAGE)
        }
        _ => {
            messages::error(one_line(&error));
            ExitCode::from(USAGE)
        }
    })
}

fn try_parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, clap::Error> {
    let matches = command().try_get_matches_from(arguments)?;
    let cli = Cli::from_arg_matches(&matches)?;
    match &cli.command {
        Command::Transcribe(arguments) => arguments.check()?,
        Command::Models(_) | Command::Bench(_) => {}
    }
    Ok(cli.command)
}

/// The command with both spellings of every flag: `--output_dir` as openai/whisper writes it, and `--output-dir`.
fn command() -> clap::Command {
    both_spellings(Cli::command())
}

fn both_spellings(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|arg| match arg.get_long() {
        Some(long) if long.contains('_') => {
            let hyphens = long.replace('_', "-");
            arg.alias(hyphens)
        }
        _ => arg,
    });
    command.mut_subcommands(both_spellings)
}

/// clap's message without its usage block, as one line.
fn one_line(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    let message = rendered.split("\nUsage:").next().unwrap_or_default();
    let message = message
        .split("\nFor more information")
        .next()
        .unwrap_or_default();
    let mut line = String::new();
    for part in message
        .lines()
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        if !line.is_empty() {
            line.push_str(if line.ends_with(':') { " " } else { "; " });
        }
        line.push_str(part);
    }
    line.strip_prefix("error: ")
        .map(str::to_owned)
        .unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use whisper_rs::TranscribeOptions;

    use super::*;

    fn transcribe(flags: &[&str]) -> Result<TranscribeArguments, String> {
        let words = ["whisper-rs", "transcribe", "a.wav"]
            .iter()
            .chain(flags)
            .map(OsString::from);
        match try_parse(words) {
            Ok(Command::Transcribe(arguments)) => Ok(*arguments),
            Ok(other) => Err(format!("parsed as {other:?}")),
            Err(error) => Err(one_line(&error)),
        }
    }

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn both_spellings_of_a_flag_mean_the_same() {
        let underscore =
            transcribe(&["--output_dir", "out", "--no_speech_threshold", "0.5"]).unwrap();
        let hyphen = transcribe(&["--output-dir", "out", "--no-speech-threshold", "0.5"]).unwrap();
        assert_eq!(underscore.output_dir, hyphen.output_dir);
        assert_eq!(underscore.no_speech_threshold, hyphen.no_speech_threshold);
        assert!(transcribe(&["--word-timestamps", "False"]).is_ok());
    }

    #[test]
    fn the_defaults_of_openai_whisper_are_the_defaults() {
        let options = transcribe(&[]).unwrap().options();
        assert_eq!(options.beam_size, Some(5));
        assert_eq!(options.best_of, Some(5));
        assert_eq!(options.temperatures.len(), 6);
        assert_eq!(options.patience, None);
        assert_eq!(options.length_penalty, None);
        assert_eq!(options.suppress_tokens, [-1]);
        assert_eq!(options.clip_timestamps, [0.0]);
        assert_eq!(options.compression_ratio_threshold, Some(2.4));
        assert!(!options.carry_initial_prompt);
    }

    #[test]
    fn decoding_flags_reach_the_options() {
        let options = transcribe(&[
            "--beam_size=3",
            "--patience=2",
            "--length_penalty=0.5",
            "--suppress_tokens=-1,50",
            "--clip_timestamps=1,2.5",
            "--carry_initial_prompt=True",
            "--seed=7",
        ])
        .unwrap()
        .options();
        assert_eq!(options.beam_size, Some(3));
        assert_eq!(options.patience, Some(2.0));
        assert_eq!(options.length_penalty, Some(0.5));
        assert_eq!(options.suppress_tokens, [-1, 50]);
        assert_eq!(options.clip_timestamps, [1.0, 2.5]);
        assert!(options.carry_initial_prompt);
        assert_eq!(options.seed, 7);
        let none = transcribe(&["--suppress_tokens", ""]).unwrap().options();
        assert!(none.suppress_tokens.is_empty());
    }

    #[test]
    fn flags_that_openai_whisper_lacks_change_nothing_unless_given() {
        let options = transcribe(&[]).unwrap().options();
        let mut library = TranscribeOptions::default();
        library.beam_size = Some(5);
        library.best_of = Some(5);
        library.clip_timestamps = vec![0.0];
        library.temperatures.clone_from(&options.temperatures);
        assert_eq!(format!("{options:?}"), format!("{library:?}"));
    }

    #[test]
    fn flags_that_openai_whisper_lacks_reach_the_options() {
        let flags = "--prefix And --suppress_blank False --without_timestamps --max_initial_timestamp None \
                     --repetition_penalty 1.2 --no_repeat_ngram_size 3 --max_new_tokens 50 \
                     --prompt_reset_on_temperature 0.7 --multilingual True --language_detection_threshold 0.8 \
                     --language_detection_segments 4";
        let flags: Vec<_> = flags.split_whitespace().collect();
        let options = transcribe(&flags).unwrap().options();
        assert_eq!(options.prefix.as_deref(), Some("And"));
        assert!(!options.suppress_blank && options.without_timestamps && options.multilingual);
        assert_eq!(options.max_initial_timestamp, None);
        assert_eq!(options.repetition_penalty, 1.2);
        assert_eq!(options.no_repeat_ngram_size, 3);
        assert_eq!(options.max_new_tokens, Some(50));
        assert_eq!(options.prompt_reset_on_temperature, 0.7);
        assert_eq!(options.language_detection_threshold, Some(0.8));
        assert_eq!(options.language_detection_segments, 4);
        let options = transcribe(&["--hotwords", "Burn, flex"]).unwrap().options();
        assert_eq!(options.hotwords.as_deref(), Some("Burn, flex"));
    }

    #[test]
    fn a_strict_run_takes_the_flags_of_the_proven_settings_alone() {
        let greedy = "--strict --temperature 0 --temperature_increment_on_fallback None --beam_size None --best_of None";
        for flags in [
            "--strict --beam_size 5 --best_of 5 --word_timestamps True".to_owned(),
            greedy.to_owned(),
            format!("{greedy} --word_timestamps True"),
            format!("{greedy} --task translate --language German --verbose False"),
        ] {
            let flags: Vec<_> = flags.split(' ').collect();
            assert!(transcribe(&flags).is_ok(), "{flags:?}");
        }
        for (flags, name) in [
            ("--strict".to_owned(), "word_timestamps"),
            (format!("{greedy} --hotwords Burn"), "hotwords"),
            (format!("{greedy} --prefix And"), "prefix"),
            ("--strict --beam_size None".to_owned(), "temperature"),
        ] {
            let flags: Vec<_> = flags.split(' ').collect();
            let message = transcribe(&flags).unwrap_err();
            assert!(
                message.starts_with("strict: ") && message.contains(name),
                "{flags:?}: {message}"
            );
        }
    }

    #[test]
    fn the_flags_of_a_greedy_openai_run_are_taken() {
        let greedy = "--temperature 0 --temperature_increment_on_fallback None --beam_size None --best_of None";
        let flags: Vec<_> = greedy.split(' ').collect();
        assert!(transcribe(&flags).is_ok());
        assert!(transcribe(&["--beam_size", "1"]).is_ok());
    }

    #[test]
    fn what_is_not_there_yet_is_refused_by_name() {
        for flags in [
            &["--output_format", "srt"][..],
            &["-f", "vtt"],
            &["--fp16", "True"],
        ] {
            let message = transcribe(flags).unwrap_err();
            assert!(
                message.starts_with("not supported yet: --"),
                "{flags:?}: {message}"
            );
            assert!(message.contains(flags[1]), "{flags:?}: {message}");
            assert!(!message.contains('\n'));
        }
    }

    #[test]
    fn values_that_say_what_is_done_anyway_are_taken() {
        for flags in [["--fp16", "False"], ["--max_line_width", "None"]] {
            assert!(transcribe(&flags).is_ok(), "{flags:?}");
        }
    }

    #[test]
    fn negative_thresholds_and_none_are_values() {
        let arguments = transcribe(&[
            "--logprob_threshold",
            "-0.5",
            "--compression_ratio_threshold",
            "None",
        ])
        .unwrap();
        assert_eq!(arguments.logprob_threshold.0, Some(-0.5));
        assert_eq!(arguments.compression_ratio_threshold.0, None);
        assert_eq!(transcribe(&[]).unwrap().logprob_threshold.0, Some(-1.0));
    }

    #[test]
    fn word_flags_become_options() {
        let options = transcribe(&[]).unwrap().options();
        assert!(!options.word_timestamps);
        assert_eq!(options.prepend_punctuations, "\"'“¿([{-");
        assert_eq!(options.append_punctuations, "\"'.。,，!！?？:：”)]}、");
        assert_eq!(options.hallucination_silence_threshold, None);
        let options = transcribe(&[
            "--word_timestamps",
            "--prepend_punctuations",
            "-(",
            "--append_punctuations",
            "",
            "--hallucination_silence_threshold",
            "2",
        ])
        .unwrap()
        .options();
        assert!(options.word_timestamps);
        assert_eq!(options.prepend_punctuations, "-(");
        assert_eq!(options.append_punctuations, "");
        assert_eq!(options.hallucination_silence_threshold, Some(2.0));
    }

    #[test]
    fn smoothing_is_off_unless_asked_for() {
        use whisper_rs::frontend::Smoothing;

        let smoothing = |flags: &[&str]| Smoothing::from(transcribe(flags).unwrap().smoothing);
        assert_eq!(smoothing(&[]), Smoothing::Off);
        assert_eq!(smoothing(&["--smoothing", "none"]), Smoothing::Off);
        let average = smoothing(&["--smoothing", "average3x3"]);
        assert_eq!(average, Smoothing::Average3x3);
        let message = transcribe(&["--smoothing", "gauss"]).unwrap_err();
        assert!(message.contains("average3x3"), "{message}");
    }

    #[test]
    fn samples_are_left_as_they_are_unless_asked_for() {
        use whisper_rs::frontend::Normalisation;

        let normalisation =
            |flags: &[&str]| Normalisation::from(transcribe(flags).unwrap().normalise);
        assert_eq!(normalisation(&[]), Normalisation::Off);
        assert_eq!(normalisation(&["--normalise", "peak"]), Normalisation::Peak);
        assert_eq!(normalisation(&["--normalize", "rms"]), Normalisation::Rms);
    }

    #[test]
    fn a_wrong_command_line_gives_one_line() {
        for flags in [
            &["--nonsense"][..],
            &["--task", "sing"],
            &["--language", "Klingon"],
            &["--temperature", "warm"],
            &["--temperature", "-1"],
            &["--verbose", "maybe"],
            &["--threads", "-1"],
            &["--beam_size", "0"],
            &["--beam_size", "100000000000"],
            &["--best_of", "65"],
            &["--beam_size", "None", "--patience", "2"],
            &["--patience", "-1"],
            &["--length_penalty", "3"],
            &["--seed", "-1"],
            &["--suppress_tokens", "-2"],
            &["--clip_timestamps", "-1"],
            &["--clip_timestamps", "5,4"],
            &["--temperature_increment_on_fallback", "1e-300"],
            &["--temperature_increment_on_fallback", "1e-12"],
            &["--output_format", "pdf"],
            &["--no_speech_threshold", "nan"],
            &["--word_timestamps", "maybe"],
            &["--hallucination_silence_threshold", "long"],
            &["--repetition_penalty", "0"],
            &["--repetition_penalty", "inf"],
            &["--no_repeat_ngram_size", "-1"],
            &["--max_new_tokens", "0"],
            &["--max_initial_timestamp", "-1"],
            &["--language_detection_segments", "0"],
            &["--hotwords", "a", "--prefix", "b"],
            &["--suppress_blank", "maybe"],
            &["--model"],
        ] {
            let message = transcribe(flags).unwrap_err();
            assert!(
                !message.is_empty() && !message.contains('\n'),
                "{flags:?}: {message}"
            );
            assert!(!message.contains("Usage"), "{flags:?}: {message}");
        }
    }
}
