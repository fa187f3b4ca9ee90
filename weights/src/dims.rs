//! The dimensions of a Whisper model, by openai/whisper's names (`whisper/model.py`,
//! `ModelDimensions`).

/// Width of one attention head in every published Whisper model.
pub(crate) const HEAD_WIDTH: usize = 64;

/// The dimensions that fix the shape of every tensor of a Whisper model: all ten that there are, so no field will be added.
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
    /// The names that [`ModelDims::of`] knows.
    pub const NAMES: [&str; 11] = [
        "tiny.en",
        "tiny",
        "base.en",
        "base",
        "small.en",
        "small",
        "medium.en",
        "medium",
        "large-v2",
        "large-v3",
        "large-v3-turbo",
    ];

    /// The dimensions of a model that OpenAI published, by its name.
    pub fn of(name: &str) -> Option<ModelDims> {
        let (size, english) = match name.strip_suffix(".en") {
            Some(size) => (size, true),
            None => (name, false),
        };
        let (state, audio_layers, text_layers) = match size {
            "tiny" => (384, 4, 4),
            "base" => (512, 6, 6),
            "small" => (768, 12, 12),
            "medium" => (1024, 24, 24),
            "large-v2" | "large-v3" if !english => (1280, 32, 32),
            "large-v3-turbo" if !english => (1280, 32, 4),
            _ => return None,
        };
        let third = size.starts_with("large-v3");
        Some(ModelDims {
            n_mels: if third { 128 } else { 80 },
            n_audio_ctx: 1500,
            n_audio_state: state,
            n_audio_head: state / HEAD_WIDTH,
            n_audio_layer: audio_layers,
            n_vocab: match (english, third) {
                (true, _) => 51_864,
                (_, false) => 51_865,
                (_, true) => 51_866,
            },
            n_text_ctx: 448,
            n_text_state: state,
            n_text_head: state / HEAD_WIDTH,
            n_text_layer: text_layers,
        })
    }

    /// Whether the vocabulary is a multilingual one (`whisper/model.py`, `is_multilingual`).
    pub fn is_multilingual(&self) -> bool {
        self.n_vocab >= 51_865
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_names_have_dimensions_and_others_none() {
        for name in ModelDims::NAMES {
            let dims = ModelDims::of(name).unwrap();
            assert_eq!(dims.is_multilingual(), !name.ends_with(".en"), "{name}");
        }
        for name in ["", "large-v3.en", "huge", ".en"] {
            assert_eq!(ModelDims::of(name), None, "{name}");
        }
    }
}
