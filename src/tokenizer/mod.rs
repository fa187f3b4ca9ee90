//! Whisper's tokenizer: text and special tokens of the English, multilingual and large-v3 vocabularies.
//!
//! Text tokens come from a model's tokenizer.json; the ids of special tokens follow
//! from the size of the model's vocabulary (openai/whisper tokenizer.py).

mod byte_pairs;
mod file;
pub mod languages;
mod non_speech;
mod special;
mod stream;
mod task;
#[cfg(test)]
pub(crate) mod testing;
mod vocabulary;
mod words;

use std::fmt;
use std::ops::Range;

pub use stream::TokenStream;
pub use task::Task;
pub use words::WordTokens;

use crate::error::{Error, Result};
use special::SpecialTokens;
use vocabulary::Vocabulary;

/// The tokenizer of one model. It is `Send` and `Sync`, and sharing it costs nothing.
pub struct Tokenizer {
    vocabulary: Vocabulary,
    special: SpecialTokens,
}

impl Tokenizer {
    /// Makes the tokenizer of a model with `n_vocab` tokens from the bytes of its tokenizer.json.
    ///
    /// Of the file only the vocabulary of its byte-level BPE is used, so it does not matter which special tokens it lists and
    /// how. Merges are tried in the order of the tokens that they give; that the file has them in this order is checked.
    ///
    /// # Errors
    ///
    /// [`Error::Tokenizer`] if the file is no byte-level BPE tokenizer, if its tokens or merges contradict each other, if it
    /// belongs to a model with another vocabulary, or if `n_vocab` is not that of a Whisper model (51864, 51865, 51866).
    pub fn new(tokenizer_json: &[u8], n_vocab: usize) -> Result<Tokenizer> {
        let special = SpecialTokens::new(n_vocab)?;
        let vocabulary = Vocabulary::new(tokenizer_json, &special)?;
        Ok(Tokenizer {
            vocabulary,
            special,
        })
    }

    /// Whether the model knows languages other than English, and with them the tokens of language and task.
    pub fn is_multilingual(&self) -> bool {
        self.special.multilingual
    }

    /// How many language tokens the vocabulary has: 100 in large-v3, 99 in the others, the English ones included.
    pub fn num_languages(&self) -> usize {
        self.special.num_languages as usize
    }

    /// How many tokens the model's vocabulary has, timestamps included.
    pub fn n_vocab(&self) -> usize {
        self.special.n_vocab() as usize
    }

    /// The tokens of a text.
    ///
    /// What is written like a special token is text like any other (openai's `encode` refuses such texts): a prompt
    /// cannot smuggle in control tokens.
    ///
    /// # Errors
    ///
    /// [`Error::Tokenizer`] if the tokenizers crate fails, which no text is known to cause.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        self.vocabulary.encode(text)
    }

    /// The text of tokens, without timestamps (openai/whisper tokenizer.py:164-166).
    ///
    /// The bytes of all tokens are joined before they are read as UTF-8, since a letter may be spread over several
    /// tokens; what is not UTF-8 becomes U+FFFD. Special tokens below the first timestamp are written as
    /// `<|endoftext|>`; ids beyond the vocabulary have no text.
    pub fn decode(&self, tokens: &[u32]) -> String {
        lossy(self.decode_bytes(tokens))
    }

    /// As [`decode`](Self::decode), with timestamps written as `<|1.08|>` (openai/whisper tokenizer.py:168-173).
    pub fn decode_with_timestamps(&self, tokens: &[u32]) -> String {
        let mut bytes = Vec::new();
        tokens
            .iter()
            .for_each(|token| self.push_bytes(*token, &mut bytes));
        lossy(bytes)
    }

    /// As [`decode`](Self::decode), but the bytes as they are, which need not be UTF-8.
    pub fn decode_bytes(&self, tokens: &[u32]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for token in tokens
            .iter()
            .filter(|token| **token < self.timestamp_begin())
        {
            self.push_bytes(*token, &mut bytes);
        }
        bytes
    }

    /// Appends the bytes of one token, of text or special.
    fn push_bytes(&self, token: u32, bytes: &mut Vec<u8>) {
        match self.vocabulary.token_bytes(token) {
            Some(text) => bytes.extend_from_slice(text),
            None => {
                bytes.extend_from_slice(self.special.text(token).unwrap_or_default().as_bytes())
            }
        }
    }

    /// End of text. Text tokens are those below it.
    pub fn eot(&self) -> u32 {
        self.special.eot
    }

    /// Start of transcript.
    pub fn sot(&self) -> u32 {
        self.special.sot()
    }

    /// The task of translating into English.
    pub fn translate(&self) -> u32 {
        self.special.translate()
    }

    /// The task of transcribing.
    pub fn transcribe(&self) -> u32 {
        self.special.transcribe()
    }

    /// Start of LM: there in the vocabulary, not used by released models.
    pub fn sot_lm(&self) -> u32 {
        self.special.sot_lm()
    }

    /// Start of previous text: comes before the prompt.
    pub fn sot_prev(&self) -> u32 {
        self.special.sot_prev()
    }

    /// No speech: its probability after start of transcript is the no-speech probability.
    pub fn no_speech(&self) -> u32 {
        self.special.no_speech()
    }

    /// No timestamps: asks for text without timestamps.
    pub fn no_timestamps(&self) -> u32 {
        self.special.no_timestamps()
    }

    /// The timestamp of 0.00 seconds; each following token is 0.02 seconds later.
    pub fn timestamp_begin(&self) -> u32 {
        self.special.timestamp_begin()
    }

    /// The token of a language given by code, English name or alias, in any case.
    ///
    /// # Errors
    ///
    /// [`Error::Language`] if nobody knows the language, or this vocabulary does not have it.
    pub fn language_token(&self, language: &str) -> Result<u32> {
        let code = languages::parse_language(language)?;
        self.language_tokens()
            .find(|token| self.language_code(*token) == Some(code))
            .ok_or_else(|| {
                Error::Language(format!(
                    "'{code}' is not known to this model; large-v3 and newer models have it"
                ))
            })
    }

    /// The tokens of all languages of this vocabulary, in the order of [`languages::LANGUAGES`].
    pub fn language_tokens(&self) -> Range<u32> {
        self.special.languages()
    }

    /// The language code of a language token.
    pub fn language_code(&self, token: u32) -> Option<&'static str> {
        self.special.language_code(token)
    }

    /// The tokens that a transcript starts with: start of transcript, language, task. English models have start of
    /// transcript alone; a multilingual model without a language is given English (openai/whisper tokenizer.py:378-386).
    ///
    /// # Errors
    ///
    /// [`Error::Language`] as in [`language_token`](Self::language_token).
    pub fn sot_sequence(&self, language: Option<&str>, task: Task) -> Result<Vec<u32>> {
        if !self.is_multilingual() {
            return Ok(vec![self.sot()]);
        }
        let task = match task {
            Task::Transcribe => self.transcribe(),
            Task::Translate => self.translate(),
        };
        Ok(vec![
            self.sot(),
            self.language_token(language.unwrap_or("en"))?,
            task,
        ])
    }

    /// The tokens of a single space, which must not be all that a transcript says (openai/whisper decoding.py:430).
    pub fn blank_tokens(&self) -> Vec<u32> {
        self.vocabulary.encode_piece(" ")
    }
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokenizer")
            .field("n_vocab", &self.n_vocab())
            .finish_non_exhaustive()
    }
}

/// UTF-8 text of bytes, each maximal invalid part replaced by U+FFFD, as Python's `errors="replace"` does.
fn lossy(bytes: Vec<u8>) -> String {
    match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::testing::tokenizer;

    #[test]
    fn ids_beyond_the_vocabulary_have_no_text() {
        let tokenizer = tokenizer(51864);
        assert_eq!(
            tokenizer.decode_with_timestamps(&[51864, 60000, u32::MAX]),
            ""
        );
        assert_eq!(
            tokenizer.decode(&[tokenizer.eot(), tokenizer.timestamp_begin()]),
            "<|endoftext|>"
        );
    }

    #[test]
    fn threads_share_a_tokenizer() {
        fn shared<T: Send + Sync>(_: &T) {}
        shared(tokenizer(51865));
    }
}
