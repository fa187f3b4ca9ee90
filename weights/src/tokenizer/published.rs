//! Whisper's two published vocabularies, for models that come without a tokenizer: openai/whisper has them in its own
//! package and not beside the weights.

use std::io::Read;

use flate2::read::ZlibDecoder;

use super::ranked;
use crate::dims::ModelDims;
use crate::error::{Error, Result};
use crate::special::SpecialIds;

/// Bytes that have a token of their own.
const SINGLES: usize = 256;

/// Whether there is a published vocabulary of the model's size.
pub(super) fn knows(dims: &ModelDims) -> bool {
    matches!(dims.n_vocab, 51_864..=51_866) && SpecialIds::of(dims).is_some()
}

/// The published tokenizer of a model.
pub(super) fn tokenizer_json(dims: &ModelDims) -> Result<Vec<u8>> {
    let vocabulary = Vocabulary::read(dims.is_multilingual())?;
    let mut tokens = vocabulary.tokens;
    // The last text token of the multilingual vocabulary is empty.
    if dims.is_multilingual() {
        tokens.push(Vec::new());
    }
    Ok(ranked::from_merges(&tokens, &vocabulary.merges, dims))
}

/// Text tokens in order of id, and the pairs of ids that those after the single bytes are merged from.
pub(super) struct Vocabulary {
    pub(super) tokens: Vec<Vec<u8>>,
    pub(super) merges: Vec<(usize, usize)>,
}

impl Vocabulary {
    /// `weights/data/README.md` has the layout.
    pub(super) fn read(multilingual: bool) -> Result<Self> {
        let packed: &[u8] = if multilingual {
            include_bytes!("../../data/multilingual.merges.zlib")
        } else {
            include_bytes!("../../data/gpt2.merges.zlib")
        };
        let mut bytes = Vec::new();
        ZlibDecoder::new(packed)
            .read_to_end(&mut bytes)
            .map_err(|e| Error::io("unpack", "the published vocabulary", e))?;
        let (singles, ids) = bytes.split_at(SINGLES.min(bytes.len()));
        let ids: Vec<usize> = ids
            .chunks_exact(2)
            .map(|id| usize::from(u16::from_le_bytes([id[0], id[1]])))
            .collect();
        let (left, right) = ids.split_at(ids.len() / 2);
        let merges: Vec<(usize, usize)> = left.iter().copied().zip(right.iter().copied()).collect();
        let mut tokens: Vec<Vec<u8>> = singles.iter().map(|&byte| vec![byte]).collect();
        for &(left, right) in &merges {
            let token = [tokens[left].as_slice(), &tokens[right]].concat();
            tokens.push(token);
        }
        Ok(Self { tokens, merges })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::special::tests::dims;

    #[test]
    fn text_tokens_reach_up_to_the_end_of_text() {
        for (n_vocab, text_tokens) in [(51_864, 50_256), (51_865, 50_257), (51_866, 50_257)] {
            let json: Value =
                serde_json::from_slice(&tokenizer_json(&dims(n_vocab)).unwrap()).unwrap();
            assert_eq!(
                json["model"]["vocab"].as_object().unwrap().len(),
                text_tokens
            );
            assert_eq!(json["model"]["merges"].as_array().unwrap().len(), 50_000);
            assert_eq!(
                json["added_tokens"].as_array().unwrap().len(),
                n_vocab - text_tokens
            );
        }
        assert!(knows(&dims(51_866)) && !knows(&dims(51_867)));
    }
}
