//! What the JSON files beside the weights say: `config.json` of Hugging Face or CTranslate2, and
//! `generation_config.json`.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;

use crate::dims::ModelDims;
use crate::error::{Error, Result};

/// Larger than any tokenizer (the largest published one has 4 MB); a limit on what is read into memory.
const MAX_TOKENIZER_BYTES: u64 = 16 << 20;

/// Larger than any `config.json`, `generation_config.json` (large-v3's has 4 kB) or index of shards (large-v3's has
/// 120 kB): parsed, such a file may take some fifty times its size.
const MAX_CONFIG_BYTES: u64 = 1 << 20;

/// Everything that is known of a model beside its tensors. What no file says is `None`.
#[derive(Debug, Default)]
pub(crate) struct Metadata {
    pub(crate) alignment_heads: Option<Vec<(usize, usize)>>,
    /// The file that says them, for messages.
    pub(crate) alignment_heads_file: Option<PathBuf>,
    pub(crate) suppress_tokens: Option<Vec<i64>>,
    pub(crate) begin_suppress_tokens: Option<Vec<i64>>,
    pub(crate) language_ids: Option<Vec<i64>>,
    /// `config.json`, with its path for messages.
    config: Option<(PathBuf, Value)>,
}

impl Metadata {
    /// Reads the JSON files of a folder, as far as they are there.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut metadata = Self::default();
        // generation_config.json is the newer place, and wins.
        for name in ["generation_config.json", "config.json"] {
            let path = folder.join(name);
            if !has_file(&path)? {
                continue;
            }
            let json: Value = read_config(&path)?;
            metadata.add(&path, &json)?;
            if name == "config.json" {
                metadata.config = Some((path, json));
            }
        }
        Ok(metadata)
    }

    /// Takes from one file what no file before it has said.
    fn add(&mut self, path: &Path, json: &Value) -> Result<()> {
        if self.alignment_heads.is_none()
            && let Some(heads) = present(json, &["alignment_heads"])
        {
            let pairs = serde_json::from_value(heads.clone()).map_err(|_| {
                Error::config(path, "alignment_heads is not a list of pairs [layer, head]")
            })?;
            self.alignment_heads = Some(pairs);
            self.alignment_heads_file = Some(path.to_path_buf());
        }
        let tokens = |keys: &[&str]| token_list(path, json, keys);
        if self.suppress_tokens.is_none() {
            self.suppress_tokens = tokens(&["suppress_tokens", "suppress_ids"])?;
        }
        if self.begin_suppress_tokens.is_none() {
            self.begin_suppress_tokens = tokens(&["begin_suppress_tokens", "suppress_ids_begin"])?;
        }
        if self.language_ids.is_none() {
            self.language_ids = tokens(&["lang_ids"])?;
        }
        if self.language_ids.is_none()
            && let Some(Value::Object(ids)) = present(json, &["lang_to_id"])
        {
            let mut ids: Vec<i64> = ids.values().filter_map(Value::as_i64).collect();
            ids.sort_unstable();
            self.language_ids = Some(ids);
        }
        Ok(())
    }

    /// Attention heads of encoder and decoder as `config.json` gives them.
    pub(crate) fn heads(&self) -> Option<(usize, usize)> {
        let (_, config) = self.config.as_ref()?;
        let number = |key| usize::try_from(config.get(key)?.as_u64()?).ok();
        Some((
            number("encoder_attention_heads")?,
            number("decoder_attention_heads")?,
        ))
    }

    /// Checks `config.json` against the dimensions that the tensors have, and that it asks for
    /// nothing that Whisper does not do.
    pub(crate) fn check(&self, dims: &ModelDims) -> Result<()> {
        let Some((path, config)) = &self.config else {
            return Ok(());
        };
        for (key, found) in [
            ("d_model", dims.n_audio_state),
            ("encoder_layers", dims.n_audio_layer),
            ("decoder_layers", dims.n_text_layer),
            ("num_mel_bins", dims.n_mels),
            ("vocab_size", dims.n_vocab),
            ("max_source_positions", dims.n_audio_ctx),
            ("max_target_positions", dims.n_text_ctx),
        ] {
            if let Some(value) = present(config, &[key])
                && value.as_u64() != Some(found as u64)
            {
                let what = format!("says {key} {value}, but the weights have {found}");
                return Err(Error::config(path, what));
            }
        }
        if let Some(activation) = present(config, &["activation_function"])
            && activation != "gelu"
        {
            let what = format!("asks for the activation {activation}; Whisper's is \"gelu\"");
            return Err(Error::config(path, what));
        }
        if config.get("scale_embedding") == Some(&Value::Bool(true)) {
            let what = "asks for scaled embeddings, which Whisper does not have";
            return Err(Error::config(path, what));
        }
        Ok(())
    }
}

/// The value of the first of these keys that is there and not null.
fn present<'a>(json: &'a Value, keys: &[&str]) -> Option<&'a Value> {
    keys.iter()
        .find_map(|key| json.get(key).filter(|value| !value.is_null()))
}

fn token_list(path: &Path, json: &Value, keys: &[&str]) -> Result<Option<Vec<i64>>> {
    let Some(list) = present(json, keys) else {
        return Ok(None);
    };
    serde_json::from_value(list.clone()).map(Some).map_err(|_| {
        Error::config(
            path,
            format!("{} is not a list of token ids", keys.join("/")),
        )
    })
}

/// Whether a JSON file is there. A folder or a pipe of its name is an error: passed over, the model would be another one.
pub(crate) fn has_file(path: &Path) -> Result<bool> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(true),
        Ok(_) => Err(Error::config(path, "is not a file")),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io("read", path, error)),
    }
}

/// Reads a configuration, or an index of shards.
pub(crate) fn read_config<T: DeserializeOwned>(path: &Path) -> Result<T> {
    parse(path, &read_up_to(path, MAX_CONFIG_BYTES)?)
}

/// Reads a JSON file of a tokenizer.
pub(crate) fn read_vocabulary<T: DeserializeOwned>(path: &Path) -> Result<T> {
    parse(path, &read_tokenizer(path)?)
}

fn parse<T: DeserializeOwned>(path: &Path, json: &[u8]) -> Result<T> {
    serde_json::from_slice(json).map_err(|e| {
        let what = match e.classify() {
            Category::Data => format!("does not say what it should ({e})"),
            _ => format!("is not valid JSON ({e})"),
        };
        Error::config(path, what)
    })
}

/// Reads a file of a tokenizer, which goes into memory whole, and refuses one that is absurdly large.
pub(crate) fn read_tokenizer(path: &Path) -> Result<Vec<u8>> {
    read_up_to(path, MAX_TOKENIZER_BYTES)
}

fn read_up_to(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(|e| Error::io("read", path, e))?;
    let mut bytes = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| Error::io("read", path, e))?;
    if bytes.len() as u64 > limit {
        return Err(Error::config(
            path,
            format!(
                "is too large: such a file of a model has less than {} MB",
                limit >> 20
            ),
        ));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn folder(files: &[(&str, Value)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, json) in files {
            std::fs::write(folder.path().join(name), json.to_string()).unwrap();
        }
        folder
    }

    #[test]
    fn a_config_too_large_to_be_one_is_refused() {
        let rows = vec![vec![0]; 300_000];
        let folder = folder(&[("config.json", json!({ "x": rows }))]);
        let message = Metadata::read(folder.path()).unwrap_err().to_string();
        assert!(message.contains("too large"), "{message}");
    }

    #[test]
    fn the_generation_config_wins_over_the_config() {
        let folder = folder(&[
            (
                "config.json",
                json!({"suppress_tokens": [1], "begin_suppress_tokens": [220, 50256],
                    "encoder_attention_heads": 6, "decoder_attention_heads": 6}),
            ),
            (
                "generation_config.json",
                json!({"suppress_tokens": [2, 3], "alignment_heads": [[1, 0], [2, 5]],
                    "lang_to_id": {"<|de|>": 50261, "<|en|>": 50259}}),
            ),
        ]);
        let metadata = Metadata::read(folder.path()).unwrap();
        assert_eq!(metadata.suppress_tokens, Some(vec![2, 3]));
        assert_eq!(metadata.begin_suppress_tokens, Some(vec![220, 50256]));
        assert_eq!(metadata.alignment_heads, Some(vec![(1, 0), (2, 5)]));
        assert_eq!(metadata.language_ids, Some(vec![50259, 50261]));
        assert_eq!(metadata.heads(), Some((6, 6)));
    }

    #[test]
    fn a_folder_in_the_place_of_a_file_is_not_passed_over() {
        for name in ["config.json", "generation_config.json"] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir(folder.path().join(name)).unwrap();
            let message = Metadata::read(folder.path()).unwrap_err().to_string();
            assert!(
                message.ends_with(&format!("{name}: is not a file")),
                "{message}"
            );
        }
    }

    #[test]
    fn ctranslate2_names_are_understood() {
        let folder = folder(&[(
            "config.json",
            json!({"suppress_ids": [7], "suppress_ids_begin": [8], "lang_ids": [9]}),
        )]);
        let metadata = Metadata::read(folder.path()).unwrap();
        assert_eq!(metadata.suppress_tokens, Some(vec![7]));
        assert_eq!(metadata.begin_suppress_tokens, Some(vec![8]));
        assert_eq!(metadata.language_ids, Some(vec![9]));
        assert_eq!(metadata.heads(), None);
    }

    #[test]
    fn what_no_file_says_is_none_and_null_says_nothing() {
        let folder = folder(&[("config.json", json!({"suppress_tokens": null}))]);
        assert_eq!(Metadata::read(folder.path()).unwrap().suppress_tokens, None);
    }

    #[test]
    fn malformed_files_are_named() {
        for (json, wanted) in [
            (json!({"alignment_heads": [[1, 2, 3]]}), "alignment_heads"),
            (json!({"suppress_tokens": "1,2"}), "suppress_tokens"),
        ] {
            let folder = folder(&[("config.json", json)]);
            let message = Metadata::read(folder.path()).unwrap_err().to_string();
            assert!(
                message.contains("config.json") && message.contains(wanted),
                "{message}"
            );
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), "{\"a\": ").unwrap();
        let message = Metadata::read(folder.path()).unwrap_err().to_string();
        assert!(message.contains("not valid JSON"), "{message}");
    }
}
