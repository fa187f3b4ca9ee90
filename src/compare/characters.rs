//! What kind of character Python, and so openai/whisper, takes a character for.

use std::borrow::Cow;

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// A letter, a number or `_`: what `\w` matches in Python. Marks are none, which is where Rust's `\w` differs.
pub(super) fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    matches!(
        c.general_category_group(),
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number
    )
}

/// A mark, a symbol or punctuation.
pub(super) fn is_symbol(c: char) -> bool {
    matches!(
        c.general_category_group(),
        GeneralCategoryGroup::Mark
            | GeneralCategoryGroup::Symbol
            | GeneralCategoryGroup::Punctuation
    )
}

/// White space as Python has it: Unicode's White_Space, and the separators U+001C to U+001F.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// The same as a class of a regular expression.
pub(super) const SPACE: &str = r"[\s\x1c-\x1f]";

/// The words of a text, as Python's `str.split()` gives them.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// Every run of white space as one space, also at the ends.
pub(super) fn single_spaces(text: &str) -> String {
    let mut single = String::with_capacity(text.len());
    let mut after_space = false;
    for c in text.chars() {
        let space = is_space(c);
        if !space {
            single.push(c);
        } else if !after_space {
            single.push(' ');
        }
        after_space = space;
    }
    single
}

/// Whether a word begins or ends at byte `at`: `\b` in Python.
pub(super) fn is_boundary(text: &str, at: usize) -> bool {
    let before = text[..at].chars().next_back().is_some_and(is_word);
    let after = text[at..].chars().next().is_some_and(is_word);
    before != after
}

/// Replaces `word` where it stands as a whole word.
pub(super) fn replace_word<'a>(text: &'a str, word: &str, replacement: &str) -> Cow<'a, str> {
    replace_literal(text, word, replacement, |start, end| {
        is_boundary(text, start) && is_boundary(text, end)
    })
}

/// Replaces `ending` where a word ends with it, or after it where it begins with an apostrophe.
pub(super) fn replace_ending<'a>(text: &'a str, ending: &str, replacement: &str) -> Cow<'a, str> {
    replace_literal(text, ending, replacement, |_, end| is_boundary(text, end))
}

fn replace_literal<'a>(
    text: &'a str,
    literal: &str,
    replacement: &str,
    wanted: impl Fn(usize, usize) -> bool,
) -> Cow<'a, str> {
    let mut replaced = String::new();
    let (mut copied, mut from) = (0, 0);
    while let Some(found) = text[from..].find(literal) {
        let (start, end) = (from + found, from + found + literal.len());
        if wanted(start, end) {
            replaced.push_str(&text[copied..start]);
            replaced.push_str(replacement);
            (copied, from) = (end, end);
        } else {
            // Another match may begin inside this one.
            from = start + text[start..].chars().next().map_or(1, char::len_utf8);
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    replaced.push_str(&text[copied..]);
    Cow::Owned(replaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_end_a_word_and_numbers_of_all_kinds_do_not() {
        for c in ['a', 'é', '_', '7', '½', 'Ⅷ', '٣', '語', 'ª', '²'] {
            assert!(is_word(c), "{c}");
        }
        for c in [
            '\u{301}', '\u{903}', '-', '\'', ' ', '$', 'ⓐ', '\u{200d}', '‿',
        ] {
            assert!(!is_word(c), "{c}");
        }
    }

    #[test]
    fn words_are_replaced_as_wholes() {
        assert_eq!(replace_word("mr a mrs mr", "mr", "x"), "x a mrs x");
        assert_eq!(replace_word("1 11 1s", "1", "one"), "one 11 1s");
        assert_eq!(replace_word("i'maa i'ma", "i'ma", "x"), "i'maa x");
        assert_eq!(
            replace_ending("don't n'tn't", "n't", " not"),
            "do not n't not"
        );
        assert!(matches!(
            replace_word("none", "one", "1"),
            Cow::Borrowed("none")
        ));
    }

    #[test]
    fn white_space_is_pythons() {
        assert_eq!(single_spaces("\u{1f} a\u{3000}\n b "), " a b ");
        assert_eq!(words(" a\u{1c}b\u{85}").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(single_spaces(""), "");
    }
}
