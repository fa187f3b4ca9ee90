//! Tokenizers for tests, which no test has to fetch.

// The integration tests make the same files and use more of it.
#[allow(dead_code)]
#[path = "../../tests/vocabulary/mod.rs"]
mod vocabulary;

use std::sync::OnceLock;

use super::Tokenizer;

/// The tokenizer of a vocabulary of 51864 (English), 51865 (multilingual) or 51866 (large-v3) tokens, made once.
pub(crate) fn tokenizer(n_vocab: usize) -> &'static Tokenizer {
    static TOKENIZERS: [OnceLock<Tokenizer>; 3] = [const { OnceLock::new() }; 3];
    TOKENIZERS[n_vocab - 51864].get_or_init(|| {
        let json = vocabulary::tokenizer_json(n_vocab, vocabulary::NEWEST).to_string();
        Tokenizer::new(json.as_bytes(), n_vocab).unwrap()
    })
}
