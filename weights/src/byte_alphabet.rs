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

/// The character of each byte, and the byte of each character.
#[derive(Debug)]
pub struct ByteAlphabet {
    /// Bytes behind U+0100, U+0101, ...
    shifted: Vec<u8>,
    /// Characters of all bytes, in order.
    characters: Vec<char>,
}

impl Default for ByteAlphabet {
    fn default() -> Self {
        Self::new()
    }
}

impl ByteAlphabet {
    /// The alphabet, with its tables.
    pub fn new() -> ByteAlphabet {
        let mut unprintable = SHIFTED..;
        let characters = (0..=u8::MAX).map(|byte| match is_printable(byte) {
            true => char::from(byte),
            false => unprintable
                .next()
                .and_then(char::from_u32)
                .unwrap_or(char::REPLACEMENT_CHARACTER),
        });
        ByteAlphabet {
            shifted: (0..=u8::MAX).filter(|byte| !is_printable(*byte)).collect(),
            characters: characters.collect(),
        }
    }

    /// How tokenizer.json writes a token of these bytes.
    pub fn text(&self, bytes: &[u8]) -> String {
        bytes
            .iter()
            .map(|byte| self.characters[usize::from(*byte)])
            .collect()
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

    #[test]
    fn every_byte_has_a_character_of_its_own() {
        let alphabet = ByteAlphabet::new();
        let bytes: Vec<u8> = (0..=u8::MAX).collect();
        let text = alphabet.text(&bytes);
        assert_eq!(text.chars().count(), 256);
        assert_eq!(alphabet.bytes(&text), Some(bytes));
    }

    #[test]
    fn known_characters() {
        let alphabet = ByteAlphabet::new();
        assert_eq!(alphabet.bytes("Ġhi"), Some(b" hi".to_vec()));
        assert_eq!(alphabet.text(b" hi"), "Ġhi");
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
