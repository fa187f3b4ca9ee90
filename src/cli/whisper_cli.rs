//! The flags of whisper.cpp's `whisper-cli`, as aliases of the flags here.
//!
//! Single letters that mean the same here are short flags of the table itself (`-m`, `-l`, `-t`, `-d`). Left out are
//! those that mean something else here (`-f`, `-p`, `-o`), and those without an equal.

use std::ffi::{OsStr, OsString};

/// What an alias stands for.
#[derive(Clone, Copy)]
pub enum Meaning {
    /// These words.
    Words(&'static [&'static str]),
    /// A flag with the alias' value.
    Flag(&'static str),
    /// Words that depend on the alias' value.
    Value(fn(&str) -> Result<Vec<String>, String>),
    /// What is done anyway, whatever the value.
    Nothing { takes_value: bool },
}

/// A flag of whisper-cli.
pub struct Alias {
    /// As it is given with one hyphen: `bo`.
    pub short: &'static str,
    /// As it is given with two; empty where that is a flag of the table itself.
    pub long: &'static str,
    pub meaning: Meaning,
}

const fn alias(short: &'static str, long: &'static str, meaning: Meaning) -> Alias {
    Alias {
        short,
        long,
        meaning,
    }
}

use Meaning::{Flag, Nothing, Value, Words};

/// All aliases.
pub const ALIASES: &[Alias] = &[
    alias("bo", "", Flag("best_of")),
    alias("bs", "", Flag("beam_size")),
    alias("tp", "", Flag("temperature")),
    alias(
        "tpi",
        "temperature-inc",
        Flag("temperature_increment_on_fallback"),
    ),
    alias(
        "nf",
        "no-fallback",
        Words(&["--temperature_increment_on_fallback=None"]),
    ),
    alias("lpt", "logprob-thold", Flag("logprob_threshold")),
    alias("nth", "no-speech-thold", Flag("no_speech_threshold")),
    alias("mc", "max-context", Value(max_context)),
    alias("sns", "suppress-nst", Words(&["--suppress_tokens=-1"])),
    alias("", "prompt", Flag("initial_prompt")),
    alias("tr", "translate", Words(&["--task=translate"])),
    alias("ot", "offset-t", Flag("offset_t")),
    alias("ml", "max-len", Value(max_len)),
    alias("sow", "split-on-word", Nothing { takes_value: false }),
    alias("dtw", "dtw", Value(dtw)),
    alias("nt", "no-timestamps", Words(&["--without_timestamps=True"])),
    alias("otxt", "output-txt", Words(&["--output_format=txt"])),
    alias("ovtt", "output-vtt", Words(&["--output_format=vtt"])),
    alias("osrt", "output-srt", Words(&["--output_format=srt"])),
    alias("olrc", "output-lrc", Words(&["--output_format=lrc"])),
    alias("ocsv", "output-csv", Words(&["--output_format=csv"])),
    alias("oj", "output-json", Words(&["--output_format=json"])),
    alias(
        "ojf",
        "output-json-full",
        Words(&["--output_format=json-full"]),
    ),
    alias("np", "no-prints", Words(&["--quiet"])),
    alias("pc", "", Words(&["--print_colors=True"])),
    alias("ng", "no-gpu", Words(&["--device=cpu"])),
    alias("dev", "", Flag("device_index")),
    alias("fa", "flash-attn", Nothing { takes_value: false }),
    alias("nfa", "no-flash-attn", Nothing { takes_value: false }),
    alias("oved", "ov-e-device", Nothing { takes_value: true }),
    alias("di", "", Words(&["--diarize=True"])),
    alias("tdrz", "tinydiarize", Words(&["--diarize=True"])),
];

/// The words that an alias and, where it takes one, its value stand for.
pub struct Expansion {
    pub words: Vec<OsString>,
    /// Whether the word behind the alias was its value.
    pub took_next: bool,
}

/// What a word means that may be an alias, as `-bo`, `--best-of` or `--best-of=5`; none where it is no alias.
///
/// # Errors
///
/// A line when the value is missing or has no equal here.
pub fn expand(word: &OsStr, next: Option<&OsStr>) -> Option<Result<Expansion, String>> {
    let text = word.to_str()?;
    let (name, attached) = match text.split_once('=') {
        Some((name, value)) => (name, Some(OsString::from(value))),
        None => (text, None),
    };
    let alias = find(name)?;
    let value = |name: &str| match (&attached, next) {
        (Some(value), _) => Ok((value.clone(), false)),
        (None, Some(next)) => Ok((next.to_owned(), true)),
        (None, None) => Err(format!("{name} needs a value")),
    };
    Some(match alias.meaning {
        Words(words) => Ok(Expansion {
            words: words.iter().map(OsString::from).collect(),
            took_next: false,
        }),
        Flag(flag) => value(name).map(|(value, took_next)| {
            let mut word = OsString::from(format!("--{flag}="));
            word.push(value);
            Expansion {
                words: vec![word],
                took_next,
            }
        }),
        Value(meaning) => value(name).and_then(|(value, took_next)| {
            let words = meaning(&value.to_string_lossy());
            let words = words.map_err(|reason| format!("{name}: {reason}"))?;
            Ok(Expansion {
                words: words.into_iter().map(OsString::from).collect(),
                took_next,
            })
        }),
        Nothing { takes_value: false } => Ok(Expansion {
            words: Vec::new(),
            took_next: false,
        }),
        Nothing { takes_value: true } => value(name).map(|(_, took_next)| Expansion {
            words: Vec::new(),
            took_next,
        }),
    })
}

/// The aliases of a flag of the table, as whisper-cli's users write them.
pub fn aliases_of(flag: &str) -> impl Iterator<Item = String> {
    (ALIASES.iter())
        .filter(move |alias| match alias.meaning {
            Flag(meant) => meant == flag,
            Words([word]) => {
                let name = word.trim_start_matches('-');
                name.split('=').next() == Some(flag)
            }
            _ => false,
        })
        .map(|alias| match alias.short {
            "" => format!("--{}", alias.long),
            short => format!("-{short}"),
        })
}

fn find(name: &str) -> Option<&'static Alias> {
    let aliases = ALIASES.iter();
    if let Some(long) = name.strip_prefix("--") {
        let long = long.replace('_', "-");
        return aliases
            .into_iter()
            .find(|alias| !long.is_empty() && alias.long == long);
    }
    let short = name.strip_prefix('-')?;
    aliases
        .into_iter()
        .find(|alias| !short.is_empty() && alias.short == short)
}

/// Tokens of context from window to window: all (-1) or none (0) here.
fn max_context(value: &str) -> Result<Vec<String>, String> {
    match value {
        "0" => Ok(vec!["--condition_on_previous_text=False".to_owned()]),
        "-1" => Ok(vec!["--condition_on_previous_text=True".to_owned()]),
        _ => Err("give 0 for no context or -1 for all".to_owned()),
    }
}

/// Characters in a segment: lines of words.
fn max_len(value: &str) -> Result<Vec<String>, String> {
    match value.parse::<usize>() {
        Ok(0) => Ok(Vec::new()),
        Ok(_) => Ok(vec![
            "--word_timestamps=True".to_owned(),
            format!("--max_line_width={value}"),
            "--max_line_count=1".to_owned(),
        ]),
        Err(_) => Err("write a whole number from 0 up".to_owned()),
    }
}

/// The heads that words are aligned by are the model's own.
fn dtw(_model: &str) -> Result<Vec<String>, String> {
    Ok(vec!["--word_timestamps=True".to_owned()])
}
