//! Deals aligned words to segments, and corrects times that cannot be (openai/whisper timing.py:279-388).

use super::alignment::WordTiming;
use super::punctuation::{SENTENCE_END, merge_punctuations};
use crate::text::round_digits;
use crate::transcribe::{Segment, Word};

/// No word's usual duration is taken to be longer, in seconds.
const LONGEST_MEDIAN: f64 = 0.7;

/// What is known about a window's words beside their alignment.
#[derive(Clone, Copy, Debug)]
pub(super) struct WordRules<'a> {
    /// Marks that belong to the word after them.
    pub prepend_punctuations: &'a str,
    /// Marks that belong to the word before them.
    pub append_punctuations: &'a str,
    /// Where the window begins, in seconds.
    pub time_offset: f64,
    /// Where the last word before the window ends, in seconds.
    pub last_speech_timestamp: f64,
}

/// Gives every segment of a window its words, and the segments the times of their words.
///
/// `n_text_tokens` is the number of text tokens of each segment; together they are those of `alignment`.
pub(super) fn add_words(
    segments: &mut [Segment],
    n_text_tokens: &[usize],
    mut alignment: Vec<WordTiming>,
    rules: WordRules<'_>,
) {
    let usual = UsualDuration::of(&alignment);
    usual.shorten_at_sentence_ends(&mut alignment);
    merge_punctuations(
        &mut alignment,
        rules.prepend_punctuations,
        rules.append_punctuations,
    );

    let mut timings = alignment.into_iter();
    let mut last_speech = rules.last_speech_timestamp;
    for (segment, &n_tokens) in segments.iter_mut().zip(n_text_tokens) {
        let mut words = deal(&mut timings, n_tokens, rules.time_offset);
        usual.shorten_after_pause(&mut words, last_speech);
        if usual.fit_to_segment(&mut words, segment) {
            last_speech = segment.end;
        }
        segment.words = Some(words);
    }
}

/// The words of the next `n_tokens` tokens, in seconds from the beginning of the recording.
fn deal(
    timings: &mut impl Iterator<Item = WordTiming>,
    n_tokens: usize,
    time_offset: f64,
) -> Vec<Word> {
    let mut words = Vec::new();
    let mut dealt = 0;
    while dealt < n_tokens {
        let Some(timing) = timings.next() else { break };
        dealt += timing.tokens.len();
        if !timing.word.is_empty() {
            words.push(Word {
                start: round_digits(time_offset + timing.start, 2),
                end: round_digits(time_offset + timing.end, 2),
                probability: timing.probability,
                word: timing.word,
            });
        }
    }
    words
}

/// How long a word of the window lasts, in seconds. A longer one at the edge of a sentence or segment has a pause in it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct UsualDuration {
    /// Median over the words that have a duration; `None` when none has.
    median: Option<f64>,
}

impl UsualDuration {
    fn of(alignment: &[WordTiming]) -> Self {
        let mut durations: Vec<f64> = (alignment.iter())
            .map(|word| word.end - word.start)
            .filter(|&duration| duration != 0.0)
            .collect();
        durations.sort_unstable_by(f64::total_cmp);
        let n = durations.len();
        let median = match n {
            0 => None,
            _ if n % 2 == 1 => Some(durations[n / 2]),
            _ => Some((durations[n / 2 - 1] + durations[n / 2]) / 2.0),
        };
        Self {
            median: median.map(|median| median.min(LONGEST_MEDIAN)),
        }
    }

    fn median(self) -> f64 {
        self.median.unwrap_or(0.0)
    }

    fn max(self) -> f64 {
        self.median() * 2.0
    }

    /// A mark that ends a sentence lasts no longer than two usual words, and the word after it neither
    /// (timing.py:306-317).
    fn shorten_at_sentence_ends(self, alignment: &mut [WordTiming]) {
        if self.median.is_none() {
            return;
        }
        let ends_sentence = |word: &WordTiming| SENTENCE_END.contains(&word.word);
        for i in 1..alignment.len() {
            let (before, from) = alignment.split_at_mut(i);
            let word = &mut from[0];
            if word.end - word.start <= self.max() {
                continue;
            }
            if ends_sentence(word) {
                word.end = word.start + self.max();
            } else if ends_sentence(&before[i - 1]) {
                word.start = word.end - self.max();
            }
        }
    }

    /// The first two words after a pause last no longer than two usual words each (timing.py:347-363).
    fn shorten_after_pause(self, words: &mut [Word], last_speech: f64) {
        let Some(first) = words.first() else { return };
        let second = words.get(1);
        let after_pause = first.end - last_speech > self.median() * 4.0;
        let too_long = first.end - first.start > self.max()
            || second.is_some_and(|second| second.end - first.start > self.max() * 2.0);
        if !after_pause || !too_long {
            return;
        }
        if let [first, second, ..] = words
            && second.end - second.start > self.max()
        {
            // Half of a time on the recording's clock is what openai takes here.
            let boundary = (second.end / 2.0).max(second.end - self.max());
            first.end = boundary;
            second.start = boundary;
        }
        words[0].start = (words[0].end - self.max()).max(0.0);
    }

    /// Words begin and end a segment, unless the first or last one is much longer than the segment: then that word is
    /// cut (timing.py:365-386). Returns whether there are words.
    fn fit_to_segment(self, words: &mut [Word], segment: &mut Segment) -> bool {
        let Some(first) = words.first_mut() else {
            return false;
        };
        if segment.start < first.end && segment.start - 0.5 > first.start {
            first.start = (first.end - self.median()).min(segment.start).max(0.0);
        } else {
            segment.start = first.start;
        }
        let Some(last) = words.last_mut() else {
            return false;
        };
        if segment.end > last.start && segment.end + 0.5 < last.end {
            last.end = (last.start + self.median()).max(segment.end);
        } else {
            segment.end = last.end;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{
        assert_segments, exact, reference, segments, sizes, text, timings,
    };
    use super::*;

    #[test]
    fn words_get_the_times_that_openai_gives_them() {
        let cases = reference("word_timing.json");
        assert!(cases.len() > 150, "{}", cases.len());
        for (i, case) in cases.iter().enumerate() {
            let mut ours = segments(&case["segments"]);
            add_words(
                &mut ours,
                &sizes(&case["n_text_tokens"]),
                timings(&case["alignment"]),
                WordRules {
                    prepend_punctuations: &text(&case["prepend_punctuations"]),
                    append_punctuations: &text(&case["append_punctuations"]),
                    time_offset: exact(&case["time_offset"]),
                    last_speech_timestamp: exact(&case["last_speech_timestamp"]),
                },
            );
            assert_segments(&ours, &case["with_words"], i);
        }
    }

    #[test]
    fn without_durations_nothing_is_usual() {
        assert_eq!(UsualDuration::of(&[]).median, None);
        let word = |start, end| super::super::testing::timing("a", &[1], start, end);
        assert_eq!(UsualDuration::of(&[word(1.0, 1.0)]).median, None);
        let words = [word(0.0, 0.2), word(1.0, 1.0), word(1.0, 1.5)];
        assert_eq!(UsualDuration::of(&words).median, Some(0.35));
        assert_eq!(UsualDuration::of(&[word(0.0, 9.0)]).median, Some(0.7));
    }
}
