//! Two transcripts side by side.

use super::characters::words;
use super::normalizer::Normalizer;
use super::placement::{self, Time};
use super::time_differences::TimeDifferences;
use super::timed_text::TimedText;
use super::token_difference::TokenDifference;
use super::word_error_rate::align_words;
use super::{Edit, ErrorCounts, character_errors};

/// How a hypothesis differs from its reference.
///
/// ```
/// use whisper_rs::compare::{Comparison, Normalizer, TimedText};
///
/// let said = TimedText::plain("Mr. Smith paid $20.", Some("en"));
/// let heard = TimedText::plain("mister smith paid twenty", Some("en"));
/// let comparison = Comparison::new(&said, &heard, Normalizer::English);
/// assert_eq!((comparison.words.substitutions, comparison.words.rate()), (1, Some(0.25)));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Comparison {
    /// How the texts were made comparable.
    pub normalizer: Normalizer,
    /// Words right and wrong, of the normalised texts. Where letters are words ([`Normalizer::splits_letters`]), letters.
    pub words: ErrorCounts,
    /// Characters right and wrong, of the normalised texts, spaces between words included; letters alone where letters are
    /// words.
    pub characters: ErrorCounts,
    /// The words side by side, in order.
    pub aligned: Vec<ComparedWord>,
    /// How the tokens differ, where both have some.
    pub tokens: Option<TokenDifference>,
    /// How far the times of the same segments lie apart, where both have segments.
    pub segment_times: Option<TimeDifferences>,
    /// How far the times of the same words lie apart, where both have words with times.
    pub word_times: Option<TimeDifferences>,
    /// Code of the language of the reference.
    pub reference_language: Option<String>,
    /// Code of the language of the hypothesis.
    pub hypothesis_language: Option<String>,
}

/// A word of the normalised reference beside that of the hypothesis.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ComparedWord {
    /// What happened to the word.
    pub edit: Edit,
    /// The word of the reference; none for an insertion.
    pub reference: Option<PlacedWord>,
    /// The word of the hypothesis; none for a deletion.
    pub hypothesis: Option<PlacedWord>,
}

/// A word and where it lies.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PlacedWord {
    /// The normalised word.
    pub word: String,
    /// Start and end in seconds, where its text has times. Estimated unless the text has words with times and normalising
    /// left this one as it was.
    pub time: Option<(f64, f64)>,
}

impl Comparison {
    /// Compares a hypothesis with its reference.
    pub fn new(reference: &TimedText, hypothesis: &TimedText, normalizer: Normalizer) -> Self {
        let [said, heard] = [reference, hypothesis].map(|text| normalizer.normalize(&text.text));
        let aligned = align_words(&said, &heard);
        let words = ErrorCounts::of(aligned.iter().map(|word| word.edit));
        let characters = match normalizer.splits_letters() {
            true => words,
            false => character_errors(&said, &heard),
        };
        let mut said = placed(reference, &said, &normalizer);
        let mut heard = placed(hypothesis, &heard, &normalizer);
        let aligned = aligned.iter().map(|word| ComparedWord {
            edit: word.edit,
            reference: word.reference.and_then(|_| said.next()),
            hypothesis: word.hypothesis.and_then(|_| heard.next()),
        });
        Self {
            normalizer,
            words,
            characters,
            aligned: aligned.collect(),
            tokens: TokenDifference::of(&reference.tokens, &hypothesis.tokens),
            segment_times: TimeDifferences::of_segments(reference, hypothesis, &normalizer),
            word_times: TimeDifferences::of_words(reference, hypothesis, &normalizer),
            reference_language: reference.language.clone(),
            hypothesis_language: hypothesis.language.clone(),
        }
    }

    /// What clips are sorted by to see the worst ones first: the word error rate, and above all rates infinity where words were
    /// heard and none was said.
    pub fn badness(&self) -> f64 {
        match self.words.rate() {
            Some(rate) => rate,
            None if self.words.errors() > 0 => f64::INFINITY,
            None => 0.0,
        }
    }
}

/// The normalised words of a text with their times.
fn placed(
    text: &TimedText,
    normalized: &str,
    normalizer: &Normalizer,
) -> std::vec::IntoIter<PlacedWord> {
    let words: Vec<_> = words(normalized).collect();
    let times = placement::place(text, &words, normalizer);
    let time = |index: usize| {
        times
            .as_ref()
            .and_then(|times: &Vec<Time>| times.get(index).copied())
    };
    let placed = words.iter().enumerate().map(|(index, word)| PlacedWord {
        word: (*word).to_owned(),
        time: time(index),
    });
    placed.collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::super::Span;
    use super::*;

    #[test]
    fn what_is_wrong_has_its_place() {
        let segment = |text: &str| Span {
            start: 0.0,
            end: 12.0,
            text: text.to_owned(),
        };
        let timed = |text: &str| TimedText {
            segments: vec![segment(text)],
            ..TimedText::plain(text, Some("en"))
        };
        let comparison = Comparison::new(
            &timed("one two four six"),
            &timed("one too four six"),
            Normalizer::None,
        );
        assert_eq!(comparison.words.substitutions, 1);
        assert_eq!(
            (
                comparison.characters.substitutions,
                comparison.characters.hits
            ),
            (1, 15)
        );
        let wrong = &comparison.aligned[1];
        assert_eq!(wrong.edit, Edit::Substitution);
        let heard = wrong.hypothesis.as_ref().unwrap();
        assert_eq!(heard.word, "too");
        let (start, end) = heard.time.unwrap();
        assert!((start - 36.0 / 13.0).abs() < 1e-9 && (end - 72.0 / 13.0).abs() < 1e-9);
        assert!(comparison.segment_times.is_some() && comparison.word_times.is_none());
        assert_eq!(comparison.tokens, None);
    }

    #[test]
    fn letters_are_words_where_nobody_writes_spaces() {
        let [said, heard] = ["広州、市", "広周市"].map(|text| TimedText::plain(text, Some("ja")));
        let ja = Normalizer::for_language(Some("ja"));
        let comparison = Comparison::new(&said, &heard, ja);
        assert_eq!(comparison.characters, comparison.words);
        assert_eq!(
            (comparison.words.hits, comparison.words.substitutions),
            (2, 1)
        );
    }
}
