//! How far the times of two transcripts lie apart.

use super::Edit;
use super::characters::words;
use super::normalizer::Normalizer;
use super::timed_text::{Span, TimedText};
use super::word_error_rate::align_interned;
use crate::measure::Series;

/// Absolute differences of the starts and ends that two transcripts have in common, in seconds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TimeDifferences {
    /// Of how many segments or words the start, the end or both are in both transcripts.
    pub matched: usize,
    /// Segments or words of the reference.
    pub of: usize,
    /// The differences of all these starts and ends.
    pub seconds: Series,
}

impl TimeDifferences {
    /// Of segments. A start is in both where segments of both begin with the same word of the alignment, an end where they
    /// end with the same word: segments that are cut otherwise are left out.
    pub(super) fn of_segments(
        reference: &TimedText,
        hypothesis: &TimedText,
        normalizer: &Normalizer,
    ) -> Option<Self> {
        let said = Boundaries::of(&reference.segments, normalizer);
        let heard = Boundaries::of(&hypothesis.segments, normalizer);
        let (mut i, mut j) = (0, 0);
        let mut differences = Vec::new();
        let mut matched = 0;
        for edit in align_interned(&said.words(), &heard.words()) {
            if matches!(edit, Edit::Hit | Edit::Substitution) {
                let pairs = [
                    (said.starts[i], heard.starts[j]),
                    (said.ends[i], heard.ends[j]),
                ];
                let common = pairs.map(|(one, other)| Some((one? - other?).abs()));
                // A segment counts once, by its end or else by its start.
                matched += usize::from(common[1].is_some());
                differences.extend(common.into_iter().flatten());
            }
            i += usize::from(edit != Edit::Insertion);
            j += usize::from(edit != Edit::Deletion);
        }
        Some(Self {
            matched,
            of: reference.segments.len(),
            seconds: Series::new(differences)?,
        })
    }

    /// Of words with times of their own, each normalised by itself. Words that are the same in both transcripts count.
    pub(super) fn of_words(
        reference: &TimedText,
        hypothesis: &TimedText,
        normalizer: &Normalizer,
    ) -> Option<Self> {
        let [said, heard] = [reference, hypothesis].map(|text| {
            let words = text
                .words
                .iter()
                .map(|word| normalizer.normalize(&word.text));
            words.collect::<Vec<_>>()
        });
        let [a, b] =
            [&said, &heard].map(|words| words.iter().map(|word| word.trim()).collect::<Vec<_>>());
        let (mut words, mut others) = (reference.words.iter(), hypothesis.words.iter());
        let mut differences = Vec::new();
        let mut matched = 0;
        for edit in align_interned(&a, &b) {
            let word = (edit != Edit::Insertion).then(|| words.next()).flatten();
            let other = (edit != Edit::Deletion).then(|| others.next()).flatten();
            if let (Edit::Hit, Some(word), Some(other)) = (edit, word, other) {
                matched += 1;
                differences.extend([word.start - other.start, word.end - other.end].map(f64::abs));
            }
        }
        Some(Self {
            matched,
            of: reference.words.len(),
            seconds: Series::new(differences)?,
        })
    }
}

/// The words of segments, and which of them begin and end one.
struct Boundaries {
    normalized: Vec<String>,
    /// For each word its segment's start, if it is the first one.
    starts: Vec<Option<f64>>,
    /// For each word its segment's end, if it is the last one.
    ends: Vec<Option<f64>>,
}

impl Boundaries {
    fn of(segments: &[Span], normalizer: &Normalizer) -> Self {
        let (mut starts, mut ends) = (Vec::new(), Vec::new());
        let normalized = segments.iter().map(|segment| {
            let text = normalizer.normalize(&segment.text);
            let count = words(&text).count();
            for index in 0..count {
                starts.push((index == 0).then_some(segment.start));
                ends.push((index + 1 == count).then_some(segment.end));
            }
            text
        });
        Self {
            normalized: normalized.collect(),
            starts,
            ends,
        }
    }

    fn words(&self) -> Vec<&str> {
        (self.normalized.iter())
            .flat_map(|text| words(text))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(segments: &[(f64, f64, &str)], words: &[(f64, f64, &str)]) -> TimedText {
        let spans = |spans: &[(f64, f64, &str)]| {
            let span = |&(start, end, text): &(f64, f64, &str)| Span {
                start,
                end,
                text: text.to_owned(),
            };
            spans.iter().map(span).collect()
        };
        TimedText {
            segments: spans(segments),
            words: spans(words),
            ..TimedText::default()
        }
    }

    #[test]
    fn segments_that_are_cut_alike_are_compared() {
        let reference = text(
            &[
                (0.0, 2.0, "So it goes."),
                (2.0, 5.0, "on and on,"),
                (5.0, 6.0, "on"),
            ],
            &[],
        );
        // The last two segments are one here.
        let hypothesis = text(
            &[(0.5, 2.0, "so it went"), (2.25, 7.0, "on and on on")],
            &[],
        );
        let basic = Normalizer::basic(None);
        let found = TimeDifferences::of_segments(&reference, &hypothesis, &basic).unwrap();
        assert_eq!(found.seconds.values(), [0.5, 0.0, 0.25, 1.0]);
        assert_eq!((found.matched, found.of), (2, 3));
        let none = TimeDifferences::of_segments(&reference, &TimedText::default(), &basic);
        assert_eq!(none, None);
    }

    #[test]
    fn words_that_are_the_same_are_compared() {
        let reference = text(
            &[],
            &[(0.0, 1.0, " So"), (1.0, 2.0, " it"), (2.0, 3.0, " goes.")],
        );
        let hypothesis = text(
            &[],
            &[(0.25, 1.0, " so"), (1.0, 2.5, " he"), (2.5, 3.0, " goes")],
        );
        let basic = Normalizer::basic(None);
        let found = TimeDifferences::of_words(&reference, &hypothesis, &basic).unwrap();
        assert_eq!(found.seconds.values(), [0.25, 0.0, 0.5, 0.0]);
        assert_eq!((found.matched, found.of), (2, 3));
    }
}
