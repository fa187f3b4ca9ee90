//! Lyrics with times.

use std::io::{self, Write};

use super::Writer;
use super::centiseconds::centiseconds;
use super::subtitles::{Subtitle, SubtitleOptions, subtitles};
use crate::transcribe::Transcript;

/// A line a subtitle with its start as `[mm:ss.cc]`; with
/// [`highlight_words`](SubtitleOptions::highlight_words) each word with its own, as `<mm:ss.cc>` (enhanced LRC).
#[derive(Debug, Clone, Copy, Default)]
pub struct Lrc(pub SubtitleOptions);

impl Writer for Lrc {
    fn name(&self) -> &'static str {
        "lrc"
    }

    fn write(&self, transcript: &Transcript, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(b"[re:whisper-rs]\n")?;
        for subtitle in subtitles(&transcript.segments, self.0) {
            let start = time(subtitle.start);
            if self.0.highlight_words && !subtitle.words.is_empty() {
                writeln!(out, "[{start}] {}", timed_words(&subtitle))?;
            } else {
                writeln!(out, "[{start}]{}", one_line(&subtitle.text))?;
            }
        }
        Ok(())
    }
}

/// Each word behind its start, and the end of the last.
fn timed_words(subtitle: &Subtitle) -> String {
    let mut line = String::new();
    for word in &subtitle.words {
        line += &format!("<{}> {} ", time(word.start), one_line(word.word.trim()));
    }
    line + &format!("<{}>", time(subtitle.end))
}

fn one_line(text: &str) -> String {
    text.replace('\n', " ")
}

/// `mm:ss.cc`; minutes count on past an hour.
fn time(seconds: f64) -> String {
    let centiseconds = centiseconds(seconds);
    let (minutes, centiseconds) = (centiseconds / 6000, centiseconds % 6000);
    format!(
        "{minutes:02}:{:02}.{:02}",
        centiseconds / 100,
        centiseconds % 100
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::{spoken, written};
    use super::*;

    #[test]
    fn lines_and_words_with_their_times() {
        let plain = written(&Lrc::default(), &spoken());
        assert_eq!(
            plain,
            "[re:whisper-rs]\n[00:00.00]And so,\n[61:01.50]{my} \"fellow\"\n"
        );
        let words = written(
            &Lrc(SubtitleOptions {
                highlight_words: true,
                ..SubtitleOptions::default()
            }),
            &spoken(),
        );
        assert_eq!(
            words,
            "[re:whisper-rs]\n[00:00.00] <00:00.00> And <00:00.50> so, <00:00.90>\n\
             [61:01.50] <61:01.50> {my} <61:02.00> \"fellow\" <61:02.75>\n"
        );
    }
}
