//! Facts that were published beside the weights and that some files leave out.

use crate::dims::ModelDims;
use crate::special::SpecialIds;

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

/// Whether these are the dimensions that large-v1 and large-v2 share.
pub(crate) fn is_large_v1_or_v2(dims: &ModelDims) -> bool {
    ModelDims::of("large-v2").is_some_and(|large| large == *dims)
}

/// Tokens that are never sampled, as the published `generation_config.json` of each vocabulary lists them: openai/whisper's
/// non-speech tokens (`whisper/tokenizer.py`, `non_speech_tokens`), then the special tokens that start or steer a sequence.
/// `None` for a vocabulary that is not one of Whisper's.
pub(crate) fn suppress_tokens(dims: &ModelDims) -> Option<Vec<i64>> {
    let ids = known_ids(dims)?;
    let non_speech = if dims.is_multilingual() {
        NON_SPEECH_MULTILINGUAL
    } else {
        NON_SPEECH_ENGLISH
    };
    let special = ids.never_sampled().into_iter().map(u64::cast_signed);
    Some(non_speech.iter().copied().chain(special).collect())
}

/// Tokens that are never sampled first, as published: a blank and the end of text.
pub(crate) fn begin_suppress_tokens(dims: &ModelDims) -> Option<Vec<i64>> {
    Some(vec![220, known_ids(dims)?.end_of_text.cast_signed()])
}

/// Ids of the language tokens of a multilingual model.
pub(crate) fn language_ids(dims: &ModelDims) -> Option<Vec<i64>> {
    let ids = known_ids(dims).filter(|_| dims.is_multilingual())?;
    Some(ids.languages.map(u64::cast_signed).collect())
}

/// Special tokens of the vocabularies that were published.
fn known_ids(dims: &ModelDims) -> Option<SpecialIds> {
    SpecialIds::of(dims).filter(|_| dims.n_vocab <= 51_866)
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
    pub(super) const NON_SPEECH_ENGLISH: &[i64] = &[
        1, 2, 7, 8, 9, 10, 14, 25, 26, 27, 28, 29, 31, 58, 59, 60, 61, 62, 63, 90, 91, 92, 93, 357, 366, 438, 532,
        685, 705, 796, 930, 1058, 1220, 1267, 1279, 1303, 1343, 1377, 1391, 1635, 1782, 1875, 2162, 2361, 2488, 3467,
        4008, 4211, 4600, 4808, 5299, 5855, 6329, 7203, 9609, 9959, 10563, 10786, 11420, 11709, 11907, 13163, 13697,
        13700, 14808, 15306, 16410, 16791, 17992, 19203, 19510, 20724, 22305, 22935, 27007, 30109, 30420, 33409,
        34949, 40283, 40493, 40549, 47282, 49146,
    ];
    pub(super) const NON_SPEECH_MULTILINGUAL: &[i64] = &[
        1, 2, 7, 8, 9, 10, 14, 25, 26, 27, 28, 29, 31, 58, 59, 60, 61, 62, 63, 90, 91, 92, 93, 359, 503, 522, 542,
        873, 893, 902, 918, 922, 931, 1350, 1853, 1982, 2460, 2627, 3246, 3253, 3268, 3536, 3846, 3961, 4183, 4667,
        6585, 6647, 7273, 9061, 9383, 10428, 10929, 11938, 12033, 12331, 12562, 13793, 14157, 14635, 15265, 15618,
        16553, 16604, 18362, 18956, 20075, 21675, 22520, 26130, 26161, 26435, 28279, 29464, 31650, 32302, 32470,
        36865, 42863, 47425, 49870, 50254,
    ];
}
use table::*;
