//! Punctuation marks joined to the words that they stand by.

use super::alignment::WordTiming;
use crate::text::python_strip;

/// Marks that are joined to the word after them (openai/whisper transcribe.py:50).
pub(crate) const PREPENDED: &str = "\"'“¿([{-";

/// Marks that are joined to the word before them (openai/whisper transcribe.py:51).
pub(crate) const APPENDED: &str = "\"'.。,，!！?？:：”)]}、";

/// Marks that end a sentence (openai/whisper timing.py:308).
pub(super) const SENTENCE_END: &str = ".。!！?？";

/// Joins marks of `prepended` to the words after them, and those of `appended` to the words before them
/// (openai/whisper timing.py:243-276). A word that was joined to another is left empty, without tokens.
///
/// A word is a mark where Python finds it in the string of marks: `""` always, `"()"` only if the two stand side by
/// side there. A mark to be prepended has a space before it, one to be appended has none.
pub(super) fn merge_punctuations(words: &mut [WordTiming], prepended: &str, appended: &str) {
    let mut following = words.len().saturating_sub(1);
    for i in (0..following).rev() {
        let word = &words[i].word;
        if word.starts_with(' ') && prepended.contains(python_strip(word)) {
            let mark = take(&mut words[i]);
            let word = &mut words[following];
            word.word.insert_str(0, &mark.0);
            word.tokens.splice(0..0, mark.1);
        } else {
            following = i;
        }
    }

    let mut previous = 0;
    for i in 1..words.len() {
        if !words[previous].word.ends_with(' ') && appended.contains(&words[i].word) {
            let mark = take(&mut words[i]);
            words[previous].word.push_str(&mark.0);
            words[previous].tokens.extend(mark.1);
        } else {
            previous = i;
        }
    }
}

fn take(word: &mut WordTiming) -> (String, Vec<u32>) {
    (
        std::mem::take(&mut word.word),
        std::mem::take(&mut word.tokens),
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::{reference, strings, text, timing};
    use super::*;

    #[test]
    fn marks_are_merged_as_openai_merges_them() {
        let cases = reference("punctuation.json");
        assert!(cases.len() > 60, "{}", cases.len());
        for case in &cases {
            let mut words: Vec<WordTiming> = strings(&case["words"])
                .into_iter()
                .enumerate()
                .map(|(i, word)| timing(&word, &[i as u32], 0.0, 0.0))
                .collect();
            let prepended = text(&case["prepended"]);
            merge_punctuations(&mut words, &prepended, &text(&case["appended"]));
            let merged: Vec<(String, Vec<u32>)> = words
                .into_iter()
                .map(|word| (word.word, word.tokens))
                .collect();
            let expected: Vec<(String, Vec<u32>)> =
                serde_json::from_value(case["merged"].clone()).unwrap();
            assert_eq!(merged, expected, "{}", case["words"]);
        }
    }

    #[test]
    fn the_default_marks_are_openais() {
        let case = &reference("punctuation.json")[0];
        assert_eq!(text(&case["prepended"]), PREPENDED);
        assert_eq!(text(&case["appended"]), APPENDED);
    }
}
