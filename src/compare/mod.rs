//! Comparing a transcript with what was said: normalisers that make two ways of writing equal, and error rates.

mod alignment;
mod basic;
mod brackets;
mod characters;
mod contractions;
mod english;
mod number_marks;
mod number_value;
mod number_words;
mod numbers;
mod spelling;
mod symbols;
mod word_error_rate;

pub use alignment::{Edit, align};
pub use basic::BasicTextNormalizer;
pub use english::EnglishTextNormalizer;
pub use word_error_rate::{AlignedWord, ErrorCounts, align_words, character_errors, word_errors};
