//! The tensors of a Whisper model: openai/whisper's state-dict names (`whisper/model.py`), which
//! are the canonical ones here, and the shape that the dimensions give each.

use crate::dims::ModelDims;

/// Calls `visit(name, shape)` for every tensor of a model of these dimensions.
pub fn for_each_tensor(dims: &ModelDims, mut visit: impl FnMut(String, Vec<usize>)) {
    let state = dims.n_audio_state;
    visit("encoder.conv1.weight".into(), vec![state, dims.n_mels, 3]);
    visit("encoder.conv1.bias".into(), vec![state]);
    visit("encoder.conv2.weight".into(), vec![state, state, 3]);
    visit("encoder.conv2.bias".into(), vec![state]);
    visit(
        "encoder.positional_embedding".into(),
        vec![dims.n_audio_ctx, state],
    );
    for layer in 0..dims.n_audio_layer {
        let block = format!("encoder.blocks.{layer}");
        attention(&format!("{block}.attn"), state, &mut visit);
        mlp(&block, state, &mut visit);
    }
    layer_norm("encoder.ln_post", state, &mut visit);

    let state = dims.n_text_state;
    visit(
        "decoder.token_embedding.weight".into(),
        vec![dims.n_vocab, state],
    );
    visit(
        "decoder.positional_embedding".into(),
        vec![dims.n_text_ctx, state],
    );
    for layer in 0..dims.n_text_layer {
        let block = format!("decoder.blocks.{layer}");
        attention(&format!("{block}.attn"), state, &mut visit);
        attention(&format!("{block}.cross_attn"), state, &mut visit);
        mlp(&block, state, &mut visit);
    }
    layer_norm("decoder.ln", state, &mut visit);
}

/// Multi-head attention with the layer norm before it. Keys have no bias.
fn attention(name: &str, state: usize, visit: &mut impl FnMut(String, Vec<usize>)) {
    for projection in ["query", "key", "value", "out"] {
        visit(format!("{name}.{projection}.weight"), vec![state, state]);
        if projection != "key" {
            visit(format!("{name}.{projection}.bias"), vec![state]);
        }
    }
    layer_norm(&format!("{name}_ln"), state, visit);
}

/// The two linear layers of a block with the layer norm before them.
fn mlp(block: &str, state: usize, visit: &mut impl FnMut(String, Vec<usize>)) {
    visit(format!("{block}.mlp.0.weight"), vec![4 * state, state]);
    visit(format!("{block}.mlp.0.bias"), vec![4 * state]);
    visit(format!("{block}.mlp.2.weight"), vec![state, 4 * state]);
    visit(format!("{block}.mlp.2.bias"), vec![state]);
    layer_norm(&format!("{block}.mlp_ln"), state, visit);
}

fn layer_norm(name: &str, state: usize, visit: &mut impl FnMut(String, Vec<usize>)) {
    visit(format!("{name}.weight"), vec![state]);
    visit(format!("{name}.bias"), vec![state]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_add_up_to_the_published_sizes() {
        let parameters = |n_mels, state, audio_layers, text_layers, n_vocab| {
            let dims = ModelDims {
                n_mels,
                n_audio_ctx: 1500,
                n_audio_state: state,
                n_audio_head: state / 64,
                n_audio_layer: audio_layers,
                n_vocab,
                n_text_ctx: 448,
                n_text_state: state,
                n_text_head: state / 64,
                n_text_layer: text_layers,
            };
            let mut sum = 0;
            for_each_tensor(&dims, |_, shape| sum += shape.iter().product::<usize>());
            sum
        };
        // sum(p.numel() for p in model.state_dict().values()) of openai/whisper's models.
        assert_eq!(parameters(80, 384, 4, 4, 51_864), 37_760_256);
        assert_eq!(parameters(80, 512, 6, 6, 51_865), 72_593_920);
    }
}
