//! A model in several files, which an index lists: `model.safetensors.index.json` or `pytorch_model.bin.index.json`.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use super::{Format, MappedFile, Weights, add, safetensors, torch};
use crate::error::{Error, Result};
use crate::metadata::read_json;

/// Opens the shards that an index lists.
pub(super) fn open(index: &Path) -> Result<Weights> {
    let json = read_json(index)?;
    let map = json
        .get("weight_map")
        .and_then(|map| map.as_object())
        .ok_or_else(|| Error::config(index, "is not an index of shards: it has no weight_map"))?;
    let mut shard_of = HashMap::new();
    for (name, shard) in map {
        // A shard lies beside its index: anything but a plain file name is refused.
        let shard = shard
            .as_str()
            .filter(|shard| {
                Path::new(shard)
                    .file_name()
                    .is_some_and(|plain| plain == *shard)
            })
            .ok_or_else(|| {
                Error::config(
                    index,
                    format!("names no file beside it for the tensor {name}"),
                )
            })?;
        shard_of.insert(name.as_str(), shard);
    }
    let shards: BTreeSet<&str> = shard_of.values().copied().collect();
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
            .filter(|(name, _)| shard_of.get(name.as_str()) == Some(&shard));
        add(&mut tensors, &path, listed)?;
        files.push(file);
    }
    Ok(Weights::new(format, files, tensors))
}
