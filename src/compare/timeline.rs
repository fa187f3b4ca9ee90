//! Both transcripts on one time axis.

use super::comparison::{ComparedWord, Comparison, PlacedWord};
use super::placement::{Time, between};

/// Seconds that a word is given where nobody knows how long anything took.
const SECONDS_PER_WORD: f64 = 0.4;

/// Where the aligned words stand on a time axis that both transcripts share.
///
/// What has no time of its own stands where its counterpart does, and what has no counterpart between its neighbours. Where
/// neither transcript has times, the words are spread evenly.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Timeline {
    /// Length of the axis, in seconds.
    pub seconds: f64,
    /// Start and end of the reference's word of each row of [`Comparison::aligned`], in seconds, if the row has one.
    pub reference: Vec<Option<Time>>,
    /// The same of the hypothesis.
    pub hypothesis: Vec<Option<Time>>,
}

impl Timeline {
    /// The time axis of a comparison; `seconds` is the length of the recording, where that is known.
    pub fn new(comparison: &Comparison, seconds: Option<f64>) -> Self {
        let rows = &comparison.aligned;
        let times = rows
            .iter()
            .flat_map(|row| [time(&row.reference), time(&row.hypothesis)]);
        let last = times.flatten().map(|(_, end)| end).fold(0.0, f64::max);
        let seconds = match (seconds, last) {
            (Some(seconds), _) => seconds.max(last),
            (None, 0.0) => rows.len().max(1) as f64 * SECONDS_PER_WORD,
            (None, last) => last,
        };
        type Side = fn(&ComparedWord) -> &Option<PlacedWord>;
        let [reference, hypothesis]: [(Side, Side); 2] = [
            (|row| &row.reference, |row| &row.hypothesis),
            (|row| &row.hypothesis, |row| &row.reference),
        ];
        let placed = |(own, other): (Side, Side)| {
            let there = || rows.iter().filter(|row| own(row).is_some());
            let times: Vec<_> = there()
                .map(|row| time(own(row)).or(time(other(row))))
                .collect();
            let mut times = between(&times, (0.0, seconds)).into_iter();
            let by_row = rows
                .iter()
                .map(|row| own(row).as_ref().and_then(|_| times.next()));
            by_row.collect()
        };
        Self {
            seconds,
            reference: placed(reference),
            hypothesis: placed(hypothesis),
        }
    }
}

fn time(word: &Option<PlacedWord>) -> Option<Time> {
    word.as_ref().and_then(|word| word.time)
}

#[cfg(test)]
mod tests {
    use super::super::{Normalizer, Span, TimedText};
    use super::*;

    fn timed(text: &str) -> TimedText {
        let words = text.split(' ').enumerate().map(|(index, word)| Span {
            start: index as f64,
            end: index as f64 + 1.0,
            text: word.to_owned(),
        });
        TimedText {
            words: words.collect(),
            ..TimedText::plain(text, None)
        }
    }

    #[test]
    fn a_text_without_times_stands_beside_the_other() {
        let said = TimedText::plain("so it goes on", None);
        let comparison = Comparison::new(&said, &timed("well so it on"), Normalizer::None);
        let line = Timeline::new(&comparison, Some(5.0));
        assert_eq!(line.seconds, 5.0);
        // well (inserted), so, it, goes (deleted), on
        let at = |start: f64, end: f64| Some((start, end));
        let (so, it, on) = (at(1.0, 2.0), at(2.0, 3.0), at(3.0, 4.0));
        assert_eq!(line.reference, [None, so, it, at(3.0, 3.0), on]);
        assert_eq!(line.hypothesis, [at(0.0, 1.0), so, it, None, on]);
    }

    #[test]
    fn without_any_times_words_are_spread_evenly() {
        let [said, heard] = ["a b", "a c"].map(|text| TimedText::plain(text, None));
        let line = Timeline::new(&Comparison::new(&said, &heard, Normalizer::None), None);
        assert_eq!(line.seconds, 0.8);
        assert_eq!(line.reference, [Some((0.0, 0.4)), Some((0.4, 0.8))]);
        let nothing = TimedText::default();
        let empty = Comparison::new(&nothing, &nothing, Normalizer::None);
        assert_eq!(Timeline::new(&empty, None).seconds, 0.4);
    }
}
