//! Advanced SubStation Alpha subtitles, as karaoke where there are words.

use std::io::{self, Write};

use super::Writer;
use super::centiseconds::centiseconds;
use super::subtitles::{Subtitle, SubtitleOptions, subtitles};
use crate::transcribe::Transcript;

/// A dialogue line a subtitle, each word of which is coloured when it is spoken (`\k`).
///
/// Without words the lines are plain.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ass(pub SubtitleOptions);

const HEADER: &str = "\
[Script Info]
ScriptType: v4.00+
PlayResX: 1920
PlayResY: 1080
WrapStyle: 0
ScaledBorderAndShadow: yes

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,64,&H0000FFFF,&H00FFFFFF,&H00000000,&H80000000,0,0,0,0,100,100,0,0,1,3,1,2,60,60,50,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
";

impl Writer for Ass {
    fn name(&self) -> &'static str {
        "ass"
    }

    fn write(&self, transcript: &Transcript, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(HEADER.as_bytes())?;
        for subtitle in subtitles(&transcript.segments, self.0) {
            let (start, end) = (time(subtitle.start), time(subtitle.end));
            let text = if subtitle.words.is_empty() {
                escaped(&subtitle.text)
            } else {
                karaoke(&subtitle)
            };
            writeln!(out, "Dialogue: 0,{start},{end},Default,,0,0,0,,{text}")?;
        }
        Ok(())
    }
}

/// Each word behind the hundredths of a second that it lasts. Pauses are syllables without text, so that the sum is
/// always where the time has come to.
fn karaoke(subtitle: &Subtitle) -> String {
    let mut line = String::new();
    let mut now = centiseconds(subtitle.start);
    for word in &subtitle.words {
        let (start, end) = (centiseconds(word.start), centiseconds(word.end));
        if start > now {
            line += &format!("{{\\k{}}}", start - now);
        }
        let begin = start.max(now);
        let end = end.max(begin);
        line += &format!("{{\\k{}}}{}", end - begin, escaped(&word.word));
        now = end;
    }
    line
}

/// Text that holds no override tags: braces are escaped, as libass reads them, and a backslash is kept from joining
/// what follows it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => escaped.push_str("\\\u{2060}"),
            '{' => escaped.push_str("\\{"),
            '}' => escaped.push_str("\\}"),
            '\n' => escaped.push_str("\\N"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// `h:mm:ss.cc`
fn time(seconds: f64) -> String {
    let all = centiseconds(seconds);
    let (hours, minutes, seconds) = (all / 360_000, all / 6000 % 60, all / 100 % 60);
    format!("{hours}:{minutes:02}:{seconds:02}.{:02}", all % 100)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{spoken, written};
    use super::*;

    fn dialogues(text: &str) -> Vec<&str> {
        text.lines()
            .filter_map(|line| line.strip_prefix("Dialogue: "))
            .collect()
    }

    #[test]
    fn words_last_as_long_as_they_are_spoken() {
        let text = written(&Ass::default(), &spoken());
        assert!(text.starts_with(HEADER));
        assert_eq!(
            dialogues(&text),
            [
                "0,0:00:00.00,0:00:00.90,Default,,0,0,0,,{\\k40}And{\\k10}{\\k40} so,",
                "0,1:01:01.50,1:01:02.75,Default,,0,0,0,,{\\k50}\\{my\\}{\\k75} \"fellow\"",
            ]
        );
    }

    #[test]
    fn without_words_lines_are_plain() {
        let mut transcript = spoken();
        for segment in &mut transcript.segments {
            segment.words = None;
        }
        let text = written(&Ass::default(), &transcript);
        assert_eq!(
            dialogues(&text)[1],
            "0,1:01:01.00,1:01:03.00,Default,,0,0,0,,\\{my\\} \"fellow\""
        );
    }

    #[test]
    fn line_breaks_and_backslashes_stay_themselves() {
        assert_eq!(escaped("a\nb\\Nc"), "a\\Nb\\\u{2060}Nc");
    }
}
