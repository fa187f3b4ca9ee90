//! How far a long step is: a bar on a terminal, a plain line now and then elsewhere (a log, a pipe).

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use terminal_size::terminal_size_of;
use tracing::Level;

use super::progress_line::ProgressLine;
use super::{log, messages};

/// Time between two lines where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(10);
/// Columns of a terminal that does not say how many it has.
const COLUMNS: usize = 80;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes fetched
    Bytes,
    /// Seconds of audio transcribed
    AudioSeconds,
}

/// The progress of one step, shown on standard error.
pub struct ProgressDisplay {
    label: String,
    unit: Unit,
    /// How much there is, in the unit; unknown for some downloads.
    total: Option<f64>,
    begun: Instant,
    /// Where the step began, which for a fetch that goes on from an earlier part is its first position.
    first_position: Option<f64>,
    position: f64,
    /// Time that this step and those after it will still take, where there are several.
    all_left: Option<Duration>,
    display: Display,
}

enum Display {
    Bar(ProgressBar),
    Lines { last: Instant },
}

impl ProgressDisplay {
    /// Begins a step called `label`, of `total` units where that is known.
    pub fn begin(label: impl Into<String>, unit: Unit, total: Option<f64>) -> Self {
        let begun = Instant::now();
        let display = if !log::told(Level::INFO) || !log::is_plain() {
            Display::Bar(ProgressBar::hidden())
        } else if std::io::stderr().is_terminal() {
            Display::Bar(bar())
        } else {
            Display::Lines { last: begun }
        };
        let progress = ProgressDisplay {
            label: label.into(),
            unit,
            total,
            begun,
            first_position: (unit == Unit::AudioSeconds).then_some(0.0),
            position: 0.0,
            all_left: None,
            display,
        };
        match &progress.display {
            Display::Lines { .. } if unit == Unit::Bytes => messages::note(progress.line()),
            // The first part of a recording may take a while.
            Display::Bar(bar) if unit == Unit::AudioSeconds => progress.draw(bar),
            _ => {}
        }
        progress
    }

    fn draw(&self, bar: &ProgressBar) {
        let line = ProgressLine {
            done: self.total.map(|total| fraction(self.position, total)),
            status: [&self.status(Wording::Full), &self.status(Wording::Short)],
            label: &self.label,
        };
        let columns = terminal_size_of(io::stderr()).map_or(COLUMNS, |(width, _)| width.0.into());
        bar.set_message(line.fitted(columns));
    }

    /// Reports that the step has come to `position`, which can be before an earlier one.
    pub fn set(&mut self, position: f64) {
        self.position = position;
        let first = self.first_position.get_or_insert(position);
        *first = first.min(position);
        match &self.display {
            Display::Bar(bar) => self.draw(bar),
            Display::Lines { last } if last.elapsed() >= BETWEEN_LINES => {
                messages::note(self.line());
                let last = Instant::now();
                self.display = Display::Lines { last };
            }
            Display::Lines { .. } => {}
        }
    }

    /// Prints a line from elsewhere, above the bar.
    pub fn interrupt<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.display {
            Display::Bar(bar) => bar.suspend(print),
            Display::Lines { .. } => print(),
        }
    }

    /// What prints a message from another thread, above the bar.
    pub fn notices(&self) -> impl FnOnce(&str) + Send + use<> {
        let bar = match &self.display {
            Display::Bar(bar) => Some(bar.clone()),
            Display::Lines { .. } => None,
        };
        move |message| match bar {
            Some(bar) => bar.suspend(|| messages::note(message)),
            None => messages::note(message),
        }
    }

    /// Says how long all steps will still take.
    pub fn set_all_left(&mut self, all_left: Option<Duration>) {
        self.all_left = all_left;
    }

    /// Ends the step without a line.
    pub fn clear(self) {
        if let Display::Bar(bar) = &self.display {
            bar.finish_and_clear();
        }
    }

    /// Ends the step: where it has come to stays as a line.
    pub fn finish(self) {
        if let Display::Bar(bar) = &self.display {
            bar.finish_and_clear();
        }
        messages::note(self.line());
    }

    fn line(&self) -> String {
        format!("{}: {}", self.label, self.status(Wording::Full))
    }

    fn status(&self, wording: Wording) -> String {
        let done = Done {
            position: self.position,
            new: self.position - self.first_position.unwrap_or(self.position),
            total: self.total,
        };
        let mut status = status(self.unit, done, self.begun.elapsed(), wording);
        if let Some(left) = self.all_left.filter(|left| !left.is_zero()) {
            status += &format!(", {} for all", clock(left.as_secs_f64()));
        }
        status
    }
}

/// Clears what a bar has drawn on a terminal, where the program ends in the middle of a step.
pub fn clear_line() {
    if std::io::stderr().is_terminal() {
        // Nobody may be looking.
        let _ = write!(std::io::stderr(), "\r\x1b[2K");
    }
}

impl Drop for ProgressDisplay {
    fn drop(&mut self) {
        // A step that failed leaves no half bar in front of its error message.
        if let Display::Bar(bar) = &self.display {
            bar.finish_and_clear();
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    match ProgressStyle::with_template("{msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// How much is done, from 0 to 1; nothing where there is nothing to do.
fn fraction(position: f64, total: f64) -> f64 {
    match total > 0.0 {
        true => (position / total).clamp(0.0, 1.0),
        false => 0.0,
    }
}

/// How much room a status may take.
#[derive(Clone, Copy)]
enum Wording {
    Full,
    Short,
}

#[derive(Clone, Copy)]
struct Done {
    position: f64,
    /// Of which since the step began: what the rate is about.
    new: f64,
    total: Option<f64>,
}

/// `42.1 of 145.2 MB, 3.1 MB/s, 0:33 left` or `1:05 of 3:53, 4.2x real time, 0:40 left`, in short `1:05/3:53, 4.2x, 0:40 left`.
fn status(unit: Unit, done: Done, elapsed: Duration, wording: Wording) -> String {
    let (of, speed) = match wording {
        Wording::Full => (" of ", "x real time"),
        Wording::Short => ("/", "x"),
    };
    let amount = |value: f64| match unit {
        Unit::Bytes => format!("{:.1}", value / 1e6),
        Unit::AudioSeconds => clock(value),
    };
    let suffix = if unit == Unit::Bytes { " MB" } else { "" };
    let mut line = match done.total {
        Some(total) => format!("{}{of}{}{suffix}", amount(done.position), amount(total)),
        None => format!("{}{suffix}", amount(done.position)),
    };
    let rate = done.new / elapsed.as_secs_f64();
    if rate.is_finite() && rate > 0.0 {
        match unit {
            Unit::Bytes => line += &format!(", {:.1} MB/s", rate / 1e6),
            Unit::AudioSeconds => line += &format!(", {rate:.1}{speed}"),
        }
        if let Some(left) = done
            .total
            .map(|total| (total - done.position) / rate)
            .filter(|&left| left > 0.0)
        {
            line += &format!(", {} left", clock(left));
        }
    }
    line
}

/// Seconds as `m:ss` or `h:mm:ss`.
pub fn clock(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(unit: Unit, position: f64, total: Option<f64>, seconds: u64) -> String {
        status(
            unit,
            Done {
                position,
                new: position,
                total,
            },
            Duration::from_secs(seconds),
            Wording::Full,
        )
    }

    #[test]
    fn a_fetch_shows_amount_rate_and_time_left() {
        assert_eq!(
            at(Unit::Bytes, 42.0e6, Some(142.0e6), 10),
            "42.0 of 142.0 MB, 4.2 MB/s, 0:24 left"
        );
        assert_eq!(at(Unit::Bytes, 42.0e6, None, 10), "42.0 MB, 4.2 MB/s");
    }

    #[test]
    fn a_resumed_fetch_takes_its_rate_from_the_new_bytes() {
        let done = Done {
            position: 90.0e6,
            new: 10.0e6,
            total: Some(100.0e6),
        };
        assert_eq!(
            status(Unit::Bytes, done, Duration::from_secs(10), Wording::Full),
            "90.0 of 100.0 MB, 1.0 MB/s, 0:10 left"
        );
    }

    #[test]
    fn a_transcription_shows_audio_time_and_speed() {
        assert_eq!(
            at(Unit::AudioSeconds, 65.0, Some(233.0), 10),
            "1:05 of 3:53, 6.5x real time, 0:26 left"
        );
        let done = Done {
            position: 65.0,
            new: 65.0,
            total: Some(233.0),
        };
        let elapsed = Duration::from_secs(10);
        assert_eq!(
            status(Unit::AudioSeconds, done, elapsed, Wording::Short),
            "1:05/3:53, 6.5x, 0:26 left"
        );
    }

    #[test]
    fn before_anything_is_done_there_is_no_rate() {
        assert_eq!(at(Unit::Bytes, 0.0, Some(1e6), 0), "0.0 of 1.0 MB");
        assert_eq!(at(Unit::AudioSeconds, 0.0, Some(0.0), 3), "0:00 of 0:00");
    }

    #[test]
    fn the_bar_stays_within_its_ends() {
        assert_eq!(fraction(5.0, 10.0), 0.5);
        assert_eq!(fraction(11.0, 10.0), 1.0);
        assert_eq!(fraction(-1.0, 10.0), 0.0);
        assert_eq!(fraction(0.0, 0.0), 0.0);
    }

    #[test]
    fn clocks_have_hours_when_they_need_them() {
        assert_eq!(clock(7.4), "0:07");
        assert_eq!(clock(3725.0), "1:02:05");
    }
}
