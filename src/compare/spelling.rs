//! British spellings as American ones.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::characters::words;

/// British word to American word, for all the table's words.
static AMERICAN: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    include_str!("british_american.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .collect()
});

/// The text with American spellings, its words with one space between (openai/whisper normalizers/english.py:450-462).
pub(super) fn americanize(text: &str) -> String {
    let american: Vec<_> = words(text)
        .map(|word| AMERICAN.get(word).copied().unwrap_or(word))
        .collect();
    american.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_are_looked_up() {
        assert_eq!(
            americanize("the  colour of colours.\n"),
            "the color of colours."
        );
        assert_eq!(
            americanize("mobilisation aluminium"),
            "mobilization aluminum"
        );
        assert_eq!(AMERICAN.len(), 1738);
    }
}
