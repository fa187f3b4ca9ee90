//! The tokenizer of a model: from beside the weights, from the weights file itself, or the published one.

mod json;
mod outline;
mod published;
mod ranked;
mod vocab_and_merges;

use std::path::{Path, PathBuf};

pub(crate) use outline::Outline;

use crate::dims::ModelDims;
use crate::error::{Error, Result};
use crate::metadata::{has_file, read_tokenizer};

/// Where a tokenizer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A file beside the weights.
    Beside,
    /// The vocabulary in the weights file.
    Weights,
    /// Whisper's published vocabulary of that size.
    Published,
}

/// Where the tokenizer of a model comes from: the first that there is.
///
/// # Errors
///
/// [`Error::MissingTokenizer`] where nothing has one, and where `tokenizer.json` is no file.
pub(crate) fn origin(folder: &Path, dims: &ModelDims, in_weights: bool) -> Result<Origin> {
    if has_file(&folder.join("tokenizer.json"))? || vocab_and_merges::are_in(folder) {
        Ok(Origin::Beside)
    } else if in_weights {
        Ok(Origin::Weights)
    } else if published::knows(dims) {
        Ok(Origin::Published)
    } else {
        Err(Error::MissingTokenizer(folder.to_path_buf()))
    }
}

/// The content of a `tokenizer.json`: the folder's own, or one made from what there is instead. `tokens` are the bytes
/// of the text tokens in the weights file, in order of id.
pub(crate) fn tokenizer_json(
    folder: &Path,
    dims: &ModelDims,
    tokens: Option<Vec<&[u8]>>,
) -> Result<Vec<u8>> {
    match (origin(folder, dims, tokens.is_some())?, tokens) {
        (Origin::Weights, Some(tokens)) => ranked::tokenizer_json(&tokens, dims),
        (Origin::Published, _) => published::tokenizer_json(dims),
        _ => {
            let whole = folder.join("tokenizer.json");
            if whole.is_file() {
                read_tokenizer(&whole)
            } else {
                vocab_and_merges::tokenizer_json(folder)
            }
        }
    }
}

/// The file that messages name, where a tokenizer is not what it should be.
pub(crate) fn file(folder: &Path) -> PathBuf {
    let whole = folder.join("tokenizer.json");
    if whole.is_file() || !vocab_and_merges::are_in(folder) {
        whole
    } else {
        folder.join("vocab.json")
    }
}
