//! From the words that users type to those that the table of flags knows.
//!
//! Commands of three communities are pasted here. What differs beyond the names in the table is put right before
//! parsing: whisper-cli's flags of several letters behind one hyphen, boolean flags without a word behind them, and a
//! command line without a subcommand.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::{Arg, Command};

use super::{abbreviations, whisper_cli};
use crate::cli::flags::values;

/// The subcommand that is meant when none is named, of the command and of `bench`.
const TRANSCRIBE: &str = "transcribe";

/// The benchmark that is meant where random weights are asked for.
const NETWORK: &str = "network";

/// What names of files have and other words have not.
const FILE_MARKS: [char; 4] = ['.', '/', '\\', '*'];

/// The words as the table knows them; other subcommands' are left as they are.
///
/// # Errors
///
/// A line when a flag of whisper-cli has no value, or one without an equal here.
pub fn respell(
    command: &Command,
    words: impl IntoIterator<Item = OsString>,
) -> Result<Vec<OsString>, String> {
    let mut words: Vec<OsString> = words.into_iter().collect();
    if words
        .get(1)
        .is_some_and(|first| means_transcribe(command, first))
    {
        words.insert(1, TRANSCRIBE.into());
    }
    if words.get(1).is_some_and(|word| word == "bench")
        && let (Some(bench), Some(first)) = (command.find_subcommand("bench"), words.get(2))
        && means_transcribe(bench, first)
    {
        let flags = words.iter().take_while(|word| *word != "--");
        let meant = match flags.into_iter().any(|word| is_random_weights(word)) {
            true => NETWORK,
            false => TRANSCRIBE,
        };
        words.insert(2, meant.into());
    }
    let transcribe = command.find_subcommand(TRANSCRIBE);
    match transcribe {
        Some(transcribe) if words.get(1).is_some_and(|word| word == TRANSCRIBE) => {
            let flags = words.split_off(2);
            words.extend(respell_flags(transcribe, flags)?);
            Ok(words)
        }
        _ => Ok(words),
    }
}

/// Whether a word behind a boolean flag is another flag or a file, and not a mistyped value.
fn looks_like_no_value(word: &OsStr) -> bool {
    let text = word.to_string_lossy();
    values::boolean(&text).is_err() && (text.starts_with('-') || looks_like_file(word))
}

/// Whether a word is a file, by its letters or since it is there.
pub fn looks_like_file(word: &OsStr) -> bool {
    word.to_string_lossy().contains(FILE_MARKS) || Path::new(word).exists()
}

/// Whether a word is the flag that `bench network` alone has.
fn is_random_weights(word: &OsStr) -> bool {
    let text = word.to_string_lossy();
    let name = text.split('=').next().unwrap_or_default();
    ["--random_weights", "--random-weights"].contains(&name)
}

/// Whether a command line that begins so has left out the subcommand: a file, or a flag that is not the command's own.
fn means_transcribe(command: &Command, first: &OsStr) -> bool {
    let text = first.to_string_lossy();
    let own = ["-h", "--help", "-V", "--version", "help"].contains(&text.as_ref())
        || command.find_subcommand(first).is_some();
    !own && (text.starts_with('-') || looks_like_file(first))
}

fn respell_flags(transcribe: &Command, words: Vec<OsString>) -> Result<Vec<OsString>, String> {
    let mut respelled = Vec::with_capacity(words.len());
    let mut words = words.into_iter().peekable();
    while let Some(mut word) = words.next() {
        if word == "--" {
            respelled.push(word);
            respelled.extend(words);
            break;
        }
        match whisper_cli::expand(&word, words.peek().map(OsString::as_os_str)) {
            Some(expansion) => {
                let expansion = expansion?;
                respelled.extend(expansion.words);
                if expansion.took_next {
                    words.next();
                }
                continue;
            }
            None => {
                if let Some(whole) = unabbreviated(transcribe, &word) {
                    word = whole?;
                }
                respelled.push(word);
            }
        }
        let Some(arg) = respelled.last().and_then(|word| flag(transcribe, word)) else {
            continue;
        };
        let is_boolean = values::may_stand_alone(arg);
        if !is_boolean && !arg.get_action().takes_values() {
            continue;
        }
        let next_is_value =
            !is_boolean || !words.peek().is_none_or(|next| looks_like_no_value(next));
        if next_is_value {
            // A value that looks like a flag is a value all the same.
            respelled.extend(words.next());
        } else if let Some(flag) = respelled.last_mut() {
            // `--word_timestamps talk.wav`: the file is not its value.
            flag.push("=True");
        }
    }
    Ok(respelled)
}

/// A word that begins with the beginning of a flag's name, with all of the name; none for any other word.
fn unabbreviated(transcribe: &Command, word: &OsStr) -> Option<Result<OsString, String>> {
    let text = word.to_str()?.strip_prefix("--")?;
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    let is_whole = flag(transcribe, OsStr::new(&format!("--{name}"))).is_some();
    let own = ["help", "version"].contains(&name);
    if is_whole || own || name.is_empty() {
        return None;
    }
    let written = |whole: String| match value {
        Some(value) => format!("--{whole}={value}").into(),
        None => format!("--{whole}").into(),
    };
    abbreviations::whole(transcribe, name).map(|whole| whole.map(written))
}

/// The flag that a word alone is, its value being the next word.
fn flag<'a>(command: &'a Command, word: &OsStr) -> Option<&'a Arg> {
    let text = word.to_str()?;
    if let Some(long) = text.strip_prefix("--") {
        return command.get_arguments().find(|arg| {
            arg.get_long() == Some(long)
                || arg.get_all_aliases().unwrap_or_default().contains(&long)
        });
    }
    let mut letters = text.strip_prefix('-')?.chars();
    let letter = letters.next()?;
    if letters.next().is_some() {
        return None;
    }
    (command.get_arguments()).find(|arg| arg.get_short() == Some(letter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command;

    fn respelled(line: &str) -> String {
        let words = line.split(' ').map(OsString::from);
        let words = respell(&command(), words).unwrap();
        let words: Vec<_> = words.iter().map(|word| word.to_str().unwrap()).collect();
        words.join(" ")
    }

    #[test]
    fn flags_of_whisper_cli_are_their_equals() {
        for (given, meant) in [
            ("-bo 3 -bs 2", "--best_of=3 --beam_size=2"),
            (
                "-otxt -osrt a.wav",
                "--output_format=txt --output_format=srt a.wav",
            ),
            (
                "-tr -nf",
                "--task=translate --temperature_increment_on_fallback=None",
            ),
            ("--no-speech-thold 0.5", "--no_speech_threshold=0.5"),
            ("--logprob-thold=-0.5", "--logprob_threshold=-0.5"),
            (
                "-ml 40",
                "--word_timestamps=True --max_line_width=40 --max_line_count=1",
            ),
            ("-ml 0 -fa -oved CPU a.wav", "a.wav"),
            ("-mc 0", "--condition_on_previous_text=False"),
            ("--device 1", "--device_index=1"),
            ("--device cpu", "--device cpu"),
        ] {
            let line = respelled(&format!("whisper-rs transcribe {given}"));
            assert_eq!(line, format!("whisper-rs transcribe {meant}"));
        }
    }

    #[test]
    fn a_word_behind_a_flag_of_whisper_cli_may_turn_it_off() {
        for (given, meant) in [
            ("--translate=False a.wav", "a.wav"),
            ("--translate false a.wav", "a.wav"),
            ("-tr True a.wav", "--task=translate a.wav"),
            ("--no-timestamps False", "--without_timestamps=False"),
            ("-np=False", "--quiet=False"),
            ("-np a.wav", "--quiet=True a.wav"),
            ("-fa False a.wav", "a.wav"),
            ("-otxt False -osrt", "--output_format=srt"),
        ] {
            let line = respelled(&format!("whisper-rs transcribe {given}"));
            assert_eq!(line, format!("whisper-rs transcribe {meant}"));
        }
        let words = ["whisper-rs", "transcribe", "--translate=perhaps"].map(OsString::from);
        let message = respell(&command(), words).unwrap_err();
        assert_eq!(message, "--translate: write True or False");
    }

    #[test]
    fn the_beginning_of_a_flag_is_the_flag() {
        for (given, meant) in [
            ("--lang en", "--language en"),
            ("--beam=3", "--beam_size=3"),
            ("--word a.wav", "--word_timestamps=True a.wav"),
            ("--initial -nt", "--initial_prompt -nt"),
            ("--best-of 3", "--best-of 3"),
            ("--help", "--help"),
            ("--nonsense", "--nonsense"),
        ] {
            let line = respelled(&format!("whisper-rs transcribe {given}"));
            assert_eq!(line, format!("whisper-rs transcribe {meant}"));
        }
        let words = ["whisper-rs", "transcribe", "--out", "-"].map(OsString::from);
        let message = respell(&command(), words).unwrap_err();
        assert!(
            message.contains("--output_dir, --output_format"),
            "{message}"
        );
    }

    #[test]
    fn a_value_is_never_taken_for_a_flag() {
        for line in [
            "whisper-rs transcribe --initial_prompt -nt a.wav",
            "whisper-rs transcribe --suppress_tokens -1 a.wav",
            "whisper-rs transcribe -- -nt",
            "whisper-rs bench frontend -nt",
        ] {
            assert_eq!(respelled(line), line);
        }
    }

    #[test]
    fn boolean_flags_take_no_file() {
        assert_eq!(
            respelled("whisper-rs transcribe --word-timestamps a.wav --verbose False"),
            "whisper-rs transcribe --word-timestamps=True a.wav --verbose False"
        );
        assert_eq!(
            respelled("whisper-rs transcribe a.wav -p"),
            "whisper-rs transcribe a.wav -p=True"
        );
    }

    #[test]
    fn a_mistyped_value_is_no_file() {
        let line = "whisper-rs transcribe a.wav --verbose maybe";
        assert_eq!(respelled(line), line);
    }

    #[test]
    fn a_line_without_subcommand_transcribes() {
        assert_eq!(
            respelled("whisper-rs a.wav --model tiny"),
            "whisper-rs transcribe a.wav --model tiny"
        );
        assert_eq!(
            respelled("whisper-rs -m tiny a.wav"),
            "whisper-rs transcribe -m tiny a.wav"
        );
        assert_eq!(
            respelled("whisper-rs bench a.wav --runs 2"),
            "whisper-rs bench transcribe a.wav --runs 2"
        );
        for flag in [
            "--random_weights large-v3",
            "--runs 2 --random-weights=tiny",
        ] {
            assert_eq!(
                respelled(&format!("whisper-rs bench {flag}")),
                format!("whisper-rs bench network {flag}")
            );
        }
        for line in [
            "whisper-rs --help",
            "whisper-rs bench",
            "whisper-rs bench load",
            "whisper-rs bench --help",
            "whisper-rs transcrbe",
        ] {
            assert_eq!(respelled(line), line);
        }
    }

    #[test]
    fn values_without_an_equal_are_refused() {
        for (line, says) in [
            ("whisper-rs transcribe -mc 100", "-mc: give 0"),
            ("whisper-rs transcribe -p 4", "-p: recordings"),
            ("whisper-rs transcribe -ml wide", "-ml: write"),
            ("whisper-rs transcribe a.wav -bo", "-bo needs a value"),
        ] {
            let words = line.split(' ').map(OsString::from);
            let message = respell(&command(), words).unwrap_err();
            assert!(message.contains(says), "{message}");
        }
    }
}
