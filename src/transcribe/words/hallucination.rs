//! Segments whose words are too short, too long or too improbable to have been said (openai/whisper
//! transcribe.py:315-337).

use super::punctuation::{APPENDED, PREPENDED};
use crate::transcribe::{Segment, Word};

/// Words of a segment that are looked at.
const N_WORDS: usize = 8;

/// Whether a segment is probably a hallucination. One without words is not.
pub(super) fn is_anomalous(segment: &Segment) -> bool {
    let words = words(segment);
    if words.is_empty() {
        return false;
    }
    let spoken = words.iter().filter(|word| !is_mark(&word.word));
    let mut n = 0;
    let mut score = 0.0;
    for word in spoken.take(N_WORDS) {
        n += 1;
        score += anomaly_score(word);
    }
    score >= 3.0 || score + 0.01 >= f64::from(n)
}

/// The first of the segments that has words.
pub(super) fn first_with_words(segments: &[Segment]) -> Option<&Segment> {
    segments.iter().find(|segment| !words(segment).is_empty())
}

/// The words of a segment, none where it was not aligned.
pub(super) fn words(segment: &Segment) -> &[Word] {
    segment.words.as_deref().unwrap_or_default()
}

fn anomaly_score(word: &Word) -> f64 {
    let duration = word.end - word.start;
    let mut score = 0.0;
    if word.probability < 0.15 {
        score += 1.0;
    }
    if duration < 0.133 {
        score += (0.133 - duration) * 15.0;
    }
    if duration > 2.0 {
        score += duration - 2.0;
    }
    score
}

/// Whether Python finds the word in its string of all default marks: a stretch of them counts, too.
fn is_mark(word: &str) -> bool {
    let joint = [PREPENDED, APPENDED].concat();
    joint.contains(word)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{reference, segment, word};
    use super::*;

    #[test]
    fn scores_are_openais() {
        let cases = reference("anomaly.json");
        assert!(cases.len() > 100, "{}", cases.len());
        for case in &cases {
            let segment = segment(&case["segment"]);
            assert_eq!(
                is_anomalous(&segment),
                case["anomalous"].as_bool().unwrap(),
                "{segment:?}"
            );
        }
    }

    #[test]
    fn a_word_that_is_only_marks_is_not_counted() {
        let mut segment = segment(&serde_json::json!({"start": "0.0", "end": "9.0"}));
        assert!(!is_anomalous(&segment), "no words");
        segment.words = Some(vec![word("-\"", 0.0, 9.0, 0.0)]);
        assert!(is_anomalous(&segment), "no word is left to speak for it");
        segment.words = Some(vec![word("-\"", 0.0, 9.0, 0.0), word(" a", 0.0, 0.5, 0.9)]);
        assert!(!is_anomalous(&segment));
    }
}
