//! The flags of whisper.cpp's `whisper-cli`, as aliases of the flags here.
//!
//! Single letters that mean the same here are short flags of the table itself (`-m`, `-l`, `-t`, `-d`). Three mean
//! something else here, and what follows them tells which is meant: `-f talk.wav` is a file and `-f srt` a format, `-p 1`
//! is a number of processors and `-p` alone asks for pretty JSON, `--device 0` is a GPU's number and `--device cuda` a
//! kind of device. What has no equal is refused by a line that says why.

use std::ffi::{OsStr, OsString};

use whisper_rs::output;

use super::spelling;
use crate::cli::flags::values;
use crate::cli::inputs;

/// What an alias stands for.
#[derive(Clone, Copy)]
pub enum Meaning {
    /// What may stand alone, or be followed by True or False.
    Alone(Switch),
    /// A flag with the alias' value.
    Flag(&'static str),
    /// Words that depend on the alias' value.
    Value(fn(&str) -> Result<Vec<String>, String>),
    /// The alias' value alone, which is an input.
    Input,
    /// What is done anyway with these values, and what is said of any other.
    Only(&'static [&'static str], &'static str),
    /// What has no equal, and what is said of it.
    Unequalled(&'static str),
}

/// What an alias that may stand alone stands for.
#[derive(Clone, Copy)]
pub enum Switch {
    /// This word; nothing where False follows.
    Word(&'static str),
    /// A boolean flag, which is True unless False follows.
    Boolean(&'static str),
    /// What is done anyway.
    Nothing,
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

const fn word(word: &'static str) -> Meaning {
    Alone(Switch::Word(word))
}

const fn boolean(flag: &'static str) -> Meaning {
    Alone(Switch::Boolean(flag))
}

use Meaning::{Alone, Flag, Input, Only, Unequalled, Value};

/// All aliases, in the order of whisper-cli's help.
#[rustfmt::skip]
pub const ALIASES: &[Alias] = &[
    alias("", "processors", Value(processors)),
    alias("ot", "", Flag("offset_t")),
    alias("on", "", Flag("offset_n")),
    alias("mc", "max-context", Value(max_context)),
    alias("ml", "max-len", Value(max_len)),
    alias("sow", "split-on-word", Alone(Switch::Nothing)),
    alias("bo", "", Flag("best_of")),
    alias("bs", "", Flag("beam_size")),
    alias("ac", "audio-ctx", Only(&["0", "1500"], "the encoder always hears 30 s; a smaller --model is faster")),
    alias("wt", "word-thold", Only(&["0.01"], "give --word_timestamps, which times words without a threshold")),
    alias("et", "entropy-thold", Only(&["2.4"], "give --compression_ratio_threshold, another measure of repetition")),
    alias("lpt", "logprob-thold", Flag("logprob_threshold")),
    alias("nth", "no-speech-thold", Flag("no_speech_threshold")),
    alias("tp", "", Flag("temperature")),
    alias("tpi", "temperature-inc", Flag("temperature_increment_on_fallback")),
    alias("debug", "debug-mode", word("--log_level=debug")),
    alias("tr", "translate", word("--task=translate")),
    alias("di", "", boolean("diarize")),
    alias("tdrz", "tinydiarize", boolean("diarize")),
    alias("nf", "no-fallback", word("--temperature_increment_on_fallback=None")),
    alias("otxt", "output-txt", word("--output_format=txt")),
    alias("ovtt", "output-vtt", word("--output_format=vtt")),
    alias("osrt", "output-srt", word("--output_format=srt")),
    alias("olrc", "output-lrc", word("--output_format=lrc")),
    alias("owts", "output-words", Unequalled("give --output_format ass for karaoke")),
    alias("fp", "font-path", Unequalled("--output_format ass leaves the font to the player")),
    alias("ocsv", "output-csv", word("--output_format=csv")),
    alias("oj", "output-json", word("--output_format=json")),
    alias("ojf", "output-json-full", word("--output_format=json-full")),
    alias("of", "", Flag("output_file")),
    alias("np", "no-prints", boolean("quiet")),
    alias("ps", "", boolean("print_special")),
    alias("pc", "", boolean("print_colors")),
    alias("", "print-confidence", boolean("print_colors")),
    alias("pp", "", boolean("print_progress")),
    alias("nt", "no-timestamps", boolean("without_timestamps")),
    alias("dl", "", boolean("detect_language")),
    alias("", "prompt", Flag("initial_prompt")),
    alias("", "file", Input),
    alias("oved", "ov-e-device", Only(&["CPU"], "there is no OpenVINO; give --device")),
    alias("dtw", "dtw", Value(dtw)),
    alias("ls", "log-score", word("--log_level=debug")),
    alias("ng", "no-gpu", word("--device=cpu")),
    alias("dev", "", Flag("device_index")),
    alias("fa", "flash-attn", Alone(Switch::Nothing)),
    alias("nfa", "no-flash-attn", Alone(Switch::Nothing)),
    alias("sns", "suppress-nst", word("--suppress_tokens=-1")),
    alias("", "grammar", Unequalled(NO_GRAMMAR)),
    alias("", "grammar-rule", Unequalled(NO_GRAMMAR)),
    alias("", "grammar-penalty", Only(&["100"], NO_GRAMMAR)),
    alias("vm", "", Flag("vad_model")),
    alias("vt", "", Flag("vad_threshold")),
    alias("vspd", "", Flag("vad_min_speech_duration_ms")),
    alias("vsd", "", Flag("vad_min_silence_duration_ms")),
    alias("vmsd", "", Flag("vad_max_speech_duration_s")),
    alias("vp", "", Flag("vad_speech_pad_ms")),
    alias("vo", "", Flag("vad_samples_overlap")),
];

const NO_GRAMMAR: &str =
    "there are no grammars; --initial_prompt, --hotwords and --suppress_regex steer the text";

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
    match (text, next) {
        ("-f", Some(next)) if is_file(next) => {
            return Some(Ok(Expansion {
                words: vec![next.to_owned()],
                took_next: true,
            }));
        }
        ("-p", Some(next)) if is_number(next) => {
            return Some(meant(Value(processors), text, None, Some(next)));
        }
        ("--device", Some(next)) if is_number(next) => {
            return Some(meant(Flag("device_index"), text, None, Some(next)));
        }
        _ => {}
    }
    let (name, attached) = match text.split_once('=') {
        Some((name, value)) => (name, Some(OsString::from(value))),
        None => (text, None),
    };
    let alias = find(name)?;
    Some(meant(alias.meaning, name, attached, next))
}

fn meant(
    meaning: Meaning,
    name: &str,
    attached: Option<OsString>,
    next: Option<&OsStr>,
) -> Result<Expansion, String> {
    let took_next = attached.is_none();
    let value = || match (&attached, next) {
        (Some(value), _) => Ok(value.clone()),
        (None, Some(next)) => Ok(next.to_owned()),
        (None, None) => Err(format!("{name} needs a value")),
    };
    let words = match meaning {
        Alone(switch) => {
            let given = match (&attached, next) {
                (Some(word), _) => Some(truth(word).map_err(|reason| format!("{name}: {reason}"))?),
                (None, Some(word)) => truth(word).ok(),
                (None, None) => None,
            };
            return Ok(Expansion {
                words: switch.words(given.unwrap_or(true)),
                took_next: took_next && given.is_some(),
            });
        }
        Input => vec![value()?],
        Flag(flag) => {
            let mut word = OsString::from(format!("--{flag}="));
            word.push(value()?);
            vec![word]
        }
        Value(meaning) => {
            let words = meaning(&value()?.to_string_lossy());
            let words = words.map_err(|reason| format!("{name}: {reason}"))?;
            words.into_iter().map(OsString::from).collect()
        }
        Only(done, otherwise) => {
            let value = value()?;
            if !done.iter().any(|done| same(&value.to_string_lossy(), done)) {
                let done = done.join(" and ");
                return Err(format!("{name}: has no equal here but {done}: {otherwise}"));
            }
            Vec::new()
        }
        Unequalled(instead) => return Err(format!("{name}: has no equal here: {instead}")),
    };
    Ok(Expansion { words, took_next })
}

impl Switch {
    fn words(self, on: bool) -> Vec<OsString> {
        match (self, on) {
            (Switch::Word(word), true) => vec![word.into()],
            (Switch::Boolean(flag), true) => vec![format!("--{flag}=True").into()],
            (Switch::Boolean(flag), false) => vec![format!("--{flag}=False").into()],
            (Switch::Word(_), false) | (Switch::Nothing, _) => Vec::new(),
        }
    }
}

fn truth(word: &OsStr) -> Result<bool, String> {
    values::boolean(&word.to_string_lossy())
}

/// The aliases of a flag of the table, as whisper-cli's users write them.
pub fn aliases_of(flag: &str) -> impl Iterator<Item = String> {
    (ALIASES.iter())
        .filter(move |alias| match alias.meaning {
            Flag(meant) | Alone(Switch::Boolean(meant)) => meant == flag,
            Alone(Switch::Word(word)) => {
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

/// Whether a word behind `-f` is a file and not a format.
fn is_file(word: &OsStr) -> bool {
    let text = word.to_string_lossy();
    let formats = output::FORMATS.into_iter().chain(["all"]);
    let known: Vec<&str> = formats.collect();
    text == inputs::STANDARD_INPUT
        || !text.split(',').any(|part| known.contains(&part)) && spelling::looks_like_file(word)
}

fn is_number(word: &OsStr) -> bool {
    word.to_string_lossy().parse::<u32>().is_ok()
}

/// Whether two values are the same number, or the same word in any case.
fn same(a: &str, b: &str) -> bool {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a.eq_ignore_ascii_case(b),
    }
}

/// Parts that a recording is cut into, to be transcribed at the same time: none here.
fn processors(value: &str) -> Result<Vec<String>, String> {
    match value {
        "1" => Ok(Vec::new()),
        _ => Err(
            "recordings are not cut into parts; give 1, and --threads 0 for all cores".to_owned(),
        ),
    }
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

/// Tokens of context from window to window: all that a prompt has room for (-1, or as many), or none (0) here.
fn max_context(value: &str) -> Result<Vec<String>, String> {
    /// Half the decoder's context (whisper.cpp cuts larger numbers down to it as well).
    const ROOM: i64 = 224;
    match value.parse::<i64>() {
        Ok(0) => Ok(vec!["--condition_on_previous_text=False".to_owned()]),
        Ok(1..ROOM) => Err(format!(
            "give 0 for no context (--condition_on_previous_text False), or -1 or {ROOM} for all (True)"
        )),
        Ok(_) => Ok(vec!["--condition_on_previous_text=True".to_owned()]),
        Err(_) => Err("write a whole number".to_owned()),
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
