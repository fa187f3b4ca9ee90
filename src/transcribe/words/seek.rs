//! Where the next window begins when words are known (openai/whisper transcribe.py:413-476).

use super::hallucination::{first_with_words, is_anomalous, words};
use crate::frontend::N_FRAMES;
use crate::text::python_round;
use crate::transcribe::Segment;
use crate::transcribe::segments::seconds;

/// Frames in a second.
const FRAMES_PER_SECOND: f64 = 100.0;

/// A probable hallucination this near to an edge of its window counts as next to silence, in seconds.
const NEAR_EDGE: f64 = 2.0;

/// A decoded window, in frames.
#[derive(Clone, Copy, Debug)]
pub(in crate::transcribe) struct WindowSpan {
    /// Where it begins.
    pub seek: usize,
    /// Its frames that are not padding.
    pub segment_size: usize,
    /// Frames of the whole recording.
    pub content_frames: usize,
    /// By how much its timestamps say to go on.
    pub advance: usize,
    /// Whether its tokens end with one timestamp, after which nothing is said.
    pub single_timestamp_ending: bool,
}

/// What becomes of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::transcribe) enum Next {
    /// Its segments stand; the next window begins at this frame.
    Keep(usize),
    /// It is as if it had not been decoded; the next window begins at this frame, past a silence.
    Drop(usize),
}

impl WindowSpan {
    /// Where to go on after `segments`, which have their words.
    ///
    /// With a threshold, silences longer than that many seconds are skipped before probable hallucinations, and
    /// segments from a probable hallucination on are taken away when there is silence, or more of its kind, on both
    /// sides of it. `last_speech` is where the last word before the window ends.
    pub(super) fn next(
        self,
        segments: &mut Vec<Segment>,
        last_speech: f64,
        threshold: Option<f64>,
    ) -> Next {
        let mut seek = self.after_last_word(segments, threshold);
        if let Some(threshold) = threshold {
            if let Some(silence) = self.leading_silence(segments, threshold) {
                return Next::Drop(self.seek + silence);
            }
            if let Some(first) = self.surrounded_hallucination(segments, last_speech, threshold) {
                seek = self.at_hallucination(&segments[first], threshold);
                segments.truncate(first);
            }
        }
        // Words that end within half a frame of the window's start would have it decoded again, for ever.
        if seek <= self.seek {
            seek = self.seek + self.advance;
        }
        Next::Keep(seek)
    }

    fn time_offset(self) -> f64 {
        seconds(self.seek)
    }

    /// End of 30 s from the window's start, even where the recording ends before.
    fn end_time(self) -> f64 {
        seconds(self.seek + N_FRAMES)
    }

    /// Speech goes on after the last word, unless the timestamps say that the window holds no more.
    fn after_last_word(self, segments: &[Segment], threshold: Option<f64>) -> usize {
        let last_word_end = last_word_end(segments).filter(|&end| end > self.time_offset());
        match (last_word_end, threshold) {
            (Some(end), Some(threshold))
                if !self.single_timestamp_ending && self.end_time() - end <= threshold =>
            {
                self.seek + self.segment_size
            }
            (Some(end), _) if !self.single_timestamp_ending => frames(end),
            _ => self.seek + self.advance,
        }
    }

    /// Frames of silence before the first segment, when it is long and that segment probably a hallucination.
    fn leading_silence(self, segments: &[Segment], threshold: f64) -> Option<usize> {
        let first = first_with_words(segments).filter(|segment| is_anomalous(segment))?;
        let gap = first.start - self.time_offset();
        // A gap of less than half a frame is none: skipping it would decode the same window for ever.
        Some(frames(gap)).filter(|&frames| gap > threshold && frames > 0)
    }

    /// The first probable hallucination with silence, or another one, before and after it.
    fn surrounded_hallucination(
        self,
        segments: &[Segment],
        last_speech: f64,
        threshold: f64,
    ) -> Option<usize> {
        let mut speech_end = last_speech;
        for (i, segment) in segments.iter().enumerate() {
            if words(segment).is_empty() {
                continue;
            }
            if is_anomalous(segment) {
                let following = first_with_words(&segments[i + 1..]);
                let next_start = match following {
                    Some(following) => words(following)[0].start,
                    None => self.time_offset() + seconds(self.segment_size),
                };
                let silence_before = segment.start - speech_end > threshold
                    || segment.start < threshold
                    || segment.start - self.time_offset() < NEAR_EDGE;
                let silence_after = next_start - segment.end > threshold
                    || following.is_some_and(is_anomalous)
                    || self.end_time() - segment.end < NEAR_EDGE;
                if silence_before && silence_after {
                    return Some(i);
                }
            }
            speech_end = segment.end;
        }
        None
    }

    /// The hallucination is decoded again in a window that begins with it, unless the recording ends there.
    fn at_hallucination(self, segment: &Segment, threshold: f64) -> usize {
        if seconds(self.content_frames) - segment.end < threshold {
            return self.content_frames;
        }
        frames(segment.start.max(self.time_offset() + 1.0))
    }
}

/// Where the last word ends; without words, where the last segment does (openai/whisper utils.py:70-74).
pub(super) fn last_word_end(segments: &[Segment]) -> Option<f64> {
    let last_word = |segment: &Segment| words(segment).last().map(|word| word.end);
    (segments.iter().rev().find_map(last_word)).or(segments.last().map(|segment| segment.end))
}

/// Seconds to the nearest frame, halves to the even one.
fn frames(seconds: f64) -> usize {
    usize::try_from(python_round(seconds * FRAMES_PER_SECOND)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_segments, exact, reference, segment, segments, size, word};
    use super::*;

    #[test]
    fn windows_follow_each_other_as_in_openai() {
        let cases = reference("seek.json");
        assert!(cases.len() > 200, "{}", cases.len());
        let mut dropped = 0;
        for (i, case) in cases.iter().enumerate() {
            let span = WindowSpan {
                seek: size(&case["seek"]),
                segment_size: size(&case["segment_size"]),
                content_frames: size(&case["content_frames"]),
                advance: size(&case["advance"]),
                single_timestamp_ending: case["single_timestamp_ending"].as_bool().unwrap(),
            };
            let mut ours = segments(&case["segments"]);
            let last_speech = exact(&case["last_speech_timestamp"]);
            let next = span.next(&mut ours, last_speech, case["threshold"].as_f64());
            let seek = size(&case["next_seek"]);
            if case["dropped"].as_bool().unwrap() {
                dropped += 1;
                assert_eq!(next, Next::Drop(seek), "case {i}");
            } else {
                assert_eq!(next, Next::Keep(seek), "case {i}");
                let last_speech = last_word_end(&ours).unwrap_or(last_speech);
                assert_eq!(last_speech, exact(&case["next_last_speech"]), "case {i}");
                // The reference was taken after the segments without length had been emptied.
                ours.iter_mut().for_each(Segment::clear_if_blank);
                assert_segments(&ours, &case["kept"], i);
            }
        }
        assert!(dropped > 10);
    }

    #[test]
    fn a_window_is_never_decoded_twice() {
        let span = WindowSpan {
            seek: 100,
            segment_size: 3000,
            content_frames: 9000,
            advance: 40,
            single_timestamp_ending: false,
        };
        let mut segment = segment(&serde_json::json!({"start": "1.0", "end": "1.004"}));
        segment.words = Some(vec![word(" a", 1.003, 1.004, 0.9)]);
        assert_eq!(
            span.next(&mut vec![segment.clone()], 0.0, None),
            Next::Keep(140)
        );
        // The word is improbably short, and openai would skip no frame at all.
        segment.start = 1.003;
        assert_ne!(
            span.next(&mut vec![segment], 0.0, Some(0.001)),
            Next::Drop(100)
        );
    }
}
