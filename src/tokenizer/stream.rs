//! Text from tokens as they come, one by one.

use super::Tokenizer;

/// Decodes tokens one at a time and gives out text as soon as it is whole.
///
/// A letter can be spread over several tokens (a Chinese character has three bytes, an emoji four): its bytes are held
/// back until the last one is there. All texts given out, with that of [`finish`](Self::finish), make up exactly
/// [`Tokenizer::decode`] of all tokens.
#[derive(Debug)]
pub struct TokenStream<'a> {
    tokenizer: &'a Tokenizer,
    /// Bytes of a letter that is not complete yet: at most 3.
    held: Vec<u8>,
}

impl<'a> TokenStream<'a> {
    pub(super) fn new(tokenizer: &'a Tokenizer) -> Self {
        TokenStream {
            tokenizer,
            held: Vec::new(),
        }
    }

    /// Takes the next token and returns the text that it completes, if it completes any. Timestamps have no text.
    pub fn push(&mut self, token: u32) -> Option<String> {
        if token < self.tokenizer.timestamp_begin() {
            self.tokenizer.push_bytes(token, &mut self.held);
        }
        let mut text = String::new();
        let mut used = 0;
        for chunk in self.held.utf8_chunks() {
            let rest = &self.held[used + chunk.valid().len()..];
            text.push_str(chunk.valid());
            used += chunk.valid().len();
            if is_unfinished(rest) {
                break;
            }
            if !chunk.invalid().is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
                used += chunk.invalid().len();
            }
        }
        self.held.drain(..used);
        (!text.is_empty()).then_some(text)
    }

    /// Ends the stream and returns what an unfinished letter at the end is written as: U+FFFD.
    pub fn finish(self) -> Option<String> {
        (!self.held.is_empty()).then(|| String::from_utf8_lossy(&self.held).into_owned())
    }
}

impl Tokenizer {
    /// Starts decoding tokens one by one.
    pub fn stream(&self) -> TokenStream<'_> {
        TokenStream::new(self)
    }
}

/// Whether the bytes are the beginning of one letter that more bytes could complete.
fn is_unfinished(bytes: &[u8]) -> bool {
    match std::str::from_utf8(bytes) {
        Ok(_) => false,
        Err(error) => error.valid_up_to() == 0 && error.error_len().is_none(),
    }
}
