//! A model in several files, which an index lists: `model.safetensors.index.json` or `pytorch_model.bin.index.json`.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use serde::Deserialize;

use super::{Format, MappedFile, Weights, add, safetensors, torch};
use crate::error::{Error, Result};
use crate::metadata::read_config;

/// What of an index is read: the file of each tensor.
#[derive(Deserialize)]
struct Index {
    weight_map: Option<HashMap<String, String>>,
}

/// Opens the shards that an index lists.
pub(super) fn open(index: &Path) -> Result<Weights> {
    let Index { weight_map } = read_config(index)?;
    let shard_of = weight_map
        .ok_or_else(|| Error::config(index, "is not an index of shards: it has no weight_map"))?;
    for (name, shard) in &shard_of {
        // A shard lies beside its index: anything but a plain file name is refused.
        if Path::new(shard)
            .file_name()
            .is_none_or(|plain| plain != shard.as_str())
        {
            let what = format!("names no file beside it for the tensor {name}");
            return Err(Error::config(index, what));
        }
    }
    let shards: BTreeSet<&str> = shard_of.values().map(String::as_str).collect();
    if shards.is_empty() {
        return Err(Error::config(index, "lists no shards"));
    }

    let folder = index.parent().unwrap_or(Path::new(""));
    let mut format = safetensors::FORMAT;
    let mut files = Vec::new();
    let mut tensors = HashMap::new();
    for shard in shards {
        let path = folder.join(shard);
        if !path.is_file() {
            return Err(Error::config(
                index,
                format!("lists the shard {shard}, which is missing"),
            ));
        }
        let file = MappedFile::open(&path)?;
        let found = match Format::recognise(&file.map) {
            Some(Format::Torch) => {
                format = torch::FORMAT;
                torch::read(&file, files.len())?
            }
            _ => safetensors::read(&file, files.len())?,
        };
        let listed = found
            .into_iter()
            .filter(|(name, _)| shard_of.get(name).is_some_and(|listed| listed == shard));
        add(&mut tensors, &path, listed)?;
        files.push(file);
    }
    Ok(Weights::new(format, files, tensors))
}
