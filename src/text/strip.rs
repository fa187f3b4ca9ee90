//! Python's `str.strip`.

/// `text` without white space at both ends, as Python's `str.strip()` gives it.
///
/// Python counts the separators U+001C to U+001F as white space, Unicode's White_Space property, and so
/// [`str::trim`], does not; otherwise they agree.
pub fn python_strip(text: &str) -> &str {
    text.trim_matches(is_python_space)
}

/// Whether Python's `str.isspace` and `\s` take a character for white space.
pub(crate) fn is_python_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_what_python_strips() {
        assert_eq!(
            python_strip(
                " \t\n\u{b}\u{c}\r\u{85}\u{a0}\u{1680}\u{2003}\u{2028}\u{202f}\u{205f}\u{3000}a b\u{1c}\u{1d}\u{1e}\u{1f}"
            ),
            "a b"
        );
        // Zero-width space, byte order mark and Mongolian vowel separator are no white space in either.
        for text in [
            "\u{200b}a\u{200b}",
            "\u{feff}a",
            "\u{180e}a",
            "\u{1b}a",
            "\0a",
        ] {
            assert_eq!(python_strip(text), text);
        }
        assert_eq!(python_strip("\u{1c} "), "");
    }
}
