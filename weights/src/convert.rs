//! Writing a checkpoint as a Hugging Face folder: `model.safetensors` with the JSON files that
//! transformers needs to load it.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use safetensors::{Dtype, SafeTensorError, View};
use serde_json::{Map, Value, json};

use crate::checkpoint::Checkpoint;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::formats::hugging_face_name;
use crate::room;
use crate::special::SpecialIds;
use crate::tensor::TensorView;
use crate::tokenizer::{self, Outline};

impl Checkpoint {
    /// Writes the model as a Hugging Face folder that transformers (and this crate) loads:
    /// `model.safetensors`, `config.json`, `generation_config.json`, `preprocessor_config.json`,
    /// `tokenizer_config.json` and `tokenizer.json`. With `dtype` the tensors are converted to
    /// that type, else each keeps its own; quantised ones become f32.
    ///
    /// The folder appears whole or not at all: it is written under a temporary name beside
    /// `folder`, then renamed. Tensors are converted one at a time.
    ///
    /// # Errors
    ///
    /// Where `folder` exists and is not empty, where it is the current folder or cannot be written, [`Error::NoSpace`], where
    /// there is no tokenizer or it cannot be used, where `dtype` is not f32, f16 or bf16, and where a value is too large for
    /// f16.
    pub fn write_safetensors(&self, folder: impl AsRef<Path>, dtype: Option<DType>) -> Result<()> {
        self.write_safetensors_unless(folder, dtype, &AtomicBool::new(false))
    }

    /// As [`write_safetensors`](Self::write_safetensors), but given up at the next tensor when `cancelled` is set, which
    /// another thread or a signal may do.
    ///
    /// # Errors
    ///
    /// As [`write_safetensors`](Self::write_safetensors), and [`Error::Cancelled`].
    pub fn write_safetensors_unless(
        &self,
        folder: impl AsRef<Path>,
        dtype: Option<DType>,
        cancelled: &AtomicBool,
    ) -> Result<()> {
        if let Some(dtype) = dtype.filter(|dtype| !dtype.is_float()) {
            return Err(Error::CannotWrite(dtype));
        }
        let folder = &destination(folder.as_ref())?;
        let tokenizer = self.tokenizer_json()?;
        let outline = Outline::read(
            &tokenizer::file(self.folder()),
            &tokenizer,
            self.dims().n_vocab,
        )?;
        let (name, parent) = (folder.file_name().unwrap_or_default(), parent_of(folder));
        fs::create_dir_all(parent).map_err(|e| Error::io("create", parent, e))?;
        let temporary = tempfile::Builder::new()
            .prefix(&format!(".{}.", name.to_string_lossy()))
            .suffix(".partial")
            .tempdir_in(parent)
            .map_err(|e| Error::io("write into", parent, e))?;

        self.write_weights(temporary.path(), folder, dtype, cancelled)?;
        let write = |name: &str, bytes: &[u8]| {
            let path = temporary.path().join(name);
            fs::write(&path, bytes).map_err(|e| write_error(folder, &path, e))
        };
        for (name, json) in [
            ("config.json", self.config_json(dtype)),
            (
                "generation_config.json",
                self.generation_config_json(&outline),
            ),
            ("preprocessor_config.json", self.preprocessor_config_json()),
            ("tokenizer_config.json", self.tokenizer_config_json()),
        ] {
            write(name, format!("{json:#}\n").as_bytes())?;
        }
        write("tokenizer.json", &tokenizer)?;

        // A rename over an empty folder is not possible everywhere.
        if folder.is_dir() {
            fs::remove_dir(folder).map_err(|e| Error::io("replace", folder, e))?;
        }
        make_readable(temporary.path());
        fs::rename(temporary.path(), folder).map_err(|e| Error::io("create", folder, e))?;
        // The temporary name is gone: there is nothing left to remove.
        let _ = temporary.keep();
        Ok(())
    }

    /// Writes the weights into the folder `temporary`, which is to become `folder`.
    fn write_weights(
        &self,
        temporary: &Path,
        folder: &Path,
        dtype: Option<DType>,
        cancelled: &AtomicBool,
    ) -> Result<()> {
        const NAME: &str = "model.safetensors";
        let failure = RefCell::new(None);
        let mut tensors = Vec::new();
        for name in self.tensor_names() {
            if cancelled.load(Ordering::Relaxed) {
                return Err(Error::Cancelled);
            }
            let stored = self.tensor(name)?;
            let dtype = dtype.unwrap_or(written_type(stored.dtype));
            refuse_overflow(&folder.join(NAME), name, &stored, dtype)?;
            let shape = stored.shape;
            let converted = Converted {
                checkpoint: self,
                name,
                shape,
                dtype,
                failure: &failure,
                cancelled,
            };
            tensors.push((hugging_face_name(name), converted));
        }
        let needed: usize = tensors.iter().map(|(_, tensor)| tensor.data_len()).sum();
        room::check(temporary, needed as u64).map_err(|error| of_destination(folder, error))?;
        let about = HashMap::from([("format".to_string(), "pt".to_string())]);
        let path = temporary.join(NAME);
        safetensors::serialize_to_file(tensors, Some(about), &path).map_err(|error| {
            let error = match error {
                SafeTensorError::IoError(error) => error,
                other => io::Error::other(other),
            };
            write_error(folder, &path, error)
        })?;
        failure.into_inner().map_or(Ok(()), Err)
    }

    fn config_json(&self, dtype: Option<DType>) -> Value {
        let dims = self.dims();
        let dtype = dtype.or_else(|| {
            self.dtype("decoder.token_embedding.weight")
                .map(written_type)
        });
        let mut config = json!({
            "architectures": ["WhisperForConditionalGeneration"],
            "model_type": "whisper",
            "activation_function": "gelu",
            "d_model": dims.n_audio_state,
            "decoder_attention_heads": dims.n_text_head,
            "decoder_ffn_dim": 4 * dims.n_text_state,
            "decoder_layers": dims.n_text_layer,
            "encoder_attention_heads": dims.n_audio_head,
            "encoder_ffn_dim": 4 * dims.n_audio_state,
            "encoder_layers": dims.n_audio_layer,
            "is_encoder_decoder": true,
            "max_source_positions": dims.n_audio_ctx,
            "max_target_positions": dims.n_text_ctx,
            "num_mel_bins": dims.n_mels,
            "scale_embedding": false,
            "torch_dtype": match dtype {
                Some(DType::F16) => "float16",
                Some(DType::BF16) => "bfloat16",
                _ => "float32",
            },
            "use_cache": true,
            "vocab_size": dims.n_vocab,
        });
        if let (Some(ids), Value::Object(config)) = (SpecialIds::of(dims), &mut config) {
            ids.add_to(config);
        }
        config
    }

    fn generation_config_json(&self, tokenizer: &Outline) -> Value {
        let dims = self.dims();
        let mut config = Map::new();
        if let Some(heads) = self.alignment_heads() {
            config.insert("alignment_heads".into(), json!(heads));
        }
        if let Some(tokens) = self.suppress_tokens() {
            config.insert("suppress_tokens".into(), json!(tokens));
        }
        if let Some(tokens) = self.begin_suppress_tokens() {
            config.insert("begin_suppress_tokens".into(), json!(tokens));
        }
        config.insert("is_multilingual".into(), json!(dims.is_multilingual()));
        config.insert("max_length".into(), json!(dims.n_text_ctx));
        config.insert("max_initial_timestamp_index".into(), json!(50));
        config.insert("return_timestamps".into(), json!(false));
        if let Some(ids) = SpecialIds::of(dims) {
            ids.add_to(&mut config);
            config.insert("no_timestamps_token_id".into(), json!(ids.no_timestamps));
            config.insert("prev_sot_token_id".into(), json!(ids.start_of_prev));
            if dims.is_multilingual() {
                let tasks = json!({"transcribe": ids.transcribe, "translate": ids.translate});
                config.insert("task_to_id".into(), tasks);
                config.insert("lang_to_id".into(), language_names(tokenizer, &ids));
                // transformers puts a task's token before the text only where a task is named, and the text is
                // no good without.
                config.insert("task".into(), json!("transcribe"));
            }
        }
        Value::Object(config)
    }

    fn preprocessor_config_json(&self) -> Value {
        json!({
            "feature_extractor_type": "WhisperFeatureExtractor",
            "processor_class": "WhisperProcessor",
            "feature_size": self.dims().n_mels,
            "sampling_rate": 16_000,
            "n_fft": 400,
            "hop_length": 160,
            "chunk_length": 30,
            "n_samples": 480_000,
            "nb_max_frames": 3_000,
            "padding_side": "right",
            "padding_value": 0.0,
            "return_attention_mask": false,
        })
    }

    fn tokenizer_config_json(&self) -> Value {
        json!({
            "tokenizer_class": "WhisperTokenizer",
            "processor_class": "WhisperProcessor",
            "add_prefix_space": false,
            "bos_token": "<|endoftext|>",
            "eos_token": "<|endoftext|>",
            "unk_token": "<|endoftext|>",
            "pad_token": "<|endoftext|>",
            "model_max_length": 1024,
        })
    }
}

/// The language tokens of a tokenizer, by name: `{"<|en|>": 50259, ..}`.
fn language_names(tokenizer: &Outline, ids: &SpecialIds) -> Value {
    let added = tokenizer.added_tokens.iter();
    let languages = added
        .filter(|token| ids.languages.contains(&token.id))
        .map(|token| (token.content.clone(), json!(token.id)));
    Value::Object(languages.collect())
}

/// The type that a tensor is written in when none is asked for.
fn written_type(stored: DType) -> DType {
    if stored.is_float() {
        stored
    } else {
        DType::F32
    }
}

/// A tensor that is read and converted when its turn to be written has come.
struct Converted<'a> {
    checkpoint: &'a Checkpoint,
    name: &'a str,
    shape: Vec<usize>,
    dtype: DType,
    /// Why a tensor could not be read: the serialiser takes bytes alone.
    failure: &'a RefCell<Option<Error>>,
    cancelled: &'a AtomicBool,
}

impl View for Converted<'_> {
    fn dtype(&self) -> Dtype {
        match self.dtype {
            DType::F16 => Dtype::F16,
            DType::BF16 => Dtype::BF16,
            _ => Dtype::F32,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let stored = match self.cancelled.load(Ordering::Relaxed) {
            true => Err(Error::Cancelled),
            false => self.checkpoint.tensor(self.name),
        };
        match stored {
            Ok(stored) => {
                let bytes = stored.to_dtype(self.dtype).bytes.into_owned();
                self.checkpoint.release_pages();
                Cow::Owned(bytes)
            }
            Err(error) => {
                self.failure.replace(Some(error));
                Cow::Owned(Vec::new())
            }
        }
    }

    fn data_len(&self) -> usize {
        self.dtype.byte_length(&self.shape).unwrap_or(0)
    }
}

/// Refuses to turn finite values into infinite ones.
fn refuse_overflow(path: &Path, name: &str, stored: &TensorView<'_>, dtype: DType) -> Result<()> {
    let max = half::f16::MAX.to_f32();
    if dtype == DType::F16
        && stored.dtype != DType::F16
        && let Some(value) = stored
            .to_f32()
            .iter()
            .find(|x| x.is_finite() && x.abs() > max)
    {
        let what = format!("holds {value}, which f16 cannot: use bf16 or f32");
        return Err(Error::tensor(path, name, what));
    }
    Ok(())
}

/// The folder that is to be written, by a name that a finished folder can be given by a rename: `.`, `..` and links have
/// another one. Everything that is against it is found here, before the work.
fn destination(folder: &Path) -> Result<PathBuf> {
    let refuse =
        |kind, what: &str| Err(Error::io("write into", folder, io::Error::new(kind, what)));
    match fs::canonicalize(folder) {
        Ok(there) => {
            let mut entries =
                fs::read_dir(&there).map_err(|e| Error::io("write into", folder, e))?;
            if entries.next().is_some() {
                let what = "the folder is not empty: name a new one";
                return refuse(ErrorKind::AlreadyExists, what);
            }
            // Whoever works in it would be left in a folder that is no more.
            if std::env::current_dir().and_then(fs::canonicalize).ok() == Some(there.clone()) {
                let what = "it is the current folder: name a new one";
                return refuse(ErrorKind::AlreadyExists, what);
            }
            Ok(there)
        }
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Error::io("write into", folder, error))
        }
        Err(_) if fs::symlink_metadata(folder).is_ok() => {
            let what = "it is a link to a folder that is not there: name a new folder";
            refuse(ErrorKind::AlreadyExists, what)
        }
        Err(_) => match folder.file_name() {
            Some(name) => Ok(parent_of(folder).join(name)),
            None => refuse(ErrorKind::InvalidInput, "name a new folder"),
        },
    }
}

/// The error of a write to a file of the temporary folder, which is gone by the time that the user reads it.
fn write_error(folder: &Path, file: &Path, error: io::Error) -> Error {
    of_destination(folder, room::write_error(file, error))
}

/// The same error, told of the folder that the user named.
fn of_destination(folder: &Path, error: Error) -> Error {
    let folder = folder.to_path_buf();
    match error {
        Error::NoSpace { what, .. } => Error::NoSpace { folder, what },
        Error::Io {
            action,
            path,
            source,
        } => Error::Io {
            action,
            path: folder.join(path.file_name().unwrap_or_default()),
            source,
        },
        other => other,
    }
}

fn parent_of(folder: &Path) -> &Path {
    folder
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Temporary folders and files are made for their owner alone; a model is as readable as any file.
fn make_readable(folder: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let set = |path: &Path, mode| {
            // Only comfort for other users: a refusal leaves the model as good as it is.
            let _ = fs::set_permissions(path, fs::Permissions::from_mode(mode));
        };
        set(folder, 0o755);
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            set(&entry.path(), 0o644);
        }
    }
    #[cfg(not(unix))]
    let _ = folder;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_a_folder_that_can_be_renamed_to() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        assert_eq!(destination(&root.join("new")).unwrap(), root.join("new"));
        assert_eq!(destination(&root.join("new/.")).unwrap(), root.join("new"));
        let empty = root.join("empty");
        fs::create_dir(&empty).unwrap();
        assert_eq!(destination(&empty).unwrap(), empty);
        let message = |path: &Path| destination(path).unwrap_err().to_string();
        for (path, what) in [
            (Path::new("."), "name a new one"),
            (Path::new(""), "name a new folder"),
            (&empty.join(".."), "not empty"),
            (&root.join("new/.."), "name a new folder"),
        ] {
            assert!(message(path).contains(what), "{}", message(path));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_an_empty_folder_stays_and_one_to_nothing_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        let link = root.join("link");
        std::os::unix::fs::symlink("target", &link).unwrap();
        let message = destination(&link).unwrap_err().to_string();
        assert!(message.contains("a link to a folder"), "{message}");
        fs::create_dir(root.join("target")).unwrap();
        assert_eq!(destination(&link).unwrap(), root.join("target"));
    }

    #[test]
    fn a_full_disk_is_told_of_the_folder_that_the_user_named() {
        let temporary = tempfile::tempdir().unwrap();
        let file = temporary.path().join("model.safetensors");
        for kind in [ErrorKind::StorageFull, ErrorKind::Other] {
            let message = write_error(Path::new("out"), &file, kind.into()).to_string();
            assert!(message.contains(" out"), "{message}");
            assert!(!message.contains(file.to_str().unwrap()), "{message}");
        }
        let full = write_error(Path::new("out"), &file, ErrorKind::StorageFull.into());
        assert!(matches!(full, Error::NoSpace { .. }), "{full}");
    }
}
