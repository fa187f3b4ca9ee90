//! The normaliser for any language.

use unicode_segmentation::UnicodeSegmentation;

use super::brackets::remove_bracketed;
use super::characters::single_spaces;
use super::symbols::{remove_symbols, remove_symbols_and_diacritics};

/// openai/whisper's `BasicTextNormalizer` (normalizers/basic.py:60-80), for texts of any language: lower case, without
/// what stands in brackets, with a space for every symbol, mark and punctuation mark.
///
/// Give both texts of a comparison through the same normaliser.
///
/// ```
/// use whisper_rs::compare::BasicTextNormalizer;
///
/// let basic = BasicTextNormalizer::default();
/// assert_eq!(basic.normalize("Où est-il, (bruit) l’été ?"), "où est il l été ");
/// let letters = BasicTextNormalizer { split_letters: true, ..basic };
/// assert_eq!(letters.normalize("広州市"), "広 州 市");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BasicTextNormalizer {
    /// Letters lose their diacritics: `é` is `e`, `ø` is `o`.
    pub remove_diacritics: bool,
    /// Every letter (extended grapheme cluster) is a word of its own, for languages that write no spaces: the word
    /// error rate of such texts is their character error rate.
    pub split_letters: bool,
}

impl BasicTextNormalizer {
    /// The normalised text. A space may stand at its ends, as with openai/whisper.
    pub fn normalize(&self, text: &str) -> String {
        let spoken = remove_bracketed(&text.to_lowercase());
        let plain = if self.remove_diacritics {
            remove_symbols_and_diacritics(&spoken, "")
        } else {
            remove_symbols(&spoken)
        };
        // Normalisation may bring capitals back.
        let mut plain = plain.to_lowercase();
        if self.split_letters {
            plain = plain.graphemes(true).collect::<Vec<_>>().join(" ");
        }
        single_spaces(&plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalize(remove_diacritics: bool, split_letters: bool, text: &str) -> String {
        BasicTextNormalizer {
            remove_diacritics,
            split_letters,
        }
        .normalize(text)
    }

    #[test]
    fn options_are_independent() {
        let text = "Ünï- [x]ß";
        assert_eq!(normalize(false, false, text), "ünï ß");
        assert_eq!(normalize(true, false, text), "uni ss");
        assert_eq!(normalize(false, true, text), "ü n ï ß");
        assert_eq!(normalize(true, true, text), "u n i s s");
    }

    #[test]
    fn nothing_stays_nothing() {
        assert_eq!(normalize(true, true, ""), "");
        assert_eq!(normalize(false, false, "..."), " ");
    }
}
