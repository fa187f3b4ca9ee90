//! The line of a progress bar, fitted to the width of a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns of the bar between its brackets, where there is room for it.
const BAR: usize = 24;
/// The shortest bar that shows anything; less is left out.
const SHORTEST_BAR: usize = 8;
/// Columns of a label below which it says nothing, and below which the bar goes first.
const SHORTEST_LABEL: usize = 8;
const SHORT_LABEL: usize = 16;
/// Columns between the status and the label.
const GAP: usize = 2;

/// What the line says.
pub struct ProgressLine<'a> {
    /// How much is done, from 0 to 1; none where it is not known how much there is, and no bar is drawn.
    pub done: Option<f64>,
    /// How far it is, in full and in short.
    pub status: [&'a str; 2],
    /// What it is about.
    pub label: &'a str,
}

impl ProgressLine<'_> {
    /// `[=====>      ] 45% 1:05 of 2:24, 6.5x real time, 0:12 left  talk.wav`, in so many columns: first the words are fewer, then
    /// the label is shortened, then there is no bar, then no label, and then it is cut off.
    pub fn fitted(&self, columns: usize) -> String {
        let percent = self
            .done
            .map(|done| format!("{:>3}% ", (done * 100.0) as u8));
        let [full, short] = self
            .status
            .map(|status| format!("{}{status}", percent.as_deref().unwrap_or_default()));
        let bar = self.done.map_or(0, |_| bar_columns(SHORTEST_BAR));
        let whole = self.label.width();
        for (status, bar, label) in [
            (&full, bar, whole),
            (&short, bar, whole),
            (&short, bar, whole.min(SHORT_LABEL)),
            (&short, 0, whole.min(SHORTEST_LABEL)),
        ] {
            let Some(room) = columns.checked_sub(bar + status.width() + GAP) else {
                continue;
            };
            if room >= label {
                let label = shortened(self.label, room);
                let text = format!("{status}{:GAP$}{label}", "");
                return match self.done {
                    Some(done) if bar > 0 => drawn(done, columns - text.width()) + &text,
                    _ => text,
                };
            }
        }
        within(short.chars(), columns)
    }
}

/// Columns of a bar with its brackets and the space behind it.
const fn bar_columns(bar: usize) -> usize {
    bar + 3
}

/// A bar and the space behind it, in at most so many columns.
fn drawn(done: f64, columns: usize) -> String {
    let width = columns.min(bar_columns(BAR)) - bar_columns(0);
    let filled = (done * width as f64) as usize;
    let mut bar = "=".repeat(filled);
    if filled > 0 && filled < width {
        bar.push('>');
    }
    format!("[{bar:<width$}] ")
}

/// A text without its middle, of which the end says more: `interv…talk.wav (3 of 10)`.
fn shortened(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let Some(room) = columns.checked_sub(1) else {
        return String::new();
    };
    let end = within(text.chars().rev(), room * 2 / 3);
    let begin: String = within(text.chars(), room - room * 2 / 3);
    let end: String = end.chars().rev().collect();
    format!("{begin}…{end}")
}

/// The first characters that so many columns hold.
fn within(characters: impl Iterator<Item = char>, columns: usize) -> String {
    let mut used = 0;
    characters
        .take_while(|character| {
            used += character.width().unwrap_or(0);
            used <= columns
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(columns: usize, status: [&str; 2], label: &str) -> String {
        let line = ProgressLine {
            done: Some(0.45),
            status,
            label,
        };
        let fitted = line.fitted(columns);
        assert!(fitted.width() <= columns, "{columns}: {fitted}");
        fitted
    }

    const STATUS: [&str; 2] = [
        "1:05 of 2:24, 6.5x real time, 0:12 left, 12:40 for all",
        "1:05/2:24, 6.5x, 0:12 left, 12:40 for all",
    ];
    const LABEL: &str = "interview of monday.wav (3 of 10)";

    #[test]
    fn everything_has_its_place_where_there_is_room() {
        assert_eq!(
            line(140, STATUS, LABEL),
            format!("[{:<24}]  45% {}  {LABEL}", "==========>", STATUS[0])
        );
    }

    #[test]
    fn eighty_columns_hold_times_and_a_name() {
        assert_eq!(
            line(80, STATUS, LABEL),
            "[===>    ]  45% 1:05/2:24, 6.5x, 0:12 left, 12:40 for all  intervi…wav (3 of 10)"
        );
        let long = "1:05:00/3:00:12, 16.5x, 1:12:40 left, 12:40:33 for all";
        assert_eq!(
            line(80, [STATUS[0], long], LABEL),
            format!(" 45% {long}  interv…av (3 of 10)")
        );
    }

    #[test]
    fn a_narrow_terminal_has_the_times() {
        for columns in 0..200 {
            let fitted = ProgressLine {
                done: Some(1.0),
                status: STATUS,
                label: "東京".repeat(40).as_str(),
            }
            .fitted(columns);
            assert!(fitted.width() <= columns, "{columns}: {fitted}");
            assert!(columns < 46 || fitted.contains("0:12 left, 12:40 for all"));
        }
    }

    #[test]
    fn without_an_end_there_is_no_bar() {
        let line = ProgressLine {
            done: None,
            status: ["3.0 MB, 1.0 MB/s"; 2],
            label: "tiny",
        };
        assert_eq!(line.fitted(80), "3.0 MB, 1.0 MB/s  tiny");
    }
}
