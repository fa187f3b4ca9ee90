//! Facts that OpenAI published beside the weights and that some files leave out.

use crate::dims::ModelDims;

/// Cross-attention heads (layer, head) that follow the audio in time, as openai/whisper lists
/// them by model (`whisper/__init__.py`, `_ALIGNMENT_HEADS`).
///
/// Models are told apart by their dimensions. large-v1 and large-v2 have the same ones but other
/// heads, and distilled decoders have their own, so that none are known for them.
pub fn alignment_heads(dims: &ModelDims) -> Option<&'static [(usize, usize)]> {
    let english = !dims.is_multilingual();
    let heads: &[(usize, usize)] = match (dims.n_audio_layer, dims.n_text_layer, dims.n_text_state)
    {
        (4, 4, 384) if english => TINY_EN,
        (4, 4, 384) => TINY,
        (6, 6, 512) if english => BASE_EN,
        (6, 6, 512) => BASE,
        (12, 12, 768) if english => SMALL_EN,
        (12, 12, 768) => SMALL,
        (24, 24, 1024) if english => MEDIUM_EN,
        (24, 24, 1024) => MEDIUM,
        (32, 32, 1280) if dims.n_mels == 128 => LARGE_V3,
        (32, 4, 1280) if dims.n_mels == 128 => LARGE_V3_TURBO,
        _ => return None,
    };
    Some(heads)
}

#[rustfmt::skip]
mod table {
    pub(super) const TINY_EN: &[(usize, usize)] = &[(1, 0), (2, 0), (2, 5), (3, 0), (3, 1), (3, 2), (3, 3), (3, 4)];
    pub(super) const TINY: &[(usize, usize)] = &[(2, 2), (3, 0), (3, 2), (3, 3), (3, 4), (3, 5)];
    pub(super) const BASE_EN: &[(usize, usize)] = &[(3, 3), (4, 7), (5, 1), (5, 5), (5, 7)];
    pub(super) const BASE: &[(usize, usize)] = &[(3, 1), (4, 2), (4, 3), (4, 7), (5, 1), (5, 2), (5, 4), (5, 6)];
    pub(super) const SMALL_EN: &[(usize, usize)] = &[
        (6, 6), (7, 0), (7, 3), (7, 8), (8, 2), (8, 5), (8, 7), (9, 0), (9, 4), (9, 8), (9, 10), (10, 0), (10, 1),
        (10, 2), (10, 3), (10, 6), (10, 11), (11, 2), (11, 4),
    ];
    pub(super) const SMALL: &[(usize, usize)] = &[
        (5, 3), (5, 9), (8, 0), (8, 4), (8, 7), (8, 8), (9, 0), (9, 7), (9, 9), (10, 5),
    ];
    pub(super) const MEDIUM_EN: &[(usize, usize)] = &[
        (11, 4), (14, 1), (14, 12), (14, 14), (15, 4), (16, 0), (16, 4), (16, 9), (17, 12), (17, 14), (18, 7),
        (18, 10), (18, 15), (20, 0), (20, 3), (20, 9), (20, 14), (21, 12),
    ];
    pub(super) const MEDIUM: &[(usize, usize)] = &[(13, 15), (15, 4), (15, 15), (16, 1), (20, 0), (23, 4)];
    pub(super) const LARGE_V3: &[(usize, usize)] = &[
        (7, 0), (10, 17), (12, 18), (13, 12), (16, 1), (17, 14), (19, 11), (21, 4), (24, 1), (25, 6),
    ];
    pub(super) const LARGE_V3_TURBO: &[(usize, usize)] = &[(2, 4), (2, 11), (3, 3), (3, 6), (3, 11), (3, 14)];
}
use table::*;
