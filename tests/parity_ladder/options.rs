//! The options that a reference was made with, by openai/whisper's names.

use serde_json::Value;
use whisper_rs::{Task, TranscribeOptions};

/// Greedy at temperature 0 without fallback, the language detected, and on top of that what the reference names.
pub fn options(named: &Value) -> TranscribeOptions {
    let mut options = TranscribeOptions::default();
    options.temperatures = vec![0.0];
    for (name, value) in named.as_object().into_iter().flatten() {
        set(&mut options, name, value);
    }
    options
}

fn set(options: &mut TranscribeOptions, name: &str, value: &Value) {
    match name {
        "task" => options.task = task(value),
        "language" => options.language = text(value),
        "beam_size" => options.beam_size = count(value),
        "patience" => options.patience = value.as_f64(),
        "length_penalty" => options.length_penalty = value.as_f64(),
        "sample_len" => options.max_new_tokens = count(value),
        "no_speech_threshold" => options.no_speech_threshold = value.as_f64(),
        "condition_on_previous_text" => options.condition_on_previous_text = flag(value),
        "initial_prompt" => options.initial_prompt = text(value),
        "carry_initial_prompt" => options.carry_initial_prompt = flag(value),
        "prefix" => options.prefix = text(value),
        "suppress_tokens" => options.suppress_tokens = list(value, Value::as_i64),
        "suppress_blank" => options.suppress_blank = flag(value),
        "without_timestamps" => options.without_timestamps = flag(value),
        "max_initial_timestamp" => options.max_initial_timestamp = value.as_f64(),
        "clip_timestamps" => options.clip_timestamps = list(value, Value::as_f64),
        "word_timestamps" => options.word_timestamps = flag(value),
        "prepend_punctuations" => options.prepend_punctuations = text(value).expect("a text"),
        "append_punctuations" => options.append_punctuations = text(value).expect("a text"),
        "hallucination_silence_threshold" => {
            options.hallucination_silence_threshold = value.as_f64();
        }
        _ => panic!("a reference names the option {name}, which no test knows"),
    }
}

fn task(value: &Value) -> Task {
    match value.as_str() {
        Some("translate") => Task::Translate,
        _ => panic!("{value} is no task that a reference names"),
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn flag(value: &Value) -> bool {
    value.as_bool().expect("true or false")
}

fn count(value: &Value) -> Option<usize> {
    value.as_u64().map(|count| count as usize)
}

fn list<T>(value: &Value, item: impl Fn(&Value) -> Option<T>) -> Vec<T> {
    let items = value.as_array().expect("a list").iter();
    items.map(|value| item(value).expect("a number")).collect()
}
