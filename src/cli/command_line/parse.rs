//! From the words of a command line to what is to be done, or to the one line that says what is wrong with them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::FromArgMatches;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use tracing::Level;

use super::{abbreviations, alike, spelling};
use crate::cli::arguments::TranscribeArguments;
use crate::cli::bench::BenchCommand;
use crate::cli::feedback::{log, messages};
use crate::cli::refused::Refused;
use crate::cli::settings::{self, Settings};
use crate::cli::{Cli, Command, USAGE, command, ended, output_lines};

/// Parses the command line. When there is nothing to run (help, version, a usage error) that has been printed,
/// and the exit code comes back instead of a command.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, ExitCode> {
    let words: Vec<OsString> = arguments.into_iter().collect();
    try_parse(words.iter().cloned()).map_err(|stop| {
        // What is wrong with the words is told in the form that they ask for.
        log::configure(Level::INFO, asks_for_json(&command(), &words));
        stop.end()
    })
}

/// Why there is no command to run.
#[derive(Debug)]
pub(in crate::cli) enum Stop {
    /// What was asked for is this text.
    Printed(String),
    Clap(clap::Error),
    Refused(Refused),
}

impl Stop {
    /// Prints what there is to print, and returns the exit code.
    fn end(self) -> ExitCode {
        match self {
            Stop::Printed(text) => {
                (settings::misspelt_variables(&command()).iter()).for_each(messages::warning);
                ended(output_lines::print_text(&text))
            }
            Stop::Refused(refused) => refused.end(),
            Stop::Clap(error) => match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                    // It colours what it prints, and leaves what a terminal cannot show.
                    ended(output_lines::unless_closed(error.print()))
                }
                ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                    let _ = error.print();
                    ExitCode::from(USAGE)
                }
                _ => Refused::Usage(one_line(&without_far_suggestion(error))).end(),
            },
        }
    }
}

impl From<clap::Error> for Stop {
    fn from(error: clap::Error) -> Self {
        Stop::Clap(error)
    }
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Stop::Refused(refused)
    }
}

impl From<String> for Stop {
    fn from(message: String) -> Self {
        Stop::Refused(Refused::Usage(message))
    }
}

/// Whether words, which may be no command line, or settings, which may have mistakes, ask for messages as JSON.
fn asks_for_json(command: &clap::Command, words: &[OsString]) -> bool {
    let subcommand = words.get(1).and_then(|word| command.find_subcommand(word));
    let Some(transcribe) = command.find_subcommand("transcribe") else {
        return false;
    };
    if subcommand.is_some_and(|other| other.get_name() != transcribe.get_name()) {
        return false;
    }
    let format = given(transcribe, words, "log_format").or_else(|| {
        let config = given(transcribe, words, "config").map(PathBuf::from);
        settings::elsewhere(transcribe, config, "log_format")
    });
    format.is_some_and(|format| format == "json")
}

/// The last value that these words have for a flag.
fn given(command: &clap::Command, words: &[OsString], flag: &str) -> Option<OsString> {
    let is_flag = |name: &str| abbreviations::whole(command, name) == Some(Ok(flag.to_owned()));
    let mut values = words.iter().enumerate().filter_map(|(index, word)| {
        let text = word.to_str()?.strip_prefix("--")?;
        match text.split_once('=') {
            Some((name, value)) => is_flag(name).then(|| value.into()),
            None => is_flag(text).then(|| words.get(index + 1).cloned())?,
        }
    });
    values.next_back()
}

/// Parses the command line, settings from elsewhere included.
pub(in crate::cli) fn try_parse(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Command, Stop> {
    let command = command();
    let mut words = spelling::respell(&command, arguments)?;
    let mut matches = command.clone().try_get_matches_from(&words)?;
    let mut settings = Settings::default();
    if let (Some(("transcribe", given)), Some(transcribe)) =
        (matches.subcommand(), command.find_subcommand("transcribe"))
    {
        settings = Settings::find(transcribe, given)?;
        let mut found = Vec::new();
        for (word, source) in settings.words() {
            // Each alone, so that a mistake is told with its place.
            let alone = ["transcribe".into(), word.clone()];
            if let Err(error) = transcribe.clone().try_get_matches_from(alone) {
                return Err(format!("{source}: {}", one_line(&error)).into());
            }
            found.push(word);
        }
        // Before the words of the command line: of a flag that is there twice the last one counts.
        words.splice(2..2, found);
        let print = given.get_flag("print_config");
        matches = command.clone().try_get_matches_from(&words)?;
        if let (true, Some((_, in_force))) = (print, matches.subcommand()) {
            let arguments = TranscribeArguments::from_arg_matches(in_force)?;
            (arguments.check_flags()).map_err(|refused| with_sources(refused, &settings))?;
            return Err(Stop::Printed(settings.print(transcribe, in_force)));
        }
    }
    let mut cli = Cli::from_arg_matches(&matches)?;
    match &mut cli.command {
        Command::Transcribe(arguments) => {
            (arguments.check()).map_err(|refused| with_sources(refused, &settings))?;
        }
        Command::Eval(arguments) => arguments.check()?,
        Command::Bench(BenchCommand::Transcribe(arguments)) => {
            arguments.check()?;
            let bench = matches.subcommand_matches("bench");
            if let (Some(transcribe), Some(given)) = (
                command.find_subcommand("transcribe"),
                bench.and_then(|bench| bench.subcommand_matches("transcribe")),
            ) {
                arguments.keep_given(transcribe, given);
            }
        }
        _ => {}
    }
    Ok(cli.command)
}

/// Adds to a line about several flags where those of them come from that are not on the command line.
fn with_sources(refused: Refused, settings: &Settings) -> Refused {
    match refused {
        Refused::Usage(line) => {
            let sources: Vec<String> = (settings.named_in(&line))
                .map(|(flag, source)| format!("{flag} is from {source}"))
                .collect();
            Refused::Usage(match sources.as_slice() {
                [] => line,
                _ => format!("{line} ({})", sources.join(", ")),
            })
        }
        other => other,
    }
}

/// Leaves out the flag that clap takes for the one that was meant, where another word was written.
fn without_far_suggestion(mut error: clap::Error) -> clap::Error {
    let name = |kind| match error.get(kind)? {
        ContextValue::String(flag) => Some(flag.trim_start_matches('-').replace('-', "_")),
        _ => None,
    };
    let written = name(ContextKind::InvalidArg).zip(name(ContextKind::SuggestedArg));
    if written.is_some_and(|(written, meant)| alike::typing_errors(&written, &meant).is_none()) {
        error.remove(ContextKind::SuggestedArg);
    }
    error
}

/// clap's message without its usage block, as one line.
pub(in crate::cli) fn one_line(error: &clap::Error) -> String {
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
    use crate::cli::testing::transcribe;

    #[test]
    fn both_spellings_of_a_flag_mean_the_same() {
        let underscore =
            transcribe(&["--output_dir", "out", "--no_speech_threshold", "0.5"]).unwrap();
        let hyphen = transcribe(&["--output-dir", "out", "--no-speech-threshold", "0.5"]).unwrap();
        assert_eq!(format!("{underscore:?}"), format!("{hyphen:?}"));
        assert!(transcribe(&["--word-timestamps", "False"]).is_ok());
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
            ["--compute_type", "int8"],
            ["--compute_type", "int8_float32"],
        ] {
            assert!(transcribe(&flags).is_ok(), "{flags:?}");
        }
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
