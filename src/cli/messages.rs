//! Lines for the user on standard error. Standard output belongs to the transcript alone.

use std::fmt::Display;
use std::io::Write;
use std::sync::atomic::{AtomicU8, Ordering};

/// How important a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What is going on
    Note,
    /// What is not as the user may think
    Warning,
    /// What went wrong
    Error,
}

/// The least important messages that are told.
static LEAST: AtomicU8 = AtomicU8::new(Level::Note as u8);

/// Tells no messages less important than these from now on.
pub fn tell_from(level: Level) {
    LEAST.store(level as u8, Ordering::Relaxed);
}

/// Whether messages of this importance are told.
pub fn told(level: Level) -> bool {
    level as u8 >= LEAST.load(Ordering::Relaxed)
}

/// Says what is going on.
pub fn note(message: impl Display) {
    line(Level::Note, message.to_string());
}

/// Says that something is not as the user may think; the run goes on.
pub fn warning(message: impl Display) {
    line(Level::Warning, format!("warning: {message}"));
}

/// Says what went wrong.
pub fn error(message: impl Display) {
    line(Level::Error, format!("error: {message}"));
}

/// Makes an internal error one line as well, instead of a backtrace; the exit code stays that of a panic, 101.
pub fn one_line_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let what = panic.payload_as_str().unwrap_or("unknown");
        let place = panic
            .location()
            .map(|at| format!(" at {at}"))
            .unwrap_or_default();
        error(format!("internal error{place}: {what}; please report this"));
    }));
}

fn line(level: Level, message: String) {
    if !told(level) {
        return;
    }
    // A path or a foreign library's text may hold line breaks: a message stays one line. Nobody may be reading
    // standard error, and that is no reason to fail (`eprintln!` would panic).
    let message = message.trim_end().replace(['\n', '\r'], " ");
    let _ = writeln!(std::io::stderr(), "{message}");
}
