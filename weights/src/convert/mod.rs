//! Writing a checkpoint as a Hugging Face folder: `model.safetensors` with the JSON files that
//! transformers needs to load it.

mod configs;
mod destination;
mod tensors;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use destination::{destination, make_readable, of_destination, parent_of, write_error};
use safetensors::{SafeTensorError, View};
use tensors::{Converted, refuse_overflow, written_type};

use crate::checkpoint::Checkpoint;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::formats::hugging_face_name;
use crate::room;
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
}
