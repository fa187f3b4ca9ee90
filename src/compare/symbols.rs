//! Symbols, punctuation and diacritics become spaces or go.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use super::characters::is_symbol;

/// Every mark, symbol and punctuation mark as a space, after compatibility composition (NFKC)
/// (openai/whisper normalizers/basic.py:50-57).
pub(super) fn remove_symbols(text: &str) -> String {
    text.nfkc()
        .map(|c| if is_symbol(c) { ' ' } else { c })
        .collect()
}

/// The same after compatibility decomposition (NFKD), so that marks on letters, the diacritics, are gone as well;
/// `kept` characters stay (openai/whisper normalizers/basic.py:27-47).
pub(super) fn remove_symbols_and_diacritics(text: &str, kept: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.nfkd() {
        if kept.contains(c) {
            plain.push(c);
        } else if let Some(letters) = without_stroke(c) {
            plain.push_str(letters);
        } else if c.general_category() != GeneralCategory::NonspacingMark {
            plain.push(if is_symbol(c) { ' ' } else { c });
        }
    }
    plain
}

/// Letters that no normalisation takes apart.
fn without_stroke(c: char) -> Option<&'static str> {
    Some(match c {
        'œ' => "oe",
        'Œ' => "OE",
        'ø' => "o",
        'Ø' => "O",
        'æ' => "ae",
        'Æ' => "AE",
        'ß' => "ss",
        'ẞ' => "SS",
        'đ' | 'ð' => "d",
        'Đ' | 'Ð' => "D",
        'þ' | 'Þ' => "th",
        'ł' => "l",
        'Ł' => "L",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diacritics_go_or_stay() {
        assert_eq!(remove_symbols("Ça va, ½ «ø»?"), "Ça va  1 2  ø  ");
        assert_eq!(
            remove_symbols_and_diacritics("Ça va, ½ «ø»?", ""),
            "Ca va  1 2  o  "
        );
        assert_eq!(remove_symbols_and_diacritics("$1.50!", ".$"), "$1.50 ");
        // Spacing marks are no diacritics.
        assert_eq!(remove_symbols_and_diacritics("कि", ""), "क ");
    }
}
