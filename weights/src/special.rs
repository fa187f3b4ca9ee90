//! Ids of the special tokens, computed from the size of the vocabulary as openai/whisper does
//! (`whisper/tokenizer.py` and `whisper/model.py`, `num_languages`), never looked up by name.

use std::ops::Range;

use serde_json::{Map, Value, json};

use crate::dims::ModelDims;

/// The special tokens that a Hugging Face configuration names.
pub(crate) struct SpecialIds {
    pub(crate) end_of_text: u64,
    pub(crate) start_of_transcript: u64,
    pub(crate) languages: Range<u64>,
    pub(crate) translate: u64,
    pub(crate) transcribe: u64,
    pub(crate) start_of_prev: u64,
    pub(crate) no_timestamps: u64,
}

impl SpecialIds {
    /// `None` for a vocabulary that is not one of Whisper's.
    pub(crate) fn of(dims: &ModelDims) -> Option<Self> {
        let multilingual = u64::from(dims.is_multilingual());
        let languages = (dims.n_vocab as u64).checked_sub(51_765 + multilingual)?;
        let end_of_text = 50_256 + multilingual;
        let start_of_transcript = end_of_text + 1;
        let first_language = start_of_transcript + 1;
        let translate = first_language + languages;
        Some(Self {
            end_of_text,
            start_of_transcript,
            languages: first_language..translate,
            translate,
            transcribe: translate + 1,
            // translate + 2 starts a language-model prompt, + 4 is the no-speech token.
            start_of_prev: translate + 3,
            no_timestamps: translate + 5,
        })
    }

    /// Special tokens that are never sampled: the tasks and what starts a sequence.
    pub(crate) fn never_sampled(&self) -> [u64; 6] {
        [
            self.start_of_transcript,
            self.translate,
            self.transcribe,
            self.translate + 2,
            self.start_of_prev,
            self.translate + 4,
        ]
    }

    /// The ids that `config.json` and `generation_config.json` both have.
    pub(crate) fn add_to(&self, config: &mut Map<String, Value>) {
        for (key, id) in [
            ("bos_token_id", 50_257),
            ("eos_token_id", self.end_of_text),
            ("pad_token_id", self.end_of_text),
            ("decoder_start_token_id", self.start_of_transcript),
        ] {
            config.insert(key.into(), json!(id));
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// tiny with a vocabulary of this size.
    pub(crate) fn dims(n_vocab: usize) -> ModelDims {
        ModelDims {
            n_mels: 80,
            n_audio_ctx: 1500,
            n_audio_state: 384,
            n_audio_head: 6,
            n_audio_layer: 4,
            n_vocab,
            n_text_ctx: 448,
            n_text_state: 384,
            n_text_head: 6,
            n_text_layer: 4,
        }
    }

    #[test]
    fn ids_follow_from_the_vocabulary() {
        let table = [
            (51_864, 50_256, 50_357, 50_362),
            (51_865, 50_257, 50_358, 50_363),
            (51_866, 50_257, 50_359, 50_364),
        ];
        for (n_vocab, end_of_text, translate, no_timestamps) in table {
            let ids = SpecialIds::of(&dims(n_vocab)).unwrap();
            assert_eq!(ids.end_of_text, end_of_text);
            assert_eq!(ids.translate, translate);
            assert_eq!(ids.no_timestamps, no_timestamps);
        }
        assert!(SpecialIds::of(&dims(100)).is_none());
    }
}
