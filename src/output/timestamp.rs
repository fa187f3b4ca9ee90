//! Times as people read them.

use crate::text::python_round;
use crate::transcribe::Segment;

/// `seconds` as `MM:SS.mmm`, or `HH:MM:SS.mmm` if it is an hour or more or `always_include_hours`, with
/// `decimal_marker` before the milliseconds (openai/whisper utils.py:50-67).
///
/// Milliseconds are rounded halves to even, as Python rounds. Negative times, which openai refuses, are taken as 0.
pub fn format_timestamp(seconds: f64, always_include_hours: bool, decimal_marker: &str) -> String {
    let milliseconds = python_round(seconds * 1000.0).max(0);
    let (hours, milliseconds) = (milliseconds / 3_600_000, milliseconds % 3_600_000);
    let (minutes, milliseconds) = (milliseconds / 60_000, milliseconds % 60_000);
    let (seconds, milliseconds) = (milliseconds / 1_000, milliseconds % 1_000);
    let hours = if always_include_hours || hours > 0 {
        format!("{hours:02}:")
    } else {
        String::new()
    };
    format!("{hours}{minutes:02}:{seconds:02}{decimal_marker}{milliseconds:03}")
}

/// The line that a transcription shows for a segment while it runs: `[00:00.000 --> 00:04.000]  And so`
/// (openai/whisper transcribe.py:478-482). The segment's text brings its own leading space.
pub fn segment_line(segment: &Segment) -> String {
    let start = format_timestamp(segment.start, false, ".");
    let end = format_timestamp(segment.end, false, ".");
    format!("[{start} --> {end}] {}", segment.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(format_timestamp(0.0, false, "."), "00:00.000");
        assert_eq!(format_timestamp(0.0, true, ","), "00:00:00,000");
        assert_eq!(format_timestamp(59.9996, false, "."), "01:00.000");
        assert_eq!(format_timestamp(3661.5, false, "."), "01:01:01.500");
        assert_eq!(format_timestamp(360_000.0, false, "."), "100:00:00.000");
        // An exact half goes to the even millisecond.
        assert_eq!(format_timestamp(0.0625, false, "."), "00:00.062");
    }

    #[test]
    fn times_that_are_none_do_not_panic() {
        for seconds in [-1.0, f64::NAN, f64::NEG_INFINITY] {
            assert_eq!(format_timestamp(seconds, false, "."), "00:00.000");
        }
        assert!(format_timestamp(f64::INFINITY, false, ".").ends_with(".807"));
    }
}
