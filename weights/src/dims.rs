//! The dimensions of a Whisper model, by openai/whisper's names (`whisper/model.py`,
//! `ModelDimensions`).

/// Width of one attention head in every published Whisper model.
pub const HEAD_WIDTH: usize = 64;

/// The dimensions that fix the shape of every tensor of a Whisper model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelDims {
    /// Mel bins of the features: 80, or 128 from large-v3 on.
    pub n_mels: usize,
    /// Positions of the encoder: 1500 for a window of 30 s.
    pub n_audio_ctx: usize,
    /// Width of the encoder.
    pub n_audio_state: usize,
    /// Attention heads of the encoder.
    pub n_audio_head: usize,
    /// Blocks of the encoder.
    pub n_audio_layer: usize,
    /// Size of the vocabulary: 51864 for English-only models, 51865 for multilingual ones, 51866
    /// from large-v3 on.
    pub n_vocab: usize,
    /// Positions of the decoder: 448.
    pub n_text_ctx: usize,
    /// Width of the decoder; equal to the encoder's.
    pub n_text_state: usize,
    /// Attention heads of the decoder.
    pub n_text_head: usize,
    /// Blocks of the decoder.
    pub n_text_layer: usize,
}

impl ModelDims {
    /// Whether the vocabulary is a multilingual one (`whisper/model.py`, `is_multilingual`).
    pub fn is_multilingual(&self) -> bool {
        self.n_vocab >= 51_865
    }
}
