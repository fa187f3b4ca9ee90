//! Tab-separated values: openai/whisper's, with times in milliseconds.

use super::joined;
use crate::compare::timed_text::{Span, TimedText};

pub(super) fn parse(text: &str) -> Result<TimedText, String> {
    let mut lines = (1..).zip(text.lines());
    let header = lines.next().map(|(_, line)| line.trim_end());
    if header != Some("start\tend\ttext") {
        return Err(
            "is no transcript: its first line should name the columns start, end and text, with tabs between"
                .to_owned(),
        );
    }
    let mut segments = Vec::new();
    for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let mut fields = line.splitn(3, '\t');
        let mut field = || fields.next().unwrap_or_default();
        let [start, end] = [field(), field()].map(|time| time.parse::<i64>().ok());
        let (Some(start), Some(end)) = (start, end) else {
            return Err(format!(
                "line {number}: start and end should be whole milliseconds, and text behind them"
            ));
        };
        segments.push(Span {
            start: start as f64 / 1000.0,
            end: end as f64 / 1000.0,
            text: field().to_owned(),
        });
    }
    Ok(TimedText {
        text: joined(&segments),
        segments,
        ..TimedText::default()
    })
}
