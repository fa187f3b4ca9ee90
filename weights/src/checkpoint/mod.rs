//! A checkpoint: the tensors of a Whisper model by canonical name, whatever format holds them,
//! with its dimensions, tokenizer, alignment heads and suppress lists.

mod find_dims;
mod locate;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use find_dims::find_dims;
use locate::{Located, locate};

use crate::dims::ModelDims;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::formats::{self, Data, MappedFile, StoredFilters, Weights};
use crate::metadata::Metadata;
use crate::published;
use crate::tensor::TensorView;
use crate::tokenizer;

/// A Whisper model on disk, mapped into memory and read one tensor at a time.
///
/// Tensors go by the names of openai/whisper's state dict (`encoder.blocks.0.attn.query.weight`).
/// [`Checkpoint::open`] has checked that each of them is there with the shape that the dimensions
/// ask for.
#[derive(Debug)]
pub struct Checkpoint {
    format: &'static str,
    folder: PathBuf,
    pub(crate) files: Vec<MappedFile>,
    dims: ModelDims,
    tensors: BTreeMap<String, Located>,
    /// Where the text tokens lie in the first file, in formats that hold them.
    pub(crate) vocabulary: Option<Vec<Range<usize>>>,
    mel_filters: Option<StoredFilters>,
    metadata: Metadata,
    published: Published,
}

/// What was published for a model of these dimensions, for where no file says it.
#[derive(Debug)]
struct Published {
    alignment_heads: Option<&'static [(usize, usize)]>,
    suppress_tokens: Option<Vec<i64>>,
    begin_suppress_tokens: Option<Vec<i64>>,
    language_ids: Option<Vec<i64>>,
}

/// Where a fact about a model comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The files of the model say it.
    Files,
    /// No file says it: it was published for models of these dimensions.
    Published,
    /// Neither says it: the engine falls back on what it does for any model.
    Fallback,
}

/// The Mel filters that a ggml file holds: all that it says of them, so no field will be added.
#[derive(Clone, Debug, PartialEq)]
pub struct MelFilters {
    /// Mel bins.
    pub n_mels: usize,
    /// Frequencies: half of the 400 samples of a Fourier transform, and one.
    pub n_frequencies: usize,
    /// `[n_mels, n_frequencies]`.
    pub values: Vec<f32>,
}

impl Checkpoint {
    /// Opens a file, or the weights in a folder. The format is told by the content.
    ///
    /// # Errors
    ///
    /// Where there are no weights, or they are truncated, corrupt, of a format that is not read,
    /// or not a whole Whisper model; the message names the file and the tensor.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let weights = formats::open(path)?;
        let folder = if path.is_dir() {
            path
        } else {
            path.parent().unwrap_or(Path::new(""))
        };
        let mut metadata = Metadata::read(folder)?;
        let dims = find_dims(&weights, &metadata)?;
        metadata.check(&dims)?;
        check_alignment_heads(&weights, &dims, &mut metadata)?;
        Ok(Self {
            format: weights.format,
            folder: folder.to_path_buf(),
            dims,
            tensors: locate(&weights, &dims)?,
            files: weights.files,
            vocabulary: weights.vocabulary,
            mel_filters: weights.mel_filters,
            metadata,
            published: Published {
                alignment_heads: published::alignment_heads(&dims),
                suppress_tokens: published::suppress_tokens(&dims),
                begin_suppress_tokens: published::begin_suppress_tokens(&dims),
                language_ids: published::language_ids(&dims),
            },
        })
    }

    /// The model's dimensions.
    pub fn dims(&self) -> &ModelDims {
        &self.dims
    }

    /// Name of the format that holds the weights: "safetensors", "CTranslate2", "PyTorch", "ggml",
    /// "GGUF".
    pub fn format(&self) -> &'static str {
        self.format
    }

    /// The folder of the weights, where tokenizer and configuration are looked for.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Size of the weight files in bytes.
    pub fn file_size(&self) -> u64 {
        self.files.iter().map(|file| file.map.len() as u64).sum()
    }

    /// Canonical names of all tensors, in alphabetical order.
    pub fn tensor_names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// A tensor by its canonical name. Its bytes are those of the mapped file: nothing is copied,
    /// but from PyTorch files, whose tensors are read when they are asked for.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchTensor`] for a name that a model of these dimensions does not have;
    /// [`Error::Corrupt`] where a PyTorch file does not hold what it states.
    pub fn tensor(&self, name: &str) -> Result<TensorView<'_>> {
        let Located { stored, dtype } = self
            .tensors
            .get(name)
            .ok_or_else(|| Error::NoSuchTensor(name.into()))?;
        let file = &self.files[stored.file];
        let bytes = match &stored.data {
            Data::Mapped(range) => Cow::Borrowed(&file.map[range.clone()]),
            Data::Torch(tensor) => Cow::Owned(read_torch(file, tensor)?),
        };
        let scales = stored.scales.as_ref().map(|scales| {
            TensorView {
                dtype: scales.dtype,
                shape: Vec::new(),
                bytes: file.map[scales.range.clone()].into(),
                scales: Vec::new(),
            }
            .to_f32()
        });
        Ok(TensorView {
            dtype: *dtype,
            shape: stored.shape.clone(),
            bytes,
            scales: scales.unwrap_or_default(),
        })
    }

    /// Element type of a tensor, by its canonical name. `None` for a name that the model does not have.
    pub fn dtype(&self, name: &str) -> Option<DType> {
        Some(self.tensors.get(name)?.dtype)
    }

    /// The content of the model's `tokenizer.json`: that beside the weights, or one made from what there is
    /// instead: `vocab.json` and `merges.txt`, the vocabulary in a ggml file, or else the published vocabulary
    /// of the model's size.
    ///
    /// # Errors
    ///
    /// [`Error::MissingTokenizer`] where there is none of these.
    pub fn tokenizer_json(&self) -> Result<Cow<'_, [u8]>> {
        let tokens = (self.vocabulary.as_ref()).map(|tokens| {
            tokens
                .iter()
                .map(|token| &self.files[0].map[token.clone()])
                .collect()
        });
        tokenizer::tokenizer_json(&self.folder, &self.dims, tokens).map(Cow::Owned)
    }

    /// Cross-attention heads (layer, head) that follow the audio in time: from the files, else as
    /// OpenAI published them for a model of these dimensions. `None` where neither says.
    pub fn alignment_heads(&self) -> Option<&[(usize, usize)]> {
        (self.metadata.alignment_heads.as_deref()).or(self.published.alignment_heads)
    }

    /// Where [`alignment_heads`](Self::alignment_heads) come from.
    pub fn alignment_heads_origin(&self) -> Origin {
        origin(
            &self.metadata.alignment_heads,
            &self.published.alignment_heads,
        )
    }

    /// Tokens that are never sampled: from the files, else as published for the model's vocabulary.
    pub fn suppress_tokens(&self) -> Option<&[i64]> {
        let (said, published) = (
            &self.metadata.suppress_tokens,
            &self.published.suppress_tokens,
        );
        said.as_deref().or(published.as_deref())
    }

    /// Where [`suppress_tokens`](Self::suppress_tokens) come from.
    pub fn suppress_tokens_origin(&self) -> Origin {
        origin(
            &self.metadata.suppress_tokens,
            &self.published.suppress_tokens,
        )
    }

    /// Tokens that are never sampled first: from the files, else as published for the model's vocabulary.
    pub fn begin_suppress_tokens(&self) -> Option<&[i64]> {
        let published = &self.published.begin_suppress_tokens;
        (self.metadata.begin_suppress_tokens.as_deref()).or(published.as_deref())
    }

    /// Ids of the language tokens in ascending order: from the files, else those of the model's vocabulary.
    pub fn language_ids(&self) -> Option<&[i64]> {
        let (said, published) = (&self.metadata.language_ids, &self.published.language_ids);
        said.as_deref().or(published.as_deref())
    }

    /// The Mel filters in the weights file, which ggml files alone have.
    pub fn mel_filters(&self) -> Option<MelFilters> {
        let stored = self.mel_filters.as_ref()?;
        let [n_mels, n_frequencies] = stored.shape;
        let values = TensorView {
            dtype: DType::F32,
            shape: Vec::new(),
            bytes: self.files[0].map[stored.range.clone()].into(),
            scales: Vec::new(),
        };
        Some(MelFilters {
            n_mels,
            n_frequencies,
            values: values.to_f32(),
        })
    }

    /// Lets the operating system take back the memory of the weights that were read so far. They
    /// are read from the file again when they are asked for again.
    ///
    /// A loader that calls this between tensors keeps only the one it reads in memory.
    pub fn release_pages(&self) {
        #[cfg(unix)]
        for file in &self.files {
            // SAFETY: the map is of a file and never written, so that dropped pages come back
            // from the file with the same content. A refusal only means that memory stays used.
            let _ = unsafe {
                file.map
                    .unchecked_advise(memmap2::UncheckedAdvice::DontNeed)
            };
        }
    }
}

fn origin<T, U>(said: &Option<T>, published: &Option<U>) -> Origin {
    match (said, published) {
        (Some(_), _) => Origin::Files,
        (None, Some(_)) => Origin::Published,
        (None, None) => Origin::Fallback,
    }
}

fn read_torch(file: &MappedFile, tensor: &pytorch_reader::Tensor) -> Result<Vec<u8>> {
    let bytes = tensor.read().map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof => {
            Error::corrupt(&file.path, error.to_string())
        }
        _ => Error::io("read", &file.path, error),
    })?;
    // The library promises this; what is read here goes to code that counts on it.
    if bytes.len() != tensor.byte_len() {
        let what = format!(
            "tensor {} has {} bytes, not {}",
            tensor.name,
            bytes.len(),
            tensor.byte_len()
        );
        return Err(Error::corrupt(&file.path, what));
    }
    Ok(bytes)
}

/// Refuses alignment heads that the decoder does not have.
fn check_alignment_heads(
    weights: &Weights,
    dims: &ModelDims,
    metadata: &mut Metadata,
) -> Result<()> {
    let Some(heads) = &metadata.alignment_heads else {
        return Ok(());
    };
    for &(layer, head) in heads {
        if layer >= dims.n_text_layer || head >= dims.n_text_head {
            let file = metadata.alignment_heads_file.as_ref();
            let what = format!(
                "alignment_heads names head {head} of layer {layer}, which the decoder does not have"
            );
            return Err(Error::config(file.unwrap_or(&weights.files[0].path), what));
        }
    }
    Ok(())
}
