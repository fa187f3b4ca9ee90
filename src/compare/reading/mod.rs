//! Transcripts from files, as this and other programs write them.

mod json;
mod subtitles;
mod tsv;

use std::fs;
use std::path::Path;

use super::timed_text::{Span, TimedText};
use crate::error::{Error, Result};

/// The endings of files that [`TimedText::read`] reads, those that say more of a transcript first.
pub const READABLE: [&str; 6] = ["json", "jsonl", "tsv", "srt", "vtt", "txt"];

impl TimedText {
    /// Reads a transcript; its ending says what it is:
    ///
    /// - `json`: openai/whisper's, `json-full`, or OpenAI's `verbose_json`
    /// - `jsonl`: an object with a segment on each line
    /// - `tsv`: the columns `start` and `end` in milliseconds, and `text`
    /// - `srt`, `vtt`: subtitles; tags are left out, and subtitles that underline one word after the other are one
    /// - `txt`: text alone
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the file cannot be read, [`Error::Transcript`] when it is not what its ending says.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let wrong = |reason: String| Error::Transcript {
            path: path.to_owned(),
            reason,
        };
        let ending = path.extension().and_then(|ending| ending.to_str());
        let ending = ending.unwrap_or_default().to_lowercase();
        if !READABLE.contains(&ending.as_str()) {
            let known = READABLE.join(", ");
            return Err(wrong(format!(
                "cannot be read as a transcript; its name should end with one of {known}"
            )));
        }
        let bytes = fs::read(path).map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })?;
        let text = String::from_utf8(bytes).map_err(|_| wrong("is not UTF-8 text".to_owned()))?;
        let text = text.trim_start_matches('\u{feff}');
        match ending.as_str() {
            "json" => json::whole(text),
            "jsonl" => json::lines(text),
            "tsv" => tsv::parse(text),
            "txt" => Ok(of_lines(text)),
            _ => subtitles::parse(text),
        }
        .map_err(wrong)
    }
}

/// A text whose lines are its segments, without times.
fn of_lines(text: &str) -> TimedText {
    TimedText::plain(text.lines().collect::<Vec<_>>().join(" "), None)
}

/// The text of segments, one after the other.
fn joined(segments: &[Span]) -> String {
    let texts = segments.iter().map(|segment| segment.text.trim());
    texts.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{FormatOptions, writer};
    use crate::transcribe::{Segment, Token, Transcript, Word};

    fn spoken() -> Transcript {
        let word = |word: &str, start: f64, end: f64| Word {
            word: word.to_owned(),
            start,
            end,
            probability: 0.5,
        };
        let segment = |id, words: Vec<Word>| Segment {
            id,
            start: words[0].start,
            end: words[1].end,
            text: words.iter().map(|word| word.word.as_str()).collect(),
            tokens: vec![50364, 400 + id as u32],
            token_details: vec![
                Token {
                    id: 50364,
                    text: "<|0.00|>".to_owned(),
                    probability: 0.5,
                },
                Token {
                    id: 400 + id as u32,
                    text: " And".to_owned(),
                    probability: 0.5,
                },
            ],
            words: Some(words),
            ..Segment::default()
        };
        let first = segment(
            0,
            vec![word(" Où", 0.5, 1.0), word(" est-il & <", 1.0, 2.5)],
        );
        let second = segment(
            1,
            vec![word(" да,", 3601.0, 3602.0), word(" so", 3602.0, 3603.25)],
        );
        let text = " Où est-il & < да, so".to_owned();
        Transcript::new(text, vec![first, second], "fr".to_owned())
    }

    /// Writes the transcript in a format and reads it again.
    fn again(format: &str, options: FormatOptions) -> TimedText {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(format, &options).unwrap();
        let path = folder.path().join(format!("a.{}", writer.extension()));
        let mut out = Vec::new();
        writer.write(&spoken(), &mut out).unwrap();
        fs::write(&path, out).unwrap();
        TimedText::read(&path).unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let whole = TimedText::from(&spoken());
        assert_eq!(again("json-full", FormatOptions::default()), whole);
        for format in ["json", "jsonl", "tsv", "srt", "vtt", "txt"] {
            let read = again(format, FormatOptions::default());
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(words(&read.text), words(&whole.text), "{format}");
            if format == "txt" {
                assert!(read.segments.is_empty());
                continue;
            }
            assert_eq!(read.segments.len(), 2, "{format}");
            assert_eq!(read.segments[0].start, 0.5, "{format}");
            assert_eq!(read.segments[1].end, 3603.25, "{format}");
            let has_words = format.starts_with("json");
            assert_eq!(read.words == whole.words, has_words, "{format}");
            assert_eq!(read.tokens.len(), if has_words { 4 } else { 0 }, "{format}");
        }
        assert_eq!(
            again("json", FormatOptions::default()).language.as_deref(),
            Some("fr")
        );
    }

    #[test]
    fn underlined_words_are_not_read_twice() {
        let mut options = FormatOptions::default();
        options.subtitles.highlight_words = true;
        for format in ["srt", "vtt"] {
            let read = again(format, options);
            assert_eq!(read.segments.len(), 2, "{format}: {:?}", read.segments);
            assert_eq!(read.text, "Où est-il & < да, so", "{format}");
            assert_eq!(read.segments[1].end, 3603.25);
        }
    }

    #[test]
    fn what_is_no_transcript_is_told_in_one_line() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text, says) in [
            ("a.doc", "so", "json, jsonl, tsv"),
            ("a", "so", "json, jsonl, tsv"),
            ("a.json", "{\"text\": 1}", "expected a string"),
            ("a.json", "[1, 2]", "is no transcript"),
            ("a.json", "{}", "neither"),
            ("a.json", "{\"text\":", "line 1"),
            (
                "b.jsonl",
                "{\"start\":0,\"end\":1,\"text\":\"a\"}\nso\n",
                "line 2",
            ),
            ("a.tsv", "file\ttext\n", "start"),
            ("a.tsv", "start\tend\ttext\n0\tx\tso\n", "line 2"),
            ("a.tsv", "start\tend\ttext\n0\n", "line 2"),
            ("a.srt", "so it goes\n", "no subtitle"),
            (
                "a.srt",
                "1\n00:00:xx,000 --> 00:00:01,000\nso\n",
                "00:00:xx,000",
            ),
        ] {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            let message = TimedText::read(&path).unwrap_err().to_string();
            let place = format!("{}: ", path.display());
            assert!(
                message.starts_with(&place) && message.contains(says) && !message.contains('\n'),
                "{message}"
            );
        }
        let path = folder.path().join("a.txt");
        fs::write(&path, b"\xff").unwrap();
        assert!(
            TimedText::read(&path)
                .unwrap_err()
                .to_string()
                .contains("UTF-8")
        );
        let missing = TimedText::read(folder.path().join("no.txt")).unwrap_err();
        assert!(missing.to_string().contains("no.txt: "));
    }

    #[test]
    fn damaged_files_are_read_or_refused() {
        let folder = tempfile::tempdir().unwrap();
        // A multiplicative generator (Knuth): any damage will do, as long as it is the same each time.
        let mut state = 1_u64;
        let mut random = move |below: usize| {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 33) as usize % below
        };
        for format in ["json-full", "jsonl", "tsv", "srt", "vtt", "txt"] {
            let writer = writer(format, &FormatOptions::default()).unwrap();
            let path = folder.path().join(format!("a.{}", writer.extension()));
            let mut whole = Vec::new();
            writer.write(&spoken(), &mut whole).unwrap();
            for _ in 0..500 {
                let mut damaged = whole.clone();
                for _ in 0..1 + random(4) {
                    let at = random(damaged.len());
                    match random(3) {
                        0 => damaged[at] = b"-:,.<>\n\t09\"{}e"[random(14)],
                        1 => damaged.truncate(at + 1),
                        _ => drop(damaged.remove(at / 2)),
                    }
                    if damaged.is_empty() {
                        damaged.push(b'0');
                    }
                }
                fs::write(&path, &damaged).unwrap();
                if let Err(error) = TimedText::read(&path) {
                    assert!(!error.to_string().contains('\n'), "{error}");
                }
            }
        }
    }

    #[test]
    fn an_empty_transcript_is_one() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("a.txt", ""),
            ("a.srt", ""),
            ("a.vtt", "WEBVTT\n\n"),
            ("a.tsv", "start\tend\ttext\n"),
            ("a.jsonl", ""),
            (
                "a.json",
                "{\"text\": \"\", \"segments\": [], \"language\": \"en\"}",
            ),
        ] {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            assert_eq!(TimedText::read(&path).unwrap().text, "", "{name}");
        }
    }
}
