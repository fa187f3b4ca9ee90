//! SubRip and WebVTT.

use std::sync::LazyLock;

use regex::Regex;

use super::joined;
use crate::compare::brackets::pattern;
use crate::compare::timed_text::{Span, TimedText};

/// What stands between the times of a subtitle.
const ARROW: &str = "-->";

/// `<i>`, `</c>`, `<v Name>`, `<00:01.000>`, and `{\an8}` of SubRip. A lone `<` is text.
static TAG: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"</?[a-zA-Z][^<>]*>|<[0-9:.]+>|\{\\[^}]*\}"));

/// The subtitles of both formats: blocks with blank lines between, a line of times in each. Blocks without one, as WebVTT's
/// head, notes and styles, are passed over.
pub(super) fn parse(text: &str) -> Result<TimedText, String> {
    let mut segments: Vec<Span> = Vec::new();
    let mut last_is_underlined = false;
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    for block in lines.split(|line| line.is_empty()) {
        let Some(at) = block.iter().position(|line| line.contains(ARROW)) else {
            continue;
        };
        let (start, end) = times(block[at])?;
        let marked = block[at + 1..].join(" ");
        let span = Span {
            start,
            end,
            text: plain(&marked),
        };
        // Each word of a subtitle in turn is underlined, or none: the same text goes on.
        let underlined = marked.contains("<u>");
        let goes_on = segments
            .last_mut()
            .filter(|last| last.text == span.text && (underlined || last_is_underlined));
        match goes_on {
            Some(last) => last.end = end,
            None => segments.push(span),
        }
        last_is_underlined = underlined;
    }
    let has_text = !text.trim().is_empty() && !text.starts_with("WEBVTT");
    if segments.is_empty() && has_text {
        return Err(format!(
            "has no subtitle, which is a line with two times and {ARROW} between, and text below"
        ));
    }
    Ok(TimedText {
        text: joined(&segments),
        segments,
        ..TimedText::default()
    })
}

/// `00:00:01,000 --> 00:00:02.5 align:start`: hours may be missing.
fn times(line: &str) -> Result<(f64, f64), String> {
    let (start, rest) = line.split_once(ARROW).unwrap_or((line, ""));
    let end = rest.split_whitespace().next().unwrap_or_default();
    Ok((time(start.trim())?, time(end)?))
}

fn time(text: &str) -> Result<f64, String> {
    let parts = text.split(':').map(|part| {
        let number = part.replace(',', ".");
        // No sign, no exponent, no infinity.
        let digits = number
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        digits.then(|| number.parse::<f64>().ok()).flatten()
    });
    let parts: Option<Vec<f64>> = parts.collect();
    match parts.as_deref() {
        Some(&[minutes, seconds]) => Ok(minutes * 60.0 + seconds),
        Some(&[hours, minutes, seconds]) => Ok((hours * 60.0 + minutes) * 60.0 + seconds),
        _ => Err(format!(
            "'{text}' is no time of a subtitle, such as 00:01:02,500"
        )),
    }
}

/// The text that is shown.
fn plain(marked: &str) -> String {
    let text = TAG.replace_all(marked, "");
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ];
    entities
        .iter()
        .fold(text.into_owned(), |text, (name, is)| text.replace(name, is))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_another_program() {
        let text = "WEBVTT - talk\nKind: captions\n\nNOTE\nmade by hand\n\nSTYLE\n::cue { color: red }\n\nintro\n\
                    00:01.000 --> 00:02.500 align:start position:10%\n<v Anna>Tom &amp; <i>Jerry</i>\nran &lt; 5\n\n\
                    01:00:00.000 --> 01:00:01.000\nyes<00:01.000><c>!</c>\n";
        let read = parse(text).unwrap();
        assert_eq!(read.text, "Tom & Jerry ran < 5 yes!");
        assert_eq!((read.segments[0].start, read.segments[0].end), (1.0, 2.5));
        assert_eq!(read.segments[1].start, 3600.0);
    }

    #[test]
    fn subrip_of_windows() {
        let read = parse(
            "1\r\n00:00:01,000 --> 00:00:02,000\r\n{\\an8}so\r\nit goes\r\n\r\n2\r\n00:00:02,000 --> 00:00:03,000\r\nit goes\r\n",
        );
        let read = read.unwrap();
        assert_eq!(read.text, "so it goes it goes");
        assert_eq!(read.segments.len(), 2);
    }
}
