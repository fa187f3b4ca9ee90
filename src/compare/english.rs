//! The normaliser for English.

use std::sync::LazyLock;

use regex::Regex;

use super::brackets::{pattern, remove_bracketed};
use super::characters::{SPACE, single_spaces};
use super::contractions::{expand_contractions, remove_hesitations};
use super::numbers::write_numbers;
use super::spelling::americanize;
use super::symbols::remove_symbols_and_diacritics;

static SPACED_APOSTROPHE: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("{SPACE}+'")));
static PERIOD: LazyLock<Regex> = LazyLock::new(|| pattern(r"\.([^0-9]|$)"));
static UNIT_WITHOUT_NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern("[.$¢€£]([^0-9])"));
static PERCENT_WITHOUT_NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern("([^0-9])%"));
static COMMA: LazyLock<Regex> = LazyLock::new(|| pattern(r"(\d),(\d)"));

/// openai/whisper's `EnglishTextNormalizer` (normalizers/english.py:465-550), for English texts: what
/// [`BasicTextNormalizer`](super::BasicTextNormalizer) does, contractions and titles written out, hesitations gone,
/// numbers with digits, and American spelling.
///
/// ```
/// use whisper_rs::compare::EnglishTextNormalizer;
///
/// let english = EnglishTextNormalizer;
/// assert_eq!(
///     english.normalize("Um, Mr. Smith's got twenty-one dollars' worth of colours!"),
///     "mister smith has got $21 worth of colors",
/// );
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EnglishTextNormalizer;

impl EnglishTextNormalizer {
    /// The normalised text. A space may stand at its ends, as with openai/whisper.
    pub fn normalize(&self, text: &str) -> String {
        let text = remove_bracketed(&text.to_lowercase());
        let text = remove_hesitations(&text);
        let text = SPACED_APOSTROPHE.replace_all(&text, "'");
        let text = expand_contractions(&text);
        // Commas within numbers, and periods that are no decimal points.
        let text = COMMA.replace_all(&text, "$1$2");
        let text = PERIOD.replace_all(&text, " $1");
        let text = remove_symbols_and_diacritics(&text, ".%$¢€£");
        let text = americanize(&write_numbers(&text));
        let text = UNIT_WITHOUT_NUMBER.replace_all(&text, " $1");
        let text = PERCENT_WITHOUT_NUMBER.replace_all(&text, "$1 ");
        single_spaces(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::EnglishTextNormalizer;

    #[test]
    fn sentences_that_mean_the_same_are_the_same() {
        for (one, other) in [
            ("I can't, Dr. No.", "I can not doctor no"),
            ("$20 million", "twenty million dollars"),
            ("The 1,000,000th visitor", "the one millionth visitor"),
            ("It's 5% (laughs) [noise]", "it is five percent"),
            ("He ' s gone", "he ' s gone"),
            ("Café colour", "cafe color"),
        ] {
            let normalize = |text: &str| {
                let text = EnglishTextNormalizer.normalize(text);
                text.trim().to_owned()
            };
            assert_eq!(normalize(one), normalize(other));
        }
    }
}
