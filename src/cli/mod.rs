//! The command line: one file per subcommand, and what they share.
//!
//! Exit codes: 0 when everything went through, 1 when something failed, 2 for a wrong command line, 130 when interrupted.

mod arguments;
mod batch;
pub mod bench;
mod decoding_flags;
pub mod documents;
mod feedback_flags;
mod heading;
mod input_flags;
mod inputs;
mod interrupt;
mod later;
pub mod log;
pub mod messages;
pub mod models;
mod output_flags;
mod output_lines;
mod output_names;
mod outputs;
mod precision;
mod progress;
mod settings;
mod spelling;
mod standard_output;
#[cfg(test)]
mod testing;
mod threads;
pub mod transcribe;
mod transcript_lines;
mod values;
mod whisper_cli;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;

use settings::Settings;

pub use arguments::{SmoothingKind, TranscribeArguments};

/// Exit code of a run in which something failed.
const FAILED: u8 = 1;
/// Exit code for a command line that cannot be run.
const USAGE: u8 = 2;
/// Exit code of a run that was interrupted, as shells have it for Ctrl-C.
const INTERRUPTED: u8 = 130;

/// Whisper speech to text: from an audio file to a transcript, in pure Rust.
#[derive(Debug, Parser)]
#[command(
    name = "whisper-rs",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What the command can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Transcribe audio files, with the flags of OpenAI's `whisper` command
    #[command(after_long_help = SETTINGS_HELP)]
    Transcribe(Box<TranscribeArguments>),
    /// List, describe, fetch, convert and remove models
    #[command(subcommand)]
    Models(models::ModelsCommand),
    /// Measure how fast the parts are on this machine
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    /// Print completions of the command line for a shell
    Completions {
        /// Shell
        shell: Shell,
    },
    /// Print the manual page, as troff: whisper-rs man transcribe | man -l -
    Man {
        /// Subcommand that the page is about
        subcommand: Option<String>,
    },
}

/// What the help says at its end.
const SETTINGS_HELP: &str = "\
Every flag can also be set by an environment variable (WHISPER_RS_BEAM_SIZE for --beam_size) and in the config file
(beam_size = 5). The command line goes before the environment, and that before the file. Flags may be written with
hyphens (--beam-size); a boolean flag without a word behind it is True; None unsets what is optional. Flags of
whisper-cli that mean the same are known by its names.

Exit codes: 0 when everything went through, 1 when something failed (the other files are done all the same), 2 for a wrong
command line, 130 when interrupted.";

/// Parses the command line. When there is nothing to run (help, version, a usage error) that has been printed,
/// and the exit code comes back instead of a command.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, ExitCode> {
    try_parse(arguments).map_err(|stop| match stop {
        Stop::Printed(text) => {
            // A reader that closed the pipe has seen enough.
            let _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Stop::Clap(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
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
        },
    })
}

/// The exit code of what only prints something.
pub fn printed(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            messages::error(message);
            ExitCode::from(USAGE)
        }
    }
}

/// Why there is no command to run.
#[derive(Debug)]
enum Stop {
    /// What was asked for is this text.
    Printed(String),
    Clap(clap::Error),
}

impl From<clap::Error> for Stop {
    fn from(error: clap::Error) -> Self {
        Stop::Clap(error)
    }
}

impl From<String> for Stop {
    fn from(message: String) -> Self {
        Stop::Clap(clap::Error::raw(ErrorKind::ValueValidation, message))
    }
}

fn try_parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, Stop> {
    let command = command();
    let mut words = spelling::respell(&command, arguments)?;
    let mut matches = command.clone().try_get_matches_from(&words)?;
    if let (Some(("transcribe", given)), Some(transcribe)) =
        (matches.subcommand(), command.find_subcommand("transcribe"))
    {
        let settings = Settings::find(transcribe, given)?;
        for (word, source) in settings.words() {
            // Each alone, so that a mistake is told with its place.
            let alone = ["transcribe".into(), word.clone()];
            if let Err(error) = transcribe.clone().try_get_matches_from(alone) {
                return Err(format!("{source}: {}", one_line(&error)).into());
            }
            words.insert(2, word);
        }
        let print = given.get_flag("print_config");
        matches = command.clone().try_get_matches_from(&words)?;
        if let (true, Some((_, in_force))) = (print, matches.subcommand()) {
            return Err(Stop::Printed(settings.print(transcribe, in_force)));
        }
    }
    let cli = Cli::from_arg_matches(&matches)?;
    if let Command::Transcribe(arguments) = &cli.command {
        arguments.check()?;
    }
    Ok(cli.command)
}

/// The table of flags: what is parsed, and what the help, the manual page, the completions and the config file are made
/// from. Every flag has both spellings: `--output_dir` as openai/whisper writes it, and `--output-dir`.
pub fn command() -> clap::Command {
    both_spellings(Cli::command()).mut_subcommand("transcribe", |transcribe| {
        transcribe.mut_args(|arg| last_counts(with_aliases(arg)))
    })
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

/// Of a flag that is there twice the last one counts, as in openai/whisper's command; lists grow.
fn last_counts(arg: clap::Arg) -> clap::Arg {
    if matches!(arg.get_action(), clap::ArgAction::Append) || arg.get_long().is_none() {
        return arg;
    }
    let id = arg.get_id().clone();
    arg.overrides_with(id)
}

/// Says in a flag's long help what whisper-cli calls it.
fn with_aliases(arg: clap::Arg) -> clap::Arg {
    let aliases: Vec<String> = (arg.get_long().into_iter())
        .flat_map(whisper_cli::aliases_of)
        .collect();
    match arg.get_help() {
        Some(help) if !aliases.is_empty() => {
            let help = format!("{help} [whisper-cli: {}]", aliases.join(", "));
            arg.long_help(help)
        }
        _ => arg,
    }
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

    use super::testing::transcribe;
    use super::*;

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn both_spellings_of_a_flag_mean_the_same() {
        let underscore =
            transcribe(&["--output_dir", "out", "--no_speech_threshold", "0.5"]).unwrap();
        let hyphen = transcribe(&["--output-dir", "out", "--no-speech-threshold", "0.5"]).unwrap();
        assert_eq!(underscore.output.output_dir, hyphen.output.output_dir);
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
        for (flags, about) in [
            (&["--vad_filter", "True"][..], "voice activity detection"),
            (&["--vad"], "voice activity detection"),
            (&["--vad-threshold", "0.5"], "voice activity detection"),
            (&["--batched", "True"], "batched decoding"),
            (&["--batch_size", "8"], "batched decoding"),
            (&["--live_transcribe"], "live input"),
            (&["--hf_token", "hf_x"], "speakers"),
            (&["-di"], "speakers"),
            (&["--compute_type", "int8"], "float32"),
        ] {
            let message = transcribe(flags).unwrap_err();
            assert!(
                message.starts_with("not supported yet: --") && message.contains(about),
                "{flags:?}: {message}"
            );
            assert!(!message.contains('\n'));
        }
    }

    #[test]
    fn values_that_say_what_is_done_anyway_are_taken() {
        for flags in [
            ["--fp16", "False"],
            ["--vad_filter", "False"],
            ["--vad_threshold", "None"],
            ["--batched", "False"],
            ["--batch_size", "None"],
            ["--live_transcribe", "False"],
            ["--speaker_num", "2"],
            ["--hf_token", ""],
            ["--compute_type", "float32"],
            ["--compute_type", "default"],
        ] {
            assert!(transcribe(&flags).is_ok(), "{flags:?}");
        }
        let half = transcribe(&["--fp16", "--device", "cuda"]).unwrap();
        assert_eq!(half.compute_type(), whisper_rs::ComputeType::Float16);
        let arguments = transcribe(&["--fp16"]).unwrap();
        assert!(arguments.warnings().next().unwrap().contains("FP32"));
    }

    #[test]
    fn a_command_of_each_community_is_taken() {
        for line in [
            "--model tiny --language English --task transcribe --output_format all --output_dir . --verbose False \
             --fp16 False --threads 4 --word_timestamps True --highlight_words True --max_line_width 42 \
             --max_line_count 2 --best_of 5 --beam_size 5 --patience 1.0 --suppress_tokens -1 --clip_timestamps 0,5",
            "--model tiny --device auto --compute_type auto --local_files_only True --vad_filter False -p True \
             --print_colors True --hotwords Burn --repetition_penalty 1.1 --device_index 0 --batched False",
            "-m tiny -l en -t 4 -bo 5 -bs 5 -tp 0.0 -tpi 0.2 -lpt -1.00 -nth 0.6 -ot 0 -d 0 -ml 40 -sow -osrt -oj -np \
             -nf -sns --prompt Hello -mc -1 -fa",
        ] {
            let flags: Vec<_> = line.split_whitespace().collect();
            assert!(transcribe(&flags).is_ok(), "{:?}", transcribe(&flags));
        }
    }

    #[test]
    fn an_offset_and_a_duration_are_a_clip() {
        let clips = |flags: &[&str]| transcribe(flags).unwrap().options().clip_timestamps;
        assert_eq!(clips(&["-ot", "1500", "-d", "2000"]), [1.5, 3.5]);
        assert_eq!(clips(&["-ot", "1500"]), [1.5]);
        assert_eq!(clips(&["-d", "2000"]), [0.0, 2.0]);
        assert_eq!(clips(&["-d", "0"]), [0.0]);
        assert!(transcribe(&["-ot", "1", "--clip_timestamps", "1"]).is_err());
    }

    #[test]
    fn the_help_is_grouped_and_has_a_short_form() {
        let mut command = command();
        let transcribe = command.find_subcommand_mut("transcribe").unwrap();
        let short = transcribe.render_help().to_string();
        let whole = transcribe.render_long_help().to_string();
        for heading in [
            heading::MODEL,
            heading::OUTPUT,
            heading::SPEECH,
            heading::DECODING,
        ] {
            assert!(whole.contains(&format!("\n{heading}:")), "{heading}");
        }
        assert!(short.contains("--beam_size") && !short.contains("--length_penalty"));
        assert!(short.lines().count() * 2 < whole.lines().count());
        for arg in transcribe.get_arguments().filter(|arg| !arg.is_hide_set()) {
            let Some(long) = arg.get_long() else { continue };
            assert!(whole.contains(&format!("--{long}")), "{long}");
            assert!(arg.get_help().is_some(), "{long}");
            let heading = arg.get_help_heading();
            assert!(
                heading.is_some() || ["help", "version"].contains(&long),
                "{long}"
            );
        }
        assert!(whole.contains("[whisper-cli: -bs]"));
    }

    #[test]
    fn flags_for_lines_of_words_need_words() {
        for flags in [
            ["--max_line_width", "40"],
            ["--max_line_count", "2"],
            ["--max_words_per_line", "3"],
            ["--highlight_words", "True"],
        ] {
            let message = transcribe(&flags).unwrap_err();
            assert_eq!(
                message,
                format!("{} requires --word_timestamps True", flags[0])
            );
            let words = [&flags[..], &["--word_timestamps", "True"]].concat();
            assert!(transcribe(&words).is_ok(), "{flags:?}");
        }
        for flags in [
            ["--max_line_width", "None"],
            ["--max_line_count", "0"],
            ["--highlight_words", "False"],
        ] {
            assert!(transcribe(&flags).is_ok(), "{flags:?}");
        }
        let warnings = |flags: &str| -> Vec<_> {
            let flags: Vec<_> = flags.split(' ').collect();
            transcribe(&flags).unwrap().output.warnings().collect()
        };
        let told = warnings("--word_timestamps True --max_line_count 2");
        assert_eq!(
            told,
            ["--max_line_count has no effect without --max_line_width"]
        );
        let told = warnings("--word_timestamps True --max_words_per_line 2 --max_line_width 20");
        assert_eq!(
            told,
            ["--max_words_per_line has no effect with --max_line_width"]
        );
        assert!(
            warnings("--word_timestamps True --max_line_count 2 --max_line_width 20").is_empty()
        );
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
