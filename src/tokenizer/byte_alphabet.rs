//! GPT-2's byte alphabet: how tokenizer.json writes bytes as printable characters.
//!
//! The 188 bytes that are printable in Latin-1 stand for themselves; the other 68, in order, are written as the
//! characters from U+0100 on (openai/gpt-2 encoder.py, `bytes_to_unicode`).

/// First character that stands for an unprintable byte.
const SHIFTED: u32 = 0x100;

/// Whether the byte stands for itself.
fn is_printable(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF)
}

/// The byte that each character of the alphabet stands for.
pub(super) struct ByteAlphabet {
    /// Bytes behind U+0100, U+0101, ...
    shifted: Vec<u8>,
}

impl ByteAlphabet {
    pub fn new() -> ByteAlphabet {
        ByteAlphabet {
            shifted: (0..=u8::MAX).filter(|byte| !is_printable(*byte)).collect(),
        }
    }

    /// The byte that a character stands for; none if it is not in the alphabet.
    pub fn byte(&self, character: char) -> Option<u8> {
        match u8::try_from(character) {
            Ok(byte) => is_printable(byte).then_some(byte),
            Err(_) => self
                .shifted
                .get((u32::from(character) - SHIFTED) as usize)
                .copied(),
        }
    }

    /// The bytes that a token of tokenizer.json stands for; none if it is not in the alphabet.
    pub fn bytes(&self, token: &str) -> Option<Vec<u8>> {
        token
            .chars()
            .map(|character| self.byte(character))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use tokenizers::pre_tokenizers::byte_level::ByteLevel;

    #[test]
    fn the_alphabet_is_that_of_the_tokenizers_crate_and_covers_every_byte() {
        let alphabet = ByteAlphabet::new();
        let characters = ByteLevel::alphabet();
        assert_eq!(characters.len(), 256);
        let bytes: BTreeSet<u8> = characters
            .iter()
            .map(|c| alphabet.byte(*c).unwrap())
            .collect();
        assert_eq!(bytes.len(), 256);
    }

    #[test]
    fn known_characters() {
        let alphabet = ByteAlphabet::new();
        assert_eq!(alphabet.bytes("Ġhi"), Some(b" hi".to_vec()));
        assert_eq!(alphabet.bytes("Ċ"), Some(b"\n".to_vec()));
        assert_eq!(alphabet.bytes("ä½ł"), Some("你".as_bytes().to_vec()));
        assert_eq!(
            alphabet.bytes("a b"),
            None,
            "a plain space is not in the alphabet"
        );
        assert_eq!(alphabet.bytes("你"), None);
    }
}
