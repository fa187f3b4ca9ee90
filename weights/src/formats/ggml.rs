//! whisper.cpp's ggml files.
//!
//! All numbers are little-endian i32 and nothing is aligned: the magic, the ten dimensions and the type of the file; the
//! Mel filters as two lengths and f32; the vocabulary as a count, then each token as a length and its bytes, in order of
//! id; then tensors up to the end of the file, each as its number of axes, the length of its name, its type, the axes
//! (innermost first), the name and the data. Names are openai/whisper's. Special tokens are not in the vocabulary.
//!
//! No length is trusted: every one is checked against what is left of the file.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use super::reader::Reader;
use super::{
    Data, MAX_TENSORS, MappedFile, Stored, StoredType, Weights, add, ggml_type, show_shape,
    too_many_tensors, unread,
};
use crate::dims::ModelDims;
use crate::dtype::DType;
use crate::error::{Error, Result};

const FORMAT: &str = "ggml";

/// Frequencies that Whisper's Mel filters weigh: half of the 400 samples of its Fourier transform, and one.
const FREQUENCIES: usize = 201;

/// More text tokens than any Whisper model has, fine-tuned ones with tokens of their own as well.
const MAX_TOKENS: usize = 1 << 18;

/// More axes than ggml has.
const MAX_RANK: usize = 4;

/// Whether a file begins with ggml's magic number, 0x67676d6c.
pub(super) fn recognise(head: &[u8]) -> bool {
    head.starts_with(b"lmgg")
}

pub(super) fn open(path: &Path) -> Result<Weights> {
    let file = MappedFile::open(path)?;
    let mut reader = Reader::new(path, &file.map);
    let _magic = reader.u32()?;
    let dims = dims(&mut reader)?;
    let mel_filters = mel_filters(&mut reader, dims.n_mels)?;
    let vocabulary = vocabulary(&mut reader, dims.n_vocab)?;
    let mut found = Vec::new();
    while reader.left() > 0 {
        if found.len() == MAX_TENSORS {
            return Err(too_many_tensors(path));
        }
        let (name, stored) = tensor(&mut reader)?;
        found.push((name.to_string(), stored));
    }
    let mut tensors = HashMap::new();
    add(&mut tensors, path, found)?;
    let mut weights = Weights::new(FORMAT, vec![file], tensors);
    weights.stated_dims = Some(dims);
    weights.vocabulary = Some(vocabulary);
    weights.mel_filters = Some(mel_filters);
    Ok(weights)
}

fn dims(reader: &mut Reader<'_>) -> Result<ModelDims> {
    let mut next = || reader.count("a dimension");
    let dims = ModelDims {
        n_vocab: next()?,
        n_audio_ctx: next()?,
        n_audio_state: next()?,
        n_audio_head: next()?,
        n_audio_layer: next()?,
        n_text_ctx: next()?,
        n_text_state: next()?,
        n_text_head: next()?,
        n_text_layer: next()?,
        n_mels: next()?,
    };
    // The type of most tensors. Each says its own, which is the one that counts.
    let _file_type = next()?;
    Ok(dims)
}

/// The Mel filters of a file.
#[derive(Debug)]
pub(crate) struct StoredFilters {
    /// Mel bins and frequencies.
    pub(crate) shape: [usize; 2],
    /// Where the f32 lie.
    pub(crate) range: Range<usize>,
}

fn mel_filters(reader: &mut Reader<'_>, n_mels: usize) -> Result<StoredFilters> {
    let shape = [
        reader.count("the number of Mel bins")?,
        reader.count("the number of frequencies")?,
    ];
    let expected = [n_mels, FREQUENCIES];
    let length = DType::F32.byte_length(&shape);
    let (Some(length), true) = (length, shape == expected) else {
        let (found, expected) = (show_shape(&shape), show_shape(&expected));
        let what = format!("has shape {found}, expected {expected}");
        return Err(Error::tensor(reader.path(), "mel_filters", what));
    };
    let range = reader.skip(length, "the table of Mel filters")?;
    Ok(StoredFilters { shape, range })
}

/// Where the bytes of each token lie.
fn vocabulary(reader: &mut Reader<'_>, n_vocab: usize) -> Result<Vec<Range<usize>>> {
    let count = reader.count("the number of tokens")?;
    if count > n_vocab.min(MAX_TOKENS) {
        let what = format!("it lists {count} tokens, but states a vocabulary of {n_vocab}");
        return Err(reader.corrupt(what));
    }
    // Not reserved: the count is believed token by token.
    let mut tokens = Vec::new();
    for _ in 0..count {
        let length = reader.count("the length of a token")?;
        tokens.push(reader.skip(length, "a token")?);
    }
    Ok(tokens)
}

fn tensor<'a>(reader: &mut Reader<'a>) -> Result<(&'a str, Stored)> {
    let at = reader.position();
    let rank = reader.count("the number of axes")?;
    let name_length = reader.count("the length of a name")?;
    let type_code = reader.count("a type")?;
    if rank > MAX_RANK {
        return Err(reader.corrupt(format!("the tensor at byte {at} has {rank} axes")));
    }
    let mut shape = Vec::with_capacity(rank);
    for _ in 0..rank {
        shape.push(reader.count("the length of an axis")?);
    }
    shape.reverse();
    let name = std::str::from_utf8(reader.take(name_length, "a name")?)
        .map_err(|_| reader.corrupt(format!("the tensor at byte {at} has no name")))?;
    if name.is_empty() {
        return Err(reader.corrupt(format!("the tensor at byte {at} has no name")));
    }
    let dtype = match ggml_type::stored_type(type_code) {
        Some(StoredType::Read(dtype)) => dtype,
        // Of other types not even the length is known, so that nothing after them can be read.
        Some(StoredType::Unread(other)) => return Err(unread(reader.path(), FORMAT, &other)),
        None => {
            return Err(reader.corrupt(format!(
                "the tensor {name} has the unknown type {type_code}"
            )));
        }
    };
    let Some(length) = dtype.byte_length(&shape) else {
        let shape = show_shape(&shape);
        return Err(reader.corrupt(format!(
            "the tensor {name} of type {dtype} claims the shape {shape}"
        )));
    };
    let range = reader.skip(length, &format!("the tensor {name}"))?;
    // The bias of a convolution is a column, to be added to every frame.
    if name.ends_with(".bias") && shape.len() == 2 && shape[1] == 1 {
        shape.pop();
    }
    let stored = Stored {
        file: 0,
        data: Data::Mapped(range),
        dtype: StoredType::Read(dtype),
        shape,
        scales: None,
    };
    Ok((name, stored))
}
