//! The layout of a `tokenizer.json`: byte-level BPE as GPT-2 has it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::dims::ModelDims;
use crate::languages::LANGUAGES;
use crate::special::SpecialIds;

/// Puts the parts together: `vocab` are tokens and their ids, `merges` a list of pairs or of lines, `added` the special
/// tokens by id.
pub(super) fn tokenizer_json(
    vocab: &BTreeMap<&str, u64>,
    merges: impl Serialize,
    added: &[(String, u64)],
) -> Vec<u8> {
    let byte_level = json!({
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true
    });
    let added_tokens = added.iter().map(|(content, id)| AddedToken {
        id: *id,
        content,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        // Timestamps are ordinary tokens to a tokenizer, as in the published files.
        special: !content.trim_matches(['<', '|', '>']).contains('.'),
    });
    let file = File {
        version: "1.0",
        truncation: (),
        padding: (),
        added_tokens: added_tokens.collect(),
        normalizer: (),
        pre_tokenizer: &byte_level,
        post_processor: (),
        decoder: &byte_level,
        model: Model {
            kind: "BPE",
            dropout: (),
            unk_token: (),
            continuing_subword_prefix: "",
            end_of_word_suffix: "",
            fuse_unk: false,
            vocab,
            merges,
        },
    };
    // Maps with keys of text and lists are all that there is, which JSON has.
    serde_json::to_vec(&file).unwrap_or_default()
}

/// A whole file. What is `()` is null.
#[derive(Serialize)]
struct File<'a, M> {
    version: &'a str,
    truncation: (),
    padding: (),
    added_tokens: Vec<AddedToken<'a>>,
    normalizer: (),
    pre_tokenizer: &'a Value,
    post_processor: (),
    decoder: &'a Value,
    model: Model<'a, M>,
}

#[derive(Serialize)]
struct AddedToken<'a> {
    id: u64,
    content: &'a str,
    single_word: bool,
    lstrip: bool,
    rstrip: bool,
    normalized: bool,
    special: bool,
}

#[derive(Serialize)]
struct Model<'a, M> {
    #[serde(rename = "type")]
    kind: &'a str,
    dropout: (),
    unk_token: (),
    continuing_subword_prefix: &'a str,
    end_of_word_suffix: &'a str,
    fuse_unk: bool,
    vocab: &'a BTreeMap<&'a str, u64>,
    merges: M,
}

/// Whisper's special tokens and timestamps with their ids, in order (`whisper/tokenizer.py`, `get_encoding`). None for a
/// vocabulary that is not one of Whisper's.
pub(super) fn special_tokens(dims: &ModelDims) -> Vec<(String, u64)> {
    let Some(ids) = SpecialIds::of(dims) else {
        return Vec::new();
    };
    let mut names = vec!["endoftext".to_string(), "startoftranscript".to_string()];
    // The English vocabularies have the tokens of the first 99 languages too.
    let languages = ids.languages.end.saturating_sub(ids.languages.start);
    if languages > LANGUAGES.len() as u64 {
        return Vec::new();
    }
    names.extend(
        LANGUAGES
            .iter()
            .take(languages as usize)
            .map(|(code, _)| (*code).to_string()),
    );
    for name in [
        "translate",
        "transcribe",
        "startoflm",
        "startofprev",
        "nospeech",
        "notimestamps",
    ] {
        names.push(name.to_string());
    }
    let first_timestamp = ids.end_of_text + names.len() as u64;
    let timestamps = (dims.n_vocab as u64).saturating_sub(first_timestamp);
    names.extend((0..timestamps).map(|step| format!("{:.2}", step as f64 * 0.02)));
    names
        .iter()
        .zip(ids.end_of_text..)
        .map(|(name, id)| (format!("<|{name}|>"), id))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::special::tests::dims;

    #[test]
    fn special_tokens_fill_the_rest_of_the_vocabulary() {
        for (n_vocab, end_of_text, no_timestamps) in [
            (51_864, 50_256, 50_362),
            (51_865, 50_257, 50_363),
            (51_866, 50_257, 50_364),
        ] {
            let tokens = special_tokens(&dims(n_vocab));
            let id = |name: &str| tokens.iter().find(|(known, _)| known == name).unwrap().1;
            assert_eq!(id("<|endoftext|>"), end_of_text);
            assert_eq!(id("<|notimestamps|>"), no_timestamps);
            assert_eq!(id("<|0.00|>"), no_timestamps + 1);
            assert_eq!(
                tokens.last().unwrap(),
                &("<|30.00|>".to_string(), n_vocab as u64 - 1)
            );
        }
        assert_eq!(special_tokens(&dims(51_866))[101].0, "<|yue|>");
        assert_eq!(special_tokens(&dims(11)), []);
    }
}
