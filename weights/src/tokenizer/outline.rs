//! What of a `tokenizer.json` a tokenizer is made from: read to see that one can be.

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Result};

/// The parts of a byte-level BPE `tokenizer.json`.
#[derive(Deserialize)]
pub(crate) struct Outline {
    model: Model,
    #[serde(default)]
    pub(crate) added_tokens: Vec<AddedToken>,
}

#[derive(Deserialize)]
struct Model {
    #[serde(rename = "type")]
    kind: Option<String>,
    vocab: HashMap<String, u64>,
    merges: Vec<Merge>,
}

/// Newer files write a pair, older ones a string with a space between.
#[derive(Deserialize)]
#[serde(untagged)]
enum Merge {
    Pair(String, String),
    Spaced(String),
}

/// A token beside the vocabulary, such as `<|en|>`.
#[derive(Deserialize)]
pub(crate) struct AddedToken {
    pub(crate) id: u64,
    pub(crate) content: String,
}

impl Merge {
    /// Whether it is the line `#version: 0.2` of a merges.txt, which some files took over with the rules.
    fn is_version(&self) -> bool {
        matches!(self, Self::Spaced(text) if text.starts_with("#version"))
    }

    fn parts(&self) -> Option<(&str, &str)> {
        match self {
            Self::Pair(left, right) => Some((left, right)),
            Self::Spaced(text) => text.split_once(' '),
        }
    }
}

impl Outline {
    /// Reads the tokenizer of a model of `n_vocab` tokens. `path` is what messages call it.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] where no tokenizer can be made from it, or where it has tokens that the model does not have.
    pub(crate) fn read(path: &Path, json: &[u8], n_vocab: usize) -> Result<Self> {
        let wrong = |what: String| Error::config(path, what);
        let outline: Self = serde_json::from_slice(json)
            .map_err(|e| wrong(format!("is no byte-level BPE tokenizer ({e})")))?;
        let Model {
            kind,
            vocab,
            merges,
        } = &outline.model;
        if let Some(kind) = kind.as_deref().filter(|kind| *kind != "BPE") {
            return Err(wrong(format!(
                "is a tokenizer of kind {kind}; Whisper's is BPE"
            )));
        }
        if vocab.is_empty() {
            return Err(wrong("has an empty vocabulary".into()));
        }
        // Added tokens beyond the model's are left alone: fine-tunes have some that nothing ever gives.
        if let Some((token, id)) = vocab.iter().find(|(_, id)| **id >= n_vocab as u64) {
            return Err(wrong(format!(
                "has the token {token:?} at {id}, but the model has {n_vocab} tokens: it is another model's"
            )));
        }
        let rules = merges.iter().filter(|merge| !merge.is_version());
        for (index, merge) in rules.enumerate() {
            let known = merge.parts().is_some_and(|(left, right)| {
                [left, right, &[left, right].concat()]
                    .iter()
                    .all(|token| vocab.contains_key(*token))
            });
            if !known {
                return Err(wrong(format!(
                    "merges tokens that are not in its vocabulary (merge {index})"
                )));
            }
        }
        Ok(outline)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(model: Value, added: Value) -> Result<Outline> {
        let json = json!({"model": model, "added_tokens": added}).to_string();
        Outline::read(Path::new("tokenizer.json"), json.as_bytes(), 5)
    }

    #[test]
    fn merges_are_pairs_or_have_a_space() {
        let vocab = json!({"a": 0, "b": 1, "ab": 2});
        for merges in [
            json!([["a", "b"]]),
            json!(["#version: 0.2", "a b"]),
            json!([]),
        ] {
            let model = json!({"type": "BPE", "vocab": vocab, "merges": merges});
            let outline = read(model, json!([{"id": 4, "content": "<|en|>"}])).unwrap();
            assert_eq!(outline.added_tokens[0].content, "<|en|>");
        }
    }

    #[test]
    fn what_no_tokenizer_can_be_made_from_is_named() {
        let whole = json!({"vocab": {"a": 0, "b": 1, "ab": 2}, "merges": []});
        let with = |key: &str, value: Value| {
            let mut model = whole.clone();
            model[key] = value;
            model
        };
        for (model, added, wanted) in [
            (json!({}), json!([]), "missing field `vocab`"),
            (with("vocab", json!(["a"])), json!([]), "BPE tokenizer"),
            (with("vocab", json!({})), json!([]), "empty vocabulary"),
            (with("type", json!("Unigram")), json!([]), "kind Unigram"),
            (with("vocab", json!({"a": 5})), json!([]), "another model's"),
            (whole.clone(), json!([{"id": "5"}]), "BPE tokenizer"),
            (with("merges", json!(["a c"])), json!([]), "merge 0"),
            (
                with("merges", json!([["a", "b"], ["b", "a"]])),
                json!([]),
                "merge 1",
            ),
            (with("merges", json!(["ab"])), json!([]), "merge 0"),
        ] {
            let message = read(model, added).err().unwrap().to_string();
            assert!(
                message.starts_with("tokenizer.json: ") && message.contains(wanted),
                "{message}"
            );
        }
        assert!(Outline::read(Path::new("x"), b"{\"model\": {", 5).is_err());
    }
}
