//! From the names that files give tensors to the canonical ones, which are those of openai/whisper's state dict.

/// What frameworks put before the names of a model that is part of something larger: transformers (`model.`),
/// openai/whisper's files (`model_state_dict.`), training scripts (`state_dict.`), PyTorch's data parallelism (`module.`).
const WRAPPERS: [&str; 4] = ["model.", "model_state_dict.", "state_dict.", "module."];

/// The canonical name of a tensor, or `None` for one that Whisper's model does not have (such as the output projection,
/// which is the token embedding again). Takes transformers' names and openai/whisper's.
pub(crate) fn canonical_name(name: &str) -> Option<String> {
    let mut name = name;
    while let Some(inner) = WRAPPERS
        .iter()
        .find_map(|wrapper| name.strip_prefix(wrapper))
    {
        name = inner;
    }
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
    use std::collections::BTreeSet;

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
    fn wrappers_are_taken_off() {
        for name in [
            "model_state_dict.encoder.conv1.bias",
            "state_dict.model.encoder.conv1.bias",
            "module.model.encoder.conv1.bias",
        ] {
            assert_eq!(canonical_name(name).as_deref(), Some("encoder.conv1.bias"));
        }
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
