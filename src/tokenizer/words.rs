//! Tokens put together into words, as word timestamps need them.

use super::Tokenizer;

/// One word with its leading space or its punctuation, and the tokens that it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordTokens {
    /// The text of the tokens.
    pub word: String,
    /// The tokens, at least one.
    pub tokens: Vec<u32>,
}

/// Languages that are written without spaces between words (openai/whisper tokenizer.py:278).
const LANGUAGES_WITHOUT_SPACES: [&str; 6] = ["zh", "ja", "th", "lo", "my", "yue"];

/// Python's `string.punctuation`, in its order.
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

impl Tokenizer {
    /// Splits tokens into words (openai/whisper tokenizer.py:277-330): at spaces and punctuation, or, in languages
    /// written without spaces, at every position where whole characters end.
    ///
    /// `language` is a language code; for English models it is `"en"`. Tokens at the end that never make up whole
    /// characters are left out, as they are by openai.
    pub fn split_to_word_tokens(&self, tokens: &[u32], language: &str) -> Vec<WordTokens> {
        // openai's tokenizer of an English model has no language at all.
        if self.is_multilingual() && LANGUAGES_WITHOUT_SPACES.contains(&language) {
            self.split_on_characters(tokens)
        } else {
            self.split_on_spaces(tokens)
        }
    }

    /// Splits wherever the tokens so far are whole characters.
    fn split_on_characters(&self, tokens: &[u32]) -> Vec<WordTokens> {
        let full: Vec<char> = self.decode_with_timestamps(tokens).chars().collect();
        let mut words = Vec::new();
        let mut current = Vec::new();
        // Characters of `full` that the words found so far hold.
        let mut offset = 0;
        for token in tokens {
            current.push(*token);
            let decoded = self.decode_with_timestamps(&current);
            let replacement = decoded
                .chars()
                .position(|c| c == char::REPLACEMENT_CHARACTER);
            // U+FFFD means a character cut in two, unless the whole text has it there too. Beyond the end of the whole
            // text openai fails; here it counts as there, so that no token is lost.
            let whole = replacement.is_none_or(|at| {
                full.get(offset + at)
                    .is_none_or(|c| *c == char::REPLACEMENT_CHARACTER)
            });
            if whole {
                offset += decoded.chars().count();
                words.push(WordTokens {
                    word: decoded,
                    tokens: std::mem::take(&mut current),
                });
            }
        }
        words
    }

    /// Splits before spaces, before and after special tokens, and around punctuation.
    fn split_on_spaces(&self, tokens: &[u32]) -> Vec<WordTokens> {
        let mut words: Vec<WordTokens> = Vec::new();
        for part in self.split_on_characters(tokens) {
            let special = part.tokens[0] >= self.eot();
            let with_space = part.word.starts_with(' ');
            // In Python this is a search for a substring: "" and "()" are in it, "--" is not.
            let punctuation = PUNCTUATION.contains(crate::text::python_strip(&part.word));
            match words.last_mut() {
                Some(last) if !special && !with_space && !punctuation => {
                    last.word.push_str(&part.word);
                    last.tokens.extend(part.tokens);
                }
                _ => words.push(part),
            }
        }
        words
    }
}
