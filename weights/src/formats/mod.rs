//! Weight formats: one file each. A format finds the tensors of a file and gives them their
//! canonical names; everything else (dimensions, shapes, tokenizer) is common to all.
//!
//! To add a format: a file here with an `open` that returns [`Weights`], a variant of [`Format`],
//! its first bytes in [`Format::recognise`], and its line in [`open`].

mod ctranslate2;
mod ggml;
mod ggml_type;
mod gguf;
mod names;
mod pickle_cost;
mod reader;
mod safetensors;
mod shards;
mod torch;

pub(crate) use ggml::StoredFilters;
pub(crate) use names::hugging_face_name;

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use crate::dims::ModelDims;
use crate::dtype::DType;
use crate::error::{Error, Result};

/// The tensors of a checkpoint and the files that hold them, with what else the format itself says.
#[derive(Debug)]
pub(crate) struct Weights {
    /// Name of the format, for messages and listings.
    pub(crate) format: &'static str,
    /// The mapped files.
    pub(crate) files: Vec<MappedFile>,
    /// Tensors by canonical name. Those that Whisper does not have are left out.
    pub(crate) tensors: HashMap<String, Stored>,
    /// Attention heads of encoder and decoder.
    pub(crate) heads: Option<(usize, usize)>,
    /// All dimensions, to be held against those of the tensors.
    pub(crate) stated_dims: Option<ModelDims>,
    /// Where the bytes of each text token lie in the first file, in order of id.
    pub(crate) vocabulary: Option<Vec<Range<usize>>>,
    /// Mel filters in the first file.
    pub(crate) mel_filters: Option<StoredFilters>,
}

impl Weights {
    /// Weights of a format that says nothing beside the tensors.
    fn new(format: &'static str, files: Vec<MappedFile>, tensors: HashMap<String, Stored>) -> Self {
        Self {
            format,
            files,
            tensors,
            heads: None,
            stated_dims: None,
            vocabulary: None,
            mel_filters: None,
        }
    }
}

/// One file of weights, mapped into memory.
#[derive(Debug)]
pub(crate) struct MappedFile {
    pub(crate) path: PathBuf,
    pub(crate) map: Mmap,
}

/// A tensor of a file.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    /// Which of the files.
    pub(crate) file: usize,
    pub(crate) data: Data,
    pub(crate) dtype: StoredType,
    pub(crate) shape: Vec<usize>,
    /// What integers are to be divided by.
    pub(crate) scales: Option<Scales>,
}

/// Where the bytes of a tensor are.
#[derive(Clone, Debug)]
pub(crate) enum Data {
    /// In the mapped file. Whoever makes one has checked that the range lies in it and has the length that shape and type
    /// ask for.
    Mapped(Range<usize>),
    /// In a PyTorch file, by way of its reader.
    Torch(pytorch_reader::Tensor),
}

/// Where the scales of a tensor of integers lie in its mapped file: one number for each row, or one for all.
#[derive(Clone, Debug)]
pub(crate) struct Scales {
    /// A float type.
    pub(crate) dtype: DType,
    pub(crate) range: Range<usize>,
    pub(crate) per_row: bool,
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
    /// OpenAI's `.pt` and `pytorch_model.bin`.
    Torch,
    Ggml,
    Gguf,
}

impl Format {
    fn recognise(head: &[u8]) -> Option<Self> {
        // safetensors begin with a number that may look like a pickle, and so come before them.
        if ggml::recognise(head) {
            Some(Self::Ggml)
        } else if gguf::recognise(head) {
            Some(Self::Gguf)
        } else if ctranslate2::recognise(head) {
            Some(Self::CTranslate2)
        } else if safetensors::recognise(head) {
            Some(Self::Safetensors)
        } else if torch::recognise(head) {
            Some(Self::Torch)
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
    } else if metadata.is_file() {
        path.to_path_buf()
    } else {
        // A pipe would be waited on for ever, and cannot be mapped.
        return Err(Error::NotAFile(path.to_path_buf()));
    };
    if has_extension(&file, "json") {
        return shards::open(&file);
    }
    let head = read_head(&file)?;
    match Format::recognise(&head) {
        Some(Format::Safetensors) => open_safetensors(&file),
        Some(Format::CTranslate2) => ctranslate2::open(&file),
        Some(Format::Torch) => torch::open(&file),
        Some(Format::Ggml) => ggml::open(&file),
        Some(Format::Gguf) => gguf::open(&file),
        // The name still says which parser gives the more telling message.
        None if has_extension(&file, "safetensors") && !head.is_empty() => open_safetensors(&file),
        None => Err(Error::UnknownFormat {
            path: file,
            what: describe_unknown(&head),
        }),
    }
}

fn open_safetensors(path: &Path) -> Result<Weights> {
    let file = MappedFile::open(path)?;
    let mut tensors = HashMap::new();
    add(&mut tensors, path, safetensors::read(&file, 0)?)?;
    Ok(Weights::new(safetensors::FORMAT, vec![file], tensors))
}

/// Adds the tensors of one file by their canonical names; those that Whisper does not have are passed over.
fn add(
    tensors: &mut HashMap<String, Stored>,
    path: &Path,
    found: impl IntoIterator<Item = (String, Stored)>,
) -> Result<()> {
    for (name, stored) in found {
        if let Some(canonical) = names::canonical_name(&name)
            && tensors.insert(canonical.clone(), stored).is_some()
        {
            let what = "is there twice, under different names: it is not clear which one is meant";
            return Err(Error::tensor(path, canonical, what));
        }
    }
    Ok(())
}

/// More tensors than any Whisper model has: large-v3, the largest one, has 1259. A file of headers alone would else
/// take far more memory than it is large.
const MAX_TENSORS: usize = 4096;

/// A file of more than [`MAX_TENSORS`].
fn too_many_tensors(path: &Path) -> Error {
    let what = format!("it holds more than {MAX_TENSORS} tensors, which no Whisper model has");
    Error::corrupt(path, what)
}

/// A variant of a format that is not read.
pub(crate) fn unread(path: &Path, format: &str, dtype: &str) -> Error {
    Error::unsupported(
        path,
        format!("a {format} file of {dtype} weights"),
        "use the model in f32, f16 or bf16",
    )
}

/// The weights of a folder: a file or index of safetensors, else of PyTorch, else a `model.bin`, else any
/// other file that is called like weights.
pub(crate) fn find_in_folder(folder: &Path) -> Result<PathBuf> {
    for name in [
        "model.safetensors",
        "model.safetensors.index.json",
        "model.bin",
        "pytorch_model.bin",
        "pytorch_model.bin.index.json",
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
            (known || name.ends_with(".index.json")) && file.is_file()
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

/// A shape as users write it: `[51865, 512]`.
pub(crate) fn show_shape(shape: &[usize]) -> String {
    format!("{shape:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_apart_by_their_first_bytes() {
        assert_eq!(Format::recognise(b"PK\x03\x04rest"), Some(Format::Torch));
        assert_eq!(
            Format::recognise(b"\x80\x02\x8a\nl\xfc\x9cF\xf9"),
            Some(Format::Torch)
        );
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
        // A header of 640 bytes: its length begins like a pickle.
        assert_eq!(
            Format::recognise(b"\x80\x02\0\0\0\0\0\0{\""),
            Some(Format::Safetensors)
        );
        assert_eq!(Format::recognise(b"RIFF\x24\x80\0\0WAVE"), None);
        assert_eq!(Format::recognise(b""), None);
    }
}
