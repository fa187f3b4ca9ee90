//! The dimensions of a model, which no format but ggml states as a whole.

use std::collections::HashSet;

use super::locate::missing;
use crate::dims::{HEAD_WIDTH, ModelDims};
use crate::error::{Error, Result};
use crate::formats::{Weights, show_shape};
use crate::metadata::Metadata;

/// The dimensions, from the shapes of the tensors; the number of heads, which no shape tells, from
/// the format or `config.json`, else by the width of a head.
pub(super) fn find_dims(weights: &Weights, metadata: &Metadata) -> Result<ModelDims> {
    let path = &weights.files[0].path;
    let shape = |name: &str, rank: usize| -> Result<&[usize]> {
        let shape = match weights.tensors.get(name) {
            Some(stored) => stored.shape.as_slice(),
            None => return Err(missing(weights, name)),
        };
        if shape.len() != rank || shape.contains(&0) {
            let what = format!("has shape {}, not {rank} axes", show_shape(shape));
            return Err(Error::tensor(path, name, what));
        }
        Ok(shape)
    };
    let layers = |side: &str| {
        let prefix = format!("{side}.blocks.");
        let numbers: HashSet<&str> = weights
            .tensors
            .keys()
            .filter_map(|name| name.strip_prefix(&prefix)?.split('.').next())
            .collect();
        numbers.len()
    };

    let conv1 = shape("encoder.conv1.weight", 3)?;
    let audio_positions = shape("encoder.positional_embedding", 2)?;
    let token_embedding = shape("decoder.token_embedding.weight", 2)?;
    let text_positions = shape("decoder.positional_embedding", 2)?;
    let (audio_state, text_state) = (conv1[0], token_embedding[1]);
    if audio_state != text_state {
        let what = format!("is {text_state} wide, but the encoder is {audio_state} wide");
        return Err(Error::tensor(path, "decoder.token_embedding.weight", what));
    }

    // Every published model has heads of one width.
    let by_width = (audio_state % HEAD_WIDTH == 0)
        .then_some((audio_state / HEAD_WIDTH, text_state / HEAD_WIDTH));
    let stated = weights.stated_dims.as_ref();
    let (audio_heads, text_heads) = weights
        .heads
        .or_else(|| stated.map(|dims| (dims.n_audio_head, dims.n_text_head)))
        .or_else(|| metadata.heads())
        .or(by_width)
        .ok_or_else(|| {
            let what = "the number of attention heads is not known: config.json is missing";
            Error::config(path, what)
        })?;
    for heads in [audio_heads, text_heads] {
        if heads == 0 || audio_state % heads != 0 {
            let what = format!("{heads} attention heads do not divide a width of {audio_state}");
            return Err(Error::config(path, what));
        }
    }
    let dims = ModelDims {
        n_mels: conv1[1],
        n_audio_ctx: audio_positions[0],
        n_audio_state: audio_state,
        n_audio_head: audio_heads,
        n_audio_layer: layers("encoder"),
        n_vocab: token_embedding[0],
        n_text_ctx: text_positions[0],
        n_text_state: text_state,
        n_text_head: text_heads,
        n_text_layer: layers("decoder"),
    };
    match stated {
        Some(stated) if *stated != dims => {
            let what = format!("it states {stated:?}, but its tensors have {dims:?}");
            Err(Error::corrupt(path, what))
        }
        _ => Ok(dims),
    }
}
