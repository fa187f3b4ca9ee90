//! Tokens that are written but not spoken: speaker tags, sound descriptions, musical notes.

use std::collections::BTreeSet;

use super::Tokenizer;

/// Brackets, quotes and marks, suppressed where they are one token.
const SYMBOLS: &[&str] = &[
    "\"",
    "#",
    "(",
    ")",
    "*",
    "+",
    "/",
    ":",
    ";",
    "<",
    "=",
    ">",
    "@",
    "[",
    "\\",
    "]",
    "^",
    "_",
    "`",
    "{",
    "|",
    "}",
    "~",
    "「",
    "」",
    "『",
    "』",
    "<<",
    ">>",
    "<<<",
    ">>>",
    "--",
    "---",
    "-(",
    "-[",
    "('",
    "(\"",
    "((",
    "))",
    "(((",
    ")))",
    "[[",
    "]]",
    "{{",
    "}}",
    "♪♪",
    "♪♪♪",
];

/// Musical signs, U+2640 to U+267F. Where one is several tokens the first is suppressed: it holds the two bytes that
/// these characters share, and no letter has them.
const MUSICAL_SIGNS: &[&str] = &["♩", "♪", "♫", "♬", "♭", "♮", "♯"];

impl Tokenizer {
    /// The tokens that openai/whisper suppresses by default (`suppress_tokens="-1"`), in rising order
    /// (tokenizer.py:242-275). Basic punctuation stays.
    pub fn non_speech_tokens(&self) -> Vec<u32> {
        // None of these is split before it is encoded, being marks alone.
        let encode = |text: &str| self.vocabulary.encode_piece(text);
        let mut suppressed = BTreeSet::new();
        // A hyphen or a quote within a word is fine, at the beginning of a word it is not.
        for beginning in [" -", " '"] {
            suppressed.extend(encode(beginning).first());
        }
        for (symbols, first_of_several) in [(SYMBOLS, false), (MUSICAL_SIGNS, true)] {
            for symbol in symbols {
                for tokens in [encode(symbol), encode(&format!(" {symbol}"))] {
                    if tokens.len() == 1 || first_of_several {
                        suppressed.extend(tokens.first());
                    }
                }
            }
        }
        suppressed.into_iter().collect()
    }
}
