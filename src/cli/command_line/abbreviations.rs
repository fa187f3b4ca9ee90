//! Flags by the beginning of their names, as Python's argparse knows them: `--lang en`.

use clap::{Arg, Command};

/// The flags of openai/whisper's command (`transcribe.py`, `cli`). What begins one of them alone there means it here
/// too, although there are more flags: `--lang` is `--language`.
const OPENAI: [&str; 32] = [
    "append_punctuations",
    "beam_size",
    "best_of",
    "carry_initial_prompt",
    "clip_timestamps",
    "compression_ratio_threshold",
    "condition_on_previous_text",
    "device",
    "fp16",
    "hallucination_silence_threshold",
    "highlight_words",
    "initial_prompt",
    "language",
    "length_penalty",
    "logprob_threshold",
    "max_line_count",
    "max_line_width",
    "max_words_per_line",
    "model",
    "model_dir",
    "no_speech_threshold",
    "output_dir",
    "output_format",
    "patience",
    "prepend_punctuations",
    "suppress_tokens",
    "task",
    "temperature",
    "temperature_increment_on_fallback",
    "threads",
    "verbose",
    "word_timestamps",
];

/// The flag that a name is the beginning of; none where it begins no flag.
///
/// # Errors
///
/// A line with the flags that it may mean, where there are several.
pub fn whole(command: &Command, name: &str) -> Option<Result<String, String>> {
    let beginning = name.replace('-', "_");
    let begun: Vec<&str> = (command.get_arguments().filter_map(Arg::get_long))
        .filter(|long| long.starts_with(&beginning))
        .collect();
    let of_openai: Vec<&str> = (OPENAI.into_iter())
        .filter(|long| long.starts_with(&beginning))
        .collect();
    match (begun.as_slice(), of_openai.as_slice()) {
        ([], _) => None,
        ([flag], _) | (_, [flag]) => Some(Ok((*flag).to_owned())),
        (many, _) => Some(Err(format!(
            "--{name} may be --{}; write out which",
            many.join(", --")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;
    use crate::cli::command;

    fn of(name: &str) -> Option<Result<String, String>> {
        let command = command();
        whole(command.find_subcommand("transcribe").unwrap(), name)
    }

    #[test]
    fn a_beginning_that_one_flag_has_is_that_flag() {
        for (name, flag) in [
            ("lang", "language"),
            ("word", "word_timestamps"),
            ("output-d", "output_dir"),
            ("comp", "compression_ratio_threshold"),
            ("recur", "recursive"),
        ] {
            assert_eq!(of(name), Some(Ok(flag.to_owned())), "{name}");
        }
        assert_eq!(of("nonsense"), None);
    }

    #[test]
    fn one_that_several_have_is_refused_with_their_names() {
        assert_eq!(
            of("out").unwrap().unwrap_err(),
            "--out may be --output_dir, --output_format, --output_file; write out which"
        );
        // Two of openai/whisper's begin so.
        assert!(of("temp").unwrap().unwrap_err().contains("--temperature_"));
    }

    #[test]
    fn the_flags_of_openai_are_those_of_the_table_of_three_programs() {
        let table = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/flags.tsv");
        let table = fs::read_to_string(table).unwrap();
        let long = |line: &str| {
            let words = line.strip_prefix("whisper\t--")?;
            Some(words.split([' ', '\t']).next()?.to_owned())
        };
        let theirs: BTreeSet<String> = table.lines().filter_map(long).collect();
        let known: BTreeSet<String> = OPENAI.map(str::to_owned).into();
        assert_eq!(known, theirs);
    }
}
