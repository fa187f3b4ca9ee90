//! The pair `vocab.json` and `merges.txt` of older folders.

use std::path::Path;

use serde_json::{Value, json};

use super::json;
use crate::error::{Error, Result};
use crate::metadata::{read_json, read_limited};

const FILES: [&str; 2] = ["vocab.json", "merges.txt"];

/// Whether the folder has both files.
pub(super) fn are_in(folder: &Path) -> bool {
    FILES.iter().all(|name| folder.join(name).is_file())
}

/// The same tokenizer in the layout of a `tokenizer.json`.
pub(super) fn tokenizer_json(folder: &Path) -> Result<Vec<u8>> {
    let [vocab, merges] = FILES.map(|name| folder.join(name));
    let mut vocab_json = read_json(&vocab)?;
    if !vocab_json.is_object() {
        return Err(Error::config(
            vocab,
            "is not an object of tokens and their ids",
        ));
    }
    // Special tokens are found in their own file, or at the end of the vocabulary.
    let added = folder.join("added_tokens.json");
    let mut special: Vec<(String, Value)> = Vec::new();
    if added.is_file()
        && let Value::Object(tokens) = read_json(&added)?
    {
        special.extend(tokens);
    }
    if let Value::Object(tokens) = &mut vocab_json {
        tokens.retain(|token, id| {
            let is_special = token.len() > 4 && token.starts_with("<|") && token.ends_with("|>");
            if is_special && !special.iter().any(|(known, _)| known == token) {
                special.push((token.clone(), id.clone()));
            }
            !is_special
        });
    }
    special.sort_by_key(|(_, id)| id.as_u64());

    let merges_text = String::from_utf8(read_limited(&merges)?)
        .map_err(|_| Error::config(&merges, "is not UTF-8 text"))?;
    let merges: Vec<&str> = merges_text
        .lines()
        .filter(|line| !line.starts_with("#version") && !line.is_empty())
        .collect();
    Ok(json::tokenizer_json(vocab_json, json!(merges), &special))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tokenizer_is_made_from_vocabulary_and_merges() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(
            "vocab.json",
            r#"{"a": 0, "b": 1, "ab": 2, "<|endoftext|>": 3}"#,
        );
        write("merges.txt", "#version: 0.2\na b\n");
        write(
            "added_tokens.json",
            r#"{"<|0.00|>": 5, "<|startoftranscript|>": 4}"#,
        );
        let json: Value = serde_json::from_slice(&tokenizer_json(folder.path()).unwrap()).unwrap();
        assert_eq!(json["model"]["vocab"], json!({"a": 0, "b": 1, "ab": 2}));
        assert_eq!(json["model"]["merges"], json!(["a b"]));
        let added: Vec<_> = json["added_tokens"]
            .as_array()
            .unwrap()
            .iter()
            .map(|token| {
                (
                    token["id"].as_u64().unwrap(),
                    token["special"].as_bool().unwrap(),
                )
            })
            .collect();
        assert_eq!(added, [(3, true), (4, true), (5, false)]);
    }
}
