//! Comparing a transcript with what was said: normalisers that make two ways of writing equal, and error rates.

mod alignment;
mod basic;
mod brackets;
mod characters;
mod comparison;
mod confusions;
mod contractions;
mod english;
mod normalizer;
mod number_marks;
mod number_value;
mod number_words;
mod numbers;
mod placement;
mod reading;
mod spelling;
mod symbols;
mod time_differences;
mod timed_text;
mod timeline;
mod token_difference;
mod word_error_rate;

pub use alignment::{Edit, align};
pub use basic::BasicTextNormalizer;
pub use comparison::{ComparedWord, Comparison, PlacedWord};
pub use confusions::LanguageConfusions;
pub use english::EnglishTextNormalizer;
pub use normalizer::Normalizer;
pub use reading::READABLE;
pub use time_differences::TimeDifferences;
pub use timed_text::{Span, TextToken, TimedText};
pub use timeline::Timeline;
pub use token_difference::{TokenDifference, TokenStretch};
pub use word_error_rate::{AlignedWord, ErrorCounts, align_words, character_errors, word_errors};
