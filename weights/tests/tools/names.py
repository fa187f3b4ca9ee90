"""transformers' names of Whisper's tensors and openai/whisper's."""

RENAMES = [
    (".layers.", ".blocks."),
    (".encoder_attn_layer_norm.", ".cross_attn_ln."),
    (".self_attn_layer_norm.", ".attn_ln."),
    (".final_layer_norm.", ".mlp_ln."),
    (".encoder_attn.", ".cross_attn."),
    (".self_attn.", ".attn."),
    (".q_proj.", ".query."),
    (".k_proj.", ".key."),
    (".v_proj.", ".value."),
    (".out_proj.", ".out."),
    (".fc1.", ".mlp.0."),
    (".fc2.", ".mlp.2."),
    ("encoder.layer_norm.", "encoder.ln_post."),
    ("decoder.layer_norm.", "decoder.ln."),
    (".embed_tokens.", ".token_embedding."),
    (".embed_positions.weight", ".positional_embedding"),
]


def openai_name(name):
    for theirs, ours in RENAMES:
        name = name.replace(theirs, ours)
    return name


def transformers_name(name):
    for theirs, ours in reversed(RENAMES):
        name = name.replace(ours, theirs)
    return f"model.{name}"
