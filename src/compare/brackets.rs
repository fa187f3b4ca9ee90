//! What stands in brackets was not said.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

static BRACKETS: LazyLock<Regex> = LazyLock::new(|| pattern(r"[<\[][^>\]]*[>\]]"));
static PARENTHESES: LazyLock<Regex> = LazyLock::new(|| pattern(r"\([^)]+?\)"));

/// Takes away `<...>`, `[...]`, which may close each other, and `(...)`, with what is inside.
pub(super) fn remove_bracketed(text: &str) -> String {
    let text = BRACKETS.replace_all(text, "");
    match PARENTHESES.replace_all(&text, "") {
        Cow::Borrowed(text) => text.to_owned(),
        Cow::Owned(text) => text,
    }
}

/// A pattern of this module, which is known to be one.
#[expect(clippy::expect_used, reason = "the patterns are constants of the code")]
pub(super) fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a regular expression")
}

#[cfg(test)]
mod tests {
    use super::remove_bracketed;

    #[test]
    fn brackets_and_their_inside_go() {
        assert_eq!(remove_bracketed("a [b] c <d] (e) f()g"), "a  c   f()g");
        assert_eq!(remove_bracketed("a [b (c"), "a [b (c");
        assert_eq!(remove_bracketed("[a [b] c]"), " c]");
    }
}
