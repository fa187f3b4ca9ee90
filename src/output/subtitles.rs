//! From segments to subtitles: which words are shown together, and where their lines break.

use serde::{Deserialize, Serialize};

use crate::text::{is_python_space, python_strip};
use crate::transcribe::{Segment, Word};

/// A pause before a word, in seconds, that ends a subtitle where subtitles are made anew from words.
const LONG_PAUSE: f64 = 3.0;

/// How words are put together to subtitles: openai/whisper's options of the same names.
///
/// They have an effect on transcripts with words alone
/// ([`word_timestamps`](crate::TranscribeOptions::word_timestamps)); 0 is the same as `None`.
///
/// More fields may come: begin with the default one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct SubtitleOptions {
    /// Characters in a line, unless one word is longer.
    pub max_line_width: Option<usize>,
    /// Lines in a subtitle. It takes [`max_line_width`](Self::max_line_width) to have an effect, and with both set
    /// subtitles run on from one segment into the next.
    pub max_line_count: Option<usize>,
    /// Words in a subtitle, without [`max_line_width`](Self::max_line_width).
    pub max_words_per_line: Option<usize>,
    /// Underline each word while it is spoken: a subtitle for each word.
    pub highlight_words: bool,
}

/// Words that are shown together; a line break stands at the beginning of the word that begins a line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Subtitle {
    /// Start, in seconds.
    pub start: f64,
    /// End, in seconds.
    pub end: f64,
    /// The text, of one line or several.
    pub text: String,
    /// The words that `text` is made of; none where the transcript has no words.
    pub words: Vec<Word>,
}

/// The subtitles of a transcript: by its words where it has them, else one for each segment
/// (openai/whisper utils.py:114-221).
pub(super) fn subtitles(segments: &[Segment], options: SubtitleOptions) -> Vec<Subtitle> {
    // Without word timestamps cleared segments still have an empty list of words, at which openai/whisper stumbles
    // where such a one is first.
    let has_words = !segments.is_empty() && segments.iter().all(|segment| segment.words.is_some());
    if has_words {
        return (word_groups(segments, options).into_iter())
            .filter_map(of_words)
            .collect();
    }
    segments.iter().map(of_segment).collect()
}

fn of_segment(segment: &Segment) -> Subtitle {
    Subtitle {
        start: segment.start,
        end: segment.end,
        // An arrow would be taken for times.
        text: python_strip(&segment.text).replace("-->", "->"),
        words: Vec::new(),
    }
}

fn of_words(words: Vec<Word>) -> Option<Subtitle> {
    Some(Subtitle {
        start: words.first()?.start,
        end: words.last()?.end,
        text: words.iter().map(|word| word.word.as_str()).collect(),
        words,
    })
}

/// Deals the words to subtitles (openai/whisper utils.py:133-187).
fn word_groups(segments: &[Segment], options: SubtitleOptions) -> Vec<Vec<Word>> {
    let given = |limit: Option<usize>| limit.filter(|&limit| limit > 0);
    let max_line_width = given(options.max_line_width);
    let max_line_count = given(options.max_line_count);
    let max_words = given(options.max_words_per_line).unwrap_or(1000);
    let preserve_segments = max_line_width.is_none() || max_line_count.is_none();
    let max_line_width = max_line_width.unwrap_or(1000);

    let mut groups: Vec<Vec<Word>> = Vec::new();
    let mut subtitle: Vec<Word> = Vec::new();
    let (mut line_len, mut line_count) = (0, 1);
    let mut last = segments.iter().flat_map(words_of).next().map_or_else(
        || segments.first().map_or(0.0, |segment| segment.start),
        |word| word.start,
    );
    for segment in segments {
        for chunk in words_of(segment).chunks(max_words) {
            for (index, word) in chunk.iter().enumerate() {
                let mut word = word.clone();
                let long_pause = !preserve_segments && word.start - last > LONG_PAUSE;
                let has_room = line_len + length(&word.word) <= max_line_width;
                let segment_break = index == 0 && !subtitle.is_empty() && preserve_segments;
                if line_len > 0 && has_room && !long_pause && !segment_break {
                    line_len += length(&word.word);
                } else {
                    word.word = python_strip(&word.word).to_owned();
                    let full = max_line_count.is_some_and(|most| {
                        !subtitle.is_empty() && (long_pause || line_count >= most)
                    });
                    let stripped = length(&word.word);
                    if full || segment_break {
                        groups.push(std::mem::take(&mut subtitle));
                        line_count = 1;
                    } else if line_len > 0 {
                        line_count += 1;
                        word.word.insert(0, '\n');
                    }
                    line_len = stripped;
                }
                last = word.start;
                subtitle.push(word);
            }
        }
    }
    if !subtitle.is_empty() {
        groups.push(subtitle);
    }
    groups
}

fn words_of(segment: &Segment) -> &[Word] {
    segment.words.as_deref().unwrap_or_default()
}

/// Characters of a text, as Python counts them.
fn length(text: &str) -> usize {
    text.chars().count()
}

/// A stretch of time and what is shown in it, times as the format writes them.
pub(super) type Cue = (String, String, String);

/// What a subtitle format shows one after the other; with [`highlight_words`](SubtitleOptions::highlight_words) each
/// subtitle once for each of its words, which is underlined (openai/whisper utils.py:189-221).
pub(super) fn cues(
    segments: &[Segment],
    options: SubtitleOptions,
    format_time: impl Fn(f64) -> String,
) -> Vec<Cue> {
    let mut cues = Vec::new();
    for subtitle in subtitles(segments, options) {
        let start = format_time(subtitle.start);
        if !options.highlight_words || subtitle.words.is_empty() {
            cues.push((start, format_time(subtitle.end), subtitle.text));
            continue;
        }
        let mut last = start;
        for (spoken, word) in subtitle.words.iter().enumerate() {
            let (start, end) = (format_time(word.start), format_time(word.end));
            if last != start {
                cues.push((last, start.clone(), subtitle.text.clone()));
            }
            let text = (subtitle.words.iter().enumerate())
                .map(|(index, word)| {
                    if index == spoken {
                        underlined(&word.word)
                    } else {
                        word.word.clone()
                    }
                })
                .collect();
            cues.push((start, end.clone(), text));
            last = end;
        }
    }
    cues
}

/// `"\nword"` to `"\n<u>word</u>"`, as Python's `re.sub(r"^(\s*)(.*)$", r"\1<u>\2</u>", word)`: what has a line break
/// within stays as it is, and one at the end stays outside.
fn underlined(word: &str) -> String {
    let text = word.trim_start_matches(is_python_space);
    let space = &word[..word.len() - text.len()];
    let (text, end) = match text.strip_suffix('\n') {
        Some(text) => (text, "\n"),
        None => (text, ""),
    };
    if text.contains('\n') {
        return word.to_owned();
    }
    format!("{space}<u>{text}</u>{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_underlined_without_the_space_around_it() {
        for (word, expected) in [
            (" you,", " <u>you,</u>"),
            ("\nask", "\n<u>ask</u>"),
            ("", "<u></u>"),
            ("  ", "  <u></u>"),
            (" a b ", " <u>a b </u>"),
            ("a\nb", "a\nb"),
            ("a\n", "<u>a</u>\n"),
        ] {
            assert_eq!(underlined(word), expected);
        }
    }

    #[test]
    fn segments_without_words_are_subtitles() {
        let cleared = Segment {
            words: Some(Vec::new()),
            ..Segment::default()
        };
        let spoken = Segment {
            text: " a --> b".to_owned(),
            end: 1.0,
            ..Segment::default()
        };
        // Word timestamps were not asked for; a cleared segment has its empty list all the same.
        let shown = subtitles(&[cleared.clone(), spoken], SubtitleOptions::default());
        let texts: Vec<_> = shown
            .iter()
            .map(|subtitle| subtitle.text.as_str())
            .collect();
        assert_eq!(texts, ["", "a -> b"]);
        assert!(subtitles(&[cleared], SubtitleOptions::default()).is_empty());
        assert!(subtitles(&[], SubtitleOptions::default()).is_empty());
    }
}
