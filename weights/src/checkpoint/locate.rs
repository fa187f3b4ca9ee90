//! Where each tensor of a model lies.

use std::collections::BTreeMap;

use crate::dims::ModelDims;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::formats::{self, Stored, StoredType, Weights, show_shape};
use crate::layout::for_each_tensor;

/// A tensor in one of the files.
#[derive(Debug)]
pub(super) struct Located {
    pub stored: Stored,
    pub dtype: DType,
}

/// Checks every tensor that the dimensions ask for.
pub(super) fn locate(weights: &Weights, dims: &ModelDims) -> Result<BTreeMap<String, Located>> {
    let mut tensors = BTreeMap::new();
    let mut outcome = Ok(());
    for_each_tensor(dims, |name, expected| {
        if outcome.is_err() {
            return;
        }
        match locate_one(weights, &name, &expected) {
            Ok(located) => {
                tensors.insert(name, located);
            }
            Err(error) => outcome = Err(error),
        }
    });
    outcome.map(|()| tensors)
}

fn locate_one(weights: &Weights, name: &str, expected: &[usize]) -> Result<Located> {
    let stored = weights
        .tensors
        .get(name)
        .ok_or_else(|| missing(weights, name))?;
    let path = &weights.files[stored.file].path;
    let dtype = match &stored.dtype {
        StoredType::Read(dtype) => *dtype,
        StoredType::Unread(dtype) => return Err(formats::unread(path, weights.format, dtype)),
    };
    if stored.shape != expected {
        let (found, expected) = (show_shape(&stored.shape), show_shape(expected));
        return Err(Error::tensor(
            path,
            name,
            format!("has shape {found}, expected {expected}"),
        ));
    }
    Ok(Located {
        stored: stored.clone(),
        dtype,
    })
}

/// What is said of a tensor that is not there.
pub(super) fn missing(weights: &Weights, name: &str) -> Error {
    let path = &weights.files[0].path;
    let one_shard = weights.files.len() == 1
        && path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().contains("-of-"));
    let hint = if one_shard {
        "is missing: this is one shard of several, give the folder that holds all of them"
    } else {
        "is missing: this is not a whole Whisper model"
    };
    Error::tensor(path, name, hint)
}
