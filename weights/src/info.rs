//! What there is to say of a checkpoint beside its tensors.

use std::collections::BTreeMap;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::checkpoint::{Checkpoint, Origin};
use crate::dtype::DType;
use crate::languages::LANGUAGES;
use crate::published;
use crate::special::SpecialIds;
use crate::tokenizer;

impl Checkpoint {
    /// How many tensors are stored in each type.
    pub fn dtypes(&self) -> BTreeMap<DType, usize> {
        let mut counts = BTreeMap::new();
        for dtype in self.tensor_names().filter_map(|name| self.dtype(name)) {
            *counts.entry(dtype).or_default() += 1;
        }
        counts
    }

    /// Codes and English names of the languages that the model has tokens for, in their order: English alone for an
    /// English-only model, none for a vocabulary that is not one of Whisper's.
    pub fn languages(&self) -> &'static [(&'static str, &'static str)] {
        let count = match SpecialIds::of(self.dims()) {
            Some(ids) if self.dims().is_multilingual() => ids.languages.count(),
            Some(_) => 1,
            None => 0,
        };
        &LANGUAGES[..count.min(LANGUAGES.len())]
    }

    /// sha256 of each weight file, in hexadecimal.
    pub fn sha256(&self) -> Vec<(&Path, String)> {
        let hash = |bytes: &[u8]| -> String {
            let mut hasher = Sha256::new();
            for block in bytes.chunks(16 << 20) {
                hasher.update(block);
                // A hash needs no byte twice.
                self.release_pages();
            }
            hasher
                .finalize()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect()
        };
        (self.files.iter())
            .map(|file| (file.path.as_path(), hash(&file.map)))
            .collect()
    }

    /// What was taken from elsewhere because no file of the model says it, a line for each; empty for a complete model.
    pub fn notes(&self) -> Vec<String> {
        let tokenizer = tokenizer::origin(self.folder(), self.dims(), self.vocabulary.is_some());
        let published: Vec<&str> = [
            // Without any tokenizer, loading it is an error of its own.
            (
                "tokenizer",
                matches!(tokenizer, Ok(tokenizer::Origin::Published)),
            ),
            (
                "alignment heads",
                self.alignment_heads_origin() == Origin::Published,
            ),
            (
                "list of suppressed tokens",
                self.suppress_tokens_origin() == Origin::Published,
            ),
        ]
        .into_iter()
        .filter_map(|(what, is_published)| is_published.then_some(what))
        .collect();
        let mut notes = Vec::new();
        if !published.is_empty() {
            let missing = published.join(", ");
            notes.push(format!("the model comes without {missing}: what was published for models of its dimensions is used"));
        }
        if self.alignment_heads_origin() == Origin::Fallback {
            let why = match published::is_large_v1_or_v2(self.dims()) {
                true => "those of large-v1 and large-v2 differ, which cannot be told apart",
                false => "none were published",
            };
            notes.push(format!("the model comes without alignment heads, and {why}: word timestamps use all heads of the last half of the decoder's layers"));
        }
        notes
    }
}
