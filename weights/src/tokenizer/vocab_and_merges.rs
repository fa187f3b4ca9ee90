//! The pair `vocab.json` and `merges.txt` of older folders.

use std::collections::BTreeMap;
use std::path::Path;

use super::json;
use crate::error::{Error, Result};
use crate::metadata::{read_tokenizer, read_vocabulary};

const FILES: [&str; 2] = ["vocab.json", "merges.txt"];

/// Whether the folder has both files.
pub(super) fn are_in(folder: &Path) -> bool {
    FILES.iter().all(|name| folder.join(name).is_file())
}

/// The same tokenizer in the layout of a `tokenizer.json`.
pub(super) fn tokenizer_json(folder: &Path) -> Result<Vec<u8>> {
    let [vocab, merges] = FILES.map(|name| folder.join(name));
    let tokens: BTreeMap<String, u64> = read_vocabulary(&vocab)?;
    // Special tokens are found in their own file, or at the end of the vocabulary.
    let added = folder.join("added_tokens.json");
    let mut special: BTreeMap<&str, u64> = BTreeMap::new();
    let added: BTreeMap<String, u64> = match added.is_file() {
        true => read_vocabulary(&added)?,
        false => BTreeMap::new(),
    };
    let mut vocab: BTreeMap<&str, u64> = BTreeMap::new();
    for (token, &id) in &tokens {
        let is_special = token.len() > 4 && token.starts_with("<|") && token.ends_with("|>");
        let place = if is_special { &mut special } else { &mut vocab };
        place.insert(token, id);
    }
    special.extend(added.iter().map(|(token, &id)| (token.as_str(), id)));
    let mut special: Vec<(String, u64)> = special
        .into_iter()
        .map(|(token, id)| (token.to_owned(), id))
        .collect();
    special.sort_by_key(|(_, id)| *id);

    let merges_text = String::from_utf8(read_tokenizer(&merges)?)
        .map_err(|_| Error::config(&merges, "is not UTF-8 text"))?;
    let merges: Vec<&str> = merges_text
        .lines()
        .filter(|line| !line.starts_with("#version") && !line.is_empty())
        .collect();
    Ok(json::tokenizer_json(&vocab, merges, &special))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

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
