//! The table of flags: what is parsed, and what the help, the manual page, the completions and the config file are made
//! from.
//!
//! A flag's name, text, default and group stand where its value is (`*_flags.rs`). What follows from its type, and what
//! holds for all, is added here.

use std::any::TypeId;

use clap::{Arg, ArgAction, Command, CommandFactory};

use super::whisper_cli;
use crate::cli::Cli;
use crate::cli::flags::values;

/// The whole table. Every flag has both spellings: `--output_dir` as openai/whisper writes it, and `--output-dir`.
pub fn command() -> Command {
    let command = both_spellings(Cli::command());
    command
        .mut_subcommand("transcribe", |transcribe| {
            with_engine_flags(transcribe).mut_args(with_aliases)
        })
        .mut_subcommand("eval", with_engine_flags)
        .mut_subcommand("bench", |bench| {
            bench.mut_subcommand("transcribe", with_engine_flags)
        })
}

/// What holds for the flags of every subcommand that transcribes.
fn with_engine_flags(command: Command) -> Command {
    command.mut_args(|arg| match arg.get_long() {
        Some(_) => last_counts(with_value(arg)),
        None => arg,
    })
}

fn both_spellings(command: Command) -> Command {
    let command = command.mut_args(|arg| match arg.get_long() {
        Some(long) if long.contains('_') => {
            let hyphens = long.replace('_', "-");
            arg.alias(hyphens)
        }
        _ => arg,
    });
    command.mut_subcommands(both_spellings)
}

/// What a flag's type says of the words that it takes: a boolean may stand alone, which is True, and is False by default;
/// other values may begin with a hyphen, as negative numbers do.
fn with_value(arg: Arg) -> Arg {
    if arg.get_value_parser().type_id() == TypeId::of::<bool>() {
        let optional = matches!(arg.get_action(), ArgAction::Set);
        let has_default = optional || !arg.get_default_values().is_empty();
        let arg = (arg.action(ArgAction::Set))
            .value_parser(values::boolean)
            .num_args(0..=1)
            .default_missing_value("True")
            .value_name(values::BOOLEAN);
        return match has_default {
            true => arg,
            false => arg.default_value("False"),
        };
    }
    let takes_values = arg.get_action().takes_values();
    if !takes_values || values::may_stand_alone(&arg) {
        return arg;
    }
    arg.allow_hyphen_values(true)
}

/// Of a flag that is there twice the last one counts, as in openai/whisper's command; lists grow.
fn last_counts(arg: Arg) -> Arg {
    if matches!(arg.get_action(), ArgAction::Append) {
        return arg;
    }
    let id = arg.get_id().clone();
    arg.overrides_with(id)
}

/// Says in a flag's long help what whisper-cli calls it.
fn with_aliases(arg: Arg) -> Arg {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::flags::heading;

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
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
}
