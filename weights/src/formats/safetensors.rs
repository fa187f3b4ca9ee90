//! Hugging Face safetensors: one file, or shards that a `*.index.json` lists. Tensors are named
//! as transformers names them, or as openai/whisper does.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use safetensors::{Dtype, SafeTensors};

use super::{MappedFile, Stored, StoredType, Weights};
use crate::error::{Error, Result};
use crate::metadata::read_json;
use crate::tensor::DType;

const FORMAT: &str = "safetensors";

/// Whether a file begins like safetensors: a length of eight bytes, then a JSON object. The
/// length itself is not looked at: one that is absurd is a corrupt file, not another format.
pub(super) fn recognise(head: &[u8]) -> bool {
    head.get(8) == Some(&b'{')
}

/// Opens a single file.
pub(super) fn open_file(path: &Path) -> Result<Weights> {
    let file = MappedFile::open(path)?;
    let mut tensors = HashMap::new();
    for (name, stored) in read_header(&file, 0)? {
        if let Some(canonical) = canonical_name(&name) {
            tensors.insert(canonical, stored);
        }
    }
    Ok(Weights {
        format: FORMAT,
        files: vec![file],
        tensors,
        heads: None,
    })
}

/// Opens the shards that an index lists.
pub(super) fn open_shards(index: &Path) -> Result<Weights> {
    let json = read_json(index)?;
    let map = json
        .get("weight_map")
        .and_then(|map| map.as_object())
        .ok_or_else(|| {
            Error::config(
                index,
                "is not an index of safetensors shards: it has no weight_map",
            )
        })?;
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

    let folder = index.parent().unwrap_or(Path::new(""));
    let mut files = Vec::new();
    let mut tensors = HashMap::new();
    for shard in shard_of.values().copied().collect::<BTreeSet<_>>() {
        let path = folder.join(shard);
        if !path.is_file() {
            return Err(Error::config(
                index,
                format!("lists the shard {shard}, which is missing"),
            ));
        }
        let file = MappedFile::open(&path)?;
        for (name, stored) in read_header(&file, files.len())? {
            if shard_of.get(name.as_str()) != Some(&shard) {
                continue;
            }
            if let Some(canonical) = canonical_name(&name) {
                tensors.insert(canonical, stored);
            }
        }
        files.push(file);
    }
    Ok(Weights {
        format: FORMAT,
        files,
        tensors,
        heads: None,
    })
}

/// The tensors of one file, by the file's own names.
fn read_header(file: &MappedFile, index: usize) -> Result<Vec<(String, Stored)>> {
    let bytes: &[u8] = &file.map;
    let corrupt = |what: String| Error::corrupt(&file.path, what);
    let Some(length) = bytes.first_chunk::<8>() else {
        return Err(corrupt(format!(
            "it has {} bytes, fewer than any header",
            bytes.len()
        )));
    };
    let header_length = u64::from_le_bytes(*length);
    if header_length > (bytes.len() - 8) as u64 {
        return Err(corrupt(format!(
            "its header claims {header_length} bytes, but the whole file has {}",
            bytes.len()
        )));
    }
    // The library checks the rest: every range in bounds, in order, without gaps, of the length
    // that shape and type ask for, and the last one ending with the file.
    let (header_length, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|error| corrupt(explain(&error)))?;
    let data = 8 + header_length;
    let tensors = metadata.tensors().into_iter().map(|(name, info)| {
        let (start, end) = info.data_offsets;
        let dtype = match info.dtype {
            Dtype::F32 => StoredType::Read(DType::F32),
            Dtype::F16 => StoredType::Read(DType::F16),
            Dtype::BF16 => StoredType::Read(DType::BF16),
            other => StoredType::Unread(format!("{other:?}")),
        };
        let range = data + start..data + end;
        (
            name,
            Stored {
                file: index,
                range,
                dtype,
                shape: info.shape.clone(),
            },
        )
    });
    Ok(tensors.collect())
}

fn explain(error: &safetensors::SafeTensorError) -> String {
    use safetensors::SafeTensorError as E;
    match error {
        E::MetadataIncompleteBuffer => {
            "its tensors do not fill the file exactly: bytes are missing or too many".into()
        }
        other => format!("its header is not valid ({other})"),
    }
}

/// The canonical name of a tensor, or `None` for one that Whisper's model does not have (such as
/// the output projection, which is the token embedding again).
fn canonical_name(name: &str) -> Option<String> {
    let name = name.strip_prefix("model.").unwrap_or(name);
    let (side, rest) = name.split_once('.')?;
    if side != "encoder" && side != "decoder" {
        return None;
    }
    // Files in openai/whisper's own names.
    if rest.starts_with("blocks.")
        || ["ln_post", "ln", "token_embedding", "positional_embedding"]
            .contains(&rest.split('.').next()?)
    {
        return Some(name.to_string());
    }
    if let Some(rest) = rest.strip_prefix("layers.") {
        let (layer, rest) = rest.split_once('.')?;
        let (module, leaf) = rest.rsplit_once('.')?;
        let module = match module {
            "self_attn.q_proj" => "attn.query",
            "self_attn.k_proj" => "attn.key",
            "self_attn.v_proj" => "attn.value",
            "self_attn.out_proj" => "attn.out",
            "self_attn_layer_norm" => "attn_ln",
            "encoder_attn.q_proj" => "cross_attn.query",
            "encoder_attn.k_proj" => "cross_attn.key",
            "encoder_attn.v_proj" => "cross_attn.value",
            "encoder_attn.out_proj" => "cross_attn.out",
            "encoder_attn_layer_norm" => "cross_attn_ln",
            "fc1" => "mlp.0",
            "fc2" => "mlp.2",
            "final_layer_norm" => "mlp_ln",
            _ => return None,
        };
        return Some(format!("{side}.blocks.{layer}.{module}.{leaf}"));
    }
    match (side, rest) {
        ("encoder", "conv1.weight" | "conv1.bias" | "conv2.weight" | "conv2.bias") => {
            Some(name.to_string())
        }
        (_, "embed_positions.weight") => Some(format!("{side}.positional_embedding")),
        ("encoder", "layer_norm.weight") => Some("encoder.ln_post.weight".into()),
        ("encoder", "layer_norm.bias") => Some("encoder.ln_post.bias".into()),
        ("decoder", "layer_norm.weight") => Some("decoder.ln.weight".into()),
        ("decoder", "layer_norm.bias") => Some("decoder.ln.bias".into()),
        ("decoder", "embed_tokens.weight") => Some("decoder.token_embedding.weight".into()),
        _ => None,
    }
}

/// The name that transformers gives a canonical tensor: the inverse of [`canonical_name`].
pub(crate) fn hugging_face_name(canonical: &str) -> String {
    let mut name = canonical
        .replace(".blocks.", ".layers.")
        .replace(".cross_attn_ln.", ".encoder_attn_layer_norm.")
        .replace(".attn_ln.", ".self_attn_layer_norm.")
        .replace(".mlp_ln.", ".final_layer_norm.")
        .replace(".cross_attn.", ".encoder_attn.")
        .replace(".attn.", ".self_attn.")
        .replace(".query.", ".q_proj.")
        .replace(".key.", ".k_proj.")
        .replace(".value.", ".v_proj.")
        .replace(".out.", ".out_proj.")
        .replace(".mlp.0.", ".fc1.")
        .replace(".mlp.2.", ".fc2.")
        .replace(".ln_post.", ".layer_norm.")
        .replace("decoder.ln.", "decoder.layer_norm.")
        .replace(".token_embedding.", ".embed_tokens.");
    if let Some(side) = name.strip_suffix(".positional_embedding") {
        name = format!("{side}.embed_positions.weight");
    }
    format!("model.{name}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dims::ModelDims;
    use crate::layout::for_each_tensor;

    #[test]
    fn names_map_there_and_back() {
        let dims = ModelDims {
            n_mels: 80,
            n_audio_ctx: 1500,
            n_audio_state: 384,
            n_audio_head: 6,
            n_audio_layer: 12,
            n_vocab: 51_864,
            n_text_ctx: 448,
            n_text_state: 384,
            n_text_head: 6,
            n_text_layer: 2,
        };
        let mut seen = BTreeSet::new();
        for_each_tensor(&dims, |name, _| {
            let theirs = hugging_face_name(&name);
            assert_eq!(
                canonical_name(&theirs).as_deref(),
                Some(name.as_str()),
                "{theirs}"
            );
            let bare = theirs.strip_prefix("model.").unwrap();
            assert_eq!(
                canonical_name(bare).as_deref(),
                Some(name.as_str()),
                "{bare}"
            );
            assert_eq!(canonical_name(&name).as_deref(), Some(name.as_str()));
            assert!(seen.insert(theirs), "{name} maps to a name that is taken");
        });
        assert!(seen.contains("model.decoder.layers.1.encoder_attn.k_proj.weight"));
        assert!(seen.contains("model.encoder.layers.11.final_layer_norm.bias"));
    }

    #[test]
    fn tensors_that_whisper_lacks_are_left_out() {
        for name in [
            "proj_out.weight",
            "model.encoder.extra.weight",
            "lm_head.weight",
            "model",
            "",
        ] {
            assert_eq!(canonical_name(name), None);
        }
    }
}
