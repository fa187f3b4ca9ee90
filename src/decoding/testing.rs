//! What the tests of decoding share.

use whisper_weights::ModelDims;

/// The smallest model that has an English vocabulary.
pub const DIMS: ModelDims = ModelDims {
    n_mels: 80,
    n_audio_ctx: 1500,
    n_audio_state: 64,
    n_audio_head: 1,
    n_audio_layer: 1,
    n_vocab: 51_864,
    n_text_ctx: 448,
    n_text_state: 64,
    n_text_head: 1,
    n_text_layer: 1,
};
