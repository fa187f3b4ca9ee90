//! When normalised words were said.

use super::Edit;
use super::characters::words;
use super::normalizer::Normalizer;
use super::timed_text::{Span, TimedText};
use super::word_error_rate::align_interned;

/// A stretch of time, in seconds.
pub type Time = (f64, f64);

/// The times of the words of the normalised text; `None` for all where the text has no times.
///
/// Normalising changes words, and joins and parts them. So each word of the source is normalised by itself, and what
/// comes of it is aligned with the words of the whole: words that are the same in both have the time of theirs, and those
/// between share the time that is left. Words without times of their own share their segment's time by their lengths.
pub(super) fn place(
    text: &TimedText,
    normalized: &[&str],
    normalizer: &Normalizer,
) -> Option<Vec<Time>> {
    let spans = match text.words.is_empty() {
        false => text.words.clone(),
        true => text.segments.iter().flat_map(parted).collect(),
    };
    if spans.is_empty() {
        return None;
    }
    let mut pieces = Vec::new();
    for span in &spans {
        let normal = normalizer.normalize(&span.text);
        let words: Vec<_> = words(&normal).map(str::to_owned).collect();
        pieces.extend(shared(words, (span.start, span.end)));
    }
    let alone: Vec<&str> = pieces.iter().map(|(word, _)| word.as_str()).collect();
    let mut times = Vec::with_capacity(normalized.len());
    let mut pieces = pieces.iter().map(|&(_, time)| time);
    for edit in align_interned(normalized, &alone) {
        let time = (edit != Edit::Deletion).then(|| pieces.next()).flatten();
        match edit {
            Edit::Insertion => {}
            _ => times.push(time),
        }
    }
    Some(between(&times, (spans[0].start, text.end())))
}

/// The words of a span, the time dealt by their lengths.
fn parted(span: &Span) -> Vec<Span> {
    let words = words(&span.text).map(str::to_owned).collect();
    let timed = shared(words, (span.start, span.end));
    let spans = timed.map(|(text, (start, end))| Span { start, end, text });
    spans.collect()
}

/// Deals a stretch of time to words by their lengths.
fn shared(words: Vec<String>, (start, end): Time) -> impl Iterator<Item = (String, Time)> {
    let letters = |word: &str| word.chars().count() as f64;
    let all: f64 = words.iter().map(|word| letters(word)).sum();
    let rate = (end - start) / all.max(1.0);
    let mut at = start;
    words.into_iter().map(move |word| {
        let begin = at;
        at += letters(&word) * rate;
        (word, (begin, at))
    })
}

/// Gives those without a time what is left between their neighbours, in equal parts; `whole` is what all lie in.
pub(super) fn between(times: &[Option<Time>], whole: Time) -> Vec<Time> {
    let mut placed = Vec::with_capacity(times.len());
    let mut last = whole.0;
    let mut index = 0;
    while index < times.len() {
        if let Some(time) = times[index] {
            placed.push(time);
            last = time.1;
            index += 1;
            continue;
        }
        let count = times[index..]
            .iter()
            .take_while(|time| time.is_none())
            .count();
        let next = times.get(index + count).copied().flatten();
        let next = next.map_or(whole.1, |(start, _)| start).max(last);
        let step = (next - last) / count as f64;
        let parts = (0..count).map(|part| last + step * part as f64);
        placed.extend(parts.map(|start| (start, start + step)));
        index += count;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: f64, end: f64, text: &str) -> Span {
        let text = text.to_owned();
        Span { start, end, text }
    }

    #[test]
    fn words_that_normalising_joins_lie_where_they_were_said() {
        let text = TimedText {
            words: vec![
                span(0.0, 1.0, " Mr."),
                span(1.0, 2.0, " Smith's"),
                span(2.0, 3.0, " twenty"),
                span(3.0, 4.0, "-one."),
            ],
            ..TimedText::default()
        };
        let normalized = ["mister", "smith", "is", "21"];
        let placed = place(&text, &normalized, &Normalizer::English).unwrap();
        assert_eq!(placed[0], (0.0, 1.0));
        assert_eq!(placed[1].0, 1.0);
        assert!(placed[3].0 >= 2.0 && placed[3].1 <= 4.0, "{placed:?}");
    }

    #[test]
    fn a_segment_is_dealt_to_its_words_by_their_lengths() {
        let text = TimedText {
            segments: vec![span(0.0, 8.0, " so it goes"), span(8.0, 9.0, " on")],
            ..TimedText::default()
        };
        let basic = Normalizer::basic(None);
        let placed = place(&text, &["so", "it", "goes", "on"], &basic).unwrap();
        assert_eq!(placed, [(0.0, 2.0), (2.0, 4.0), (4.0, 8.0), (8.0, 9.0)]);
        assert_eq!(place(&TimedText::plain("so", None), &["so"], &basic), None);
    }

    #[test]
    fn what_has_no_time_fills_what_is_left() {
        let times = [None, Some((2.0, 3.0)), None, None];
        let placed = between(&times, (0.0, 5.0));
        assert_eq!(placed, [(0.0, 2.0), (2.0, 3.0), (3.0, 4.0), (4.0, 5.0)]);
    }
}
