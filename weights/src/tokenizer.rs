//! Finding the tokenizer beside the weights.

use std::path::Path;

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::metadata::{read_json, read_limited};

/// The content of the folder's `tokenizer.json`; where there is only the pair `vocab.json` and
/// `merges.txt` of older folders, the same tokenizer made from these.
pub(crate) fn tokenizer_json(folder: &Path) -> Result<Vec<u8>> {
    let whole = folder.join("tokenizer.json");
    if whole.is_file() {
        return read_limited(&whole);
    }
    let (vocab, merges) = (folder.join("vocab.json"), folder.join("merges.txt"));
    if vocab.is_file() && merges.is_file() {
        return from_vocab_and_merges(folder, &vocab, &merges);
    }
    Err(Error::MissingTokenizer(folder.to_path_buf()))
}

/// Byte-level BPE as GPT-2 has it, in the layout of a `tokenizer.json`.
fn from_vocab_and_merges(folder: &Path, vocab: &Path, merges: &Path) -> Result<Vec<u8>> {
    let mut vocab_json = read_json(vocab)?;
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

    let merges_text = String::from_utf8(read_limited(merges)?)
        .map_err(|_| Error::config(merges, "is not UTF-8 text"))?;
    let merges: Vec<&str> = merges_text
        .lines()
        .filter(|line| !line.starts_with("#version") && !line.is_empty())
        .collect();
    let byte_level = json!({
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true
    });
    let tokens: Vec<Value> = special
        .into_iter()
        .map(|(content, id)| {
            // Timestamps are ordinary tokens to a tokenizer, as in the published files.
            let special = !content.trim_matches(['<', '|', '>']).contains('.');
            json!({
                "id": id, "content": content, "single_word": false, "lstrip": false,
                "rstrip": false, "normalized": false, "special": special
            })
        })
        .collect();
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": tokens,
        "normalizer": null, "pre_tokenizer": byte_level, "post_processor": null,
        "decoder": byte_level,
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "",
            "end_of_word_suffix": "", "fuse_unk": false, "vocab": vocab_json, "merges": merges
        }
    });
    Ok(tokenizer.to_string().into_bytes())
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

    #[test]
    fn a_folder_without_tokenizer_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let message = tokenizer_json(folder.path()).unwrap_err().to_string();
        assert!(message.contains("tokenizer.json"), "{message}");
        assert!(
            message.contains(&*folder.path().to_string_lossy()),
            "{message}"
        );
    }
}
