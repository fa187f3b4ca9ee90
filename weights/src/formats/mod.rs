//! Weight formats: one file each. A format finds the tensors of a file and gives them their
//! canonical names; everything else (dimensions, shapes, tokenizer) is common to all.
//!
//! To add a format: a file here with an `open` that returns [`Weights`], a variant of [`Format`],
//! its first bytes in [`Format::recognise`], and its line in [`open`].

mod ctranslate2;
mod safetensors;

pub(crate) use safetensors::hugging_face_name;

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use crate::error::{Error, Result};
use crate::tensor::DType;

/// The tensors of a checkpoint and the files that hold them.
#[derive(Debug)]
pub(crate) struct Weights {
    /// Name of the format, for messages and listings.
    pub(crate) format: &'static str,
    /// The mapped files.
    pub(crate) files: Vec<MappedFile>,
    /// Tensors by canonical name. Those that Whisper does not have are left out.
    pub(crate) tensors: HashMap<String, Stored>,
    /// Attention heads of encoder and decoder, where the format itself says so.
    pub(crate) heads: Option<(usize, usize)>,
}

/// One file of weights, mapped into memory.
#[derive(Debug)]
pub(crate) struct MappedFile {
    pub(crate) path: PathBuf,
    pub(crate) map: Mmap,
}

/// Where a tensor lies: a range of bytes of one mapped file.
///
/// Whoever makes one has checked that the range lies in the file and that its length is the
/// product of the shape and the element size.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) file: usize,
    pub(crate) range: Range<usize>,
    pub(crate) dtype: StoredType,
    pub(crate) shape: Vec<usize>,
}

/// Element type of a stored tensor; a type that is not read is kept by name for the message, as
/// it matters only when the tensor is one that Whisper has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoredType {
    Read(DType),
    Unread(String),
}

/// The weight formats that are recognised by their first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Safetensors,
    CTranslate2,
    /// A zip archive: OpenAI's `.pt`, and `pytorch_model.bin`.
    TorchZip,
    /// PyTorch's format before 1.6: a bare pickle.
    TorchPickle,
    Ggml,
    Gguf,
}

impl Format {
    fn recognise(head: &[u8]) -> Option<Self> {
        if head.starts_with(b"PK\x03\x04") {
            Some(Self::TorchZip)
        } else if head.starts_with(b"\x80\x02") {
            Some(Self::TorchPickle)
        } else if head.starts_with(b"lmgg") {
            Some(Self::Ggml)
        } else if head.starts_with(b"GGUF") {
            Some(Self::Gguf)
        } else if ctranslate2::recognise(head) {
            Some(Self::CTranslate2)
        } else if safetensors::recognise(head) {
            Some(Self::Safetensors)
        } else {
            None
        }
    }
}

/// Opens the weights at `path`, a file or a folder.
pub(crate) fn open(path: &Path) -> Result<Weights> {
    let metadata = std::fs::metadata(path).map_err(|e| Error::io("read", path, e))?;
    let file = if metadata.is_dir() {
        find_in_folder(path)?
    } else {
        path.to_path_buf()
    };
    if has_extension(&file, "json") {
        return safetensors::open_shards(&file);
    }

    let unsupported = |format: &str, advice: &str| {
        Err(Error::UnsupportedFormat {
            path: file.clone(),
            format: format.into(),
            advice: advice.into(),
        })
    };
    let head = read_head(&file)?;
    match Format::recognise(&head) {
        Some(Format::Safetensors) => safetensors::open_file(&file),
        Some(Format::CTranslate2) => ctranslate2::open(&file),
        Some(Format::TorchZip | Format::TorchPickle) => unsupported(
            "a PyTorch file (OpenAI .pt or pytorch_model.bin)",
            "use the model's model.safetensors",
        ),
        Some(Format::Ggml) => unsupported("a ggml file", "use the model's model.safetensors"),
        Some(Format::Gguf) => unsupported("a GGUF file", "use the model's model.safetensors"),
        // The name still says which parser gives the more telling message.
        None if has_extension(&file, "safetensors") && !head.is_empty() => {
            safetensors::open_file(&file)
        }
        None => Err(Error::UnknownFormat {
            path: file,
            what: describe_unknown(&head),
        }),
    }
}

/// The weights of a folder: a safetensors file or index, else a `model.bin`, else any other file
/// of a recognised format.
pub(crate) fn find_in_folder(folder: &Path) -> Result<PathBuf> {
    for name in [
        "model.safetensors",
        "model.safetensors.index.json",
        "model.bin",
    ] {
        let file = folder.join(name);
        if file.is_file() {
            return Ok(file);
        }
    }
    let mut others: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(|e| Error::io("read", folder, e))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let known = ["safetensors", "bin", "pt", "pth", "gguf"]
                .iter()
                .any(|extension| has_extension(file, extension));
            (known || name.ends_with(".safetensors.index.json")) && file.is_file()
        })
        .collect();
    // Indices before the shards that they list, then by name, so that the choice is the same on
    // every machine.
    others.sort_by_key(|file| (!has_extension(file, "json"), file.clone()));
    others
        .into_iter()
        .next()
        .ok_or_else(|| Error::NoWeights(folder.to_path_buf()))
}

fn has_extension(file: &Path, extension: &str) -> bool {
    file.extension()
        .is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// The first bytes of a file, enough to recognise any format.
fn read_head(path: &Path) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(|e| Error::io("read", path, e))?;
    let mut head = Vec::with_capacity(64);
    file.take(64)
        .read_to_end(&mut head)
        .map_err(|e| Error::io("read", path, e))?;
    Ok(head)
}

/// What a file of no known format looks like.
fn describe_unknown(head: &[u8]) -> String {
    if head.is_empty() {
        "it is empty".into()
    } else if head.starts_with(b"version https://git-lfs") {
        "it is a Git LFS pointer, and the weights themselves are still to be fetched (git lfs pull)"
            .into()
    } else if head
        .iter()
        .all(|&byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
    {
        "it is a text file".into()
    } else {
        "its content is of no known weight format".into()
    }
}

impl MappedFile {
    /// Maps a file into memory. An empty file is an error: it cannot be mapped, nor be a model.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::io("read", path, e))?;
        let length = file
            .metadata()
            .map_err(|e| Error::io("read", path, e))?
            .len();
        if length == 0 {
            return Err(Error::corrupt(path, "the file is empty"));
        }
        // SAFETY: the map is only read. Another process that changes the file meanwhile changes
        // the bytes seen here, as with every mapped file; downloads therefore appear by rename.
        let map = unsafe { Mmap::map(&file) }.map_err(|e| Error::io("map", path, e))?;
        Ok(Self {
            path: path.to_path_buf(),
            map,
        })
    }
}

/// Number of bytes of a tensor, or `None` when the product overflows.
pub(crate) fn byte_length(shape: &[usize], element_size: usize) -> Option<usize> {
    shape
        .iter()
        .try_fold(element_size, |product, &length| product.checked_mul(length))
}

/// A shape as users write it: `[51865, 512]`.
pub(crate) fn show_shape(shape: &[usize]) -> String {
    format!("{shape:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_that_overflow_are_found() {
        assert_eq!(byte_length(&[3, 5], 2), Some(30));
        assert_eq!(byte_length(&[], 4), Some(4));
        assert_eq!(byte_length(&[usize::MAX, 2], 4), None);
        assert_eq!(byte_length(&[1 << 32, 1 << 32, 0], 4), None);
    }

    #[test]
    fn formats_are_told_apart_by_their_first_bytes() {
        assert_eq!(Format::recognise(b"PK\x03\x04rest"), Some(Format::TorchZip));
        assert_eq!(Format::recognise(b"lmgg\x00\x00"), Some(Format::Ggml));
        assert_eq!(Format::recognise(b"GGUF\x03\x00"), Some(Format::Gguf));
        assert_eq!(
            Format::recognise(b"\x06\0\0\0\x0c\0WhisperSpec\0\x03\0\0\0"),
            Some(Format::CTranslate2)
        );
        assert_eq!(
            Format::recognise(b"\x02\0\0\0\0\0\0\0{}"),
            Some(Format::Safetensors)
        );
        assert_eq!(Format::recognise(b"RIFF\x24\x80\0\0WAVE"), None);
        assert_eq!(Format::recognise(b""), None);
    }
}
