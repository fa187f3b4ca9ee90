"""A model of transformers as openai/whisper has it."""

import whisper

from names import openai_name


def openai_model(model):
    """The weights in openai/whisper's own class, which checks names and shapes itself."""
    config = model.config
    dims = whisper.ModelDimensions(
        n_mels=config.num_mel_bins,
        n_audio_ctx=config.max_source_positions,
        n_audio_state=config.d_model,
        n_audio_head=config.encoder_attention_heads,
        n_audio_layer=config.encoder_layers,
        n_vocab=config.vocab_size,
        n_text_ctx=config.max_target_positions,
        n_text_state=config.d_model,
        n_text_head=config.decoder_attention_heads,
        n_text_layer=config.decoder_layers,
    )
    renamed = {}
    for name, tensor in model.model.state_dict().items():
        renamed[openai_name(name)] = tensor
    result = whisper.Whisper(dims)
    result.load_state_dict(renamed, strict=True)
    return result
