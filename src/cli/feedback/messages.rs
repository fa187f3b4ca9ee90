//! Lines for the user on standard error. Standard output belongs to the transcript alone.

use std::fmt::Display;

use super::log::TARGET;

/// Says what is going on.
pub fn note(message: impl Display) {
    tracing::info!(target: TARGET, "{message}");
}

/// Says that something is not as the user may think; the run goes on.
pub fn warning(message: impl Display) {
    tracing::warn!(target: TARGET, "{message}");
}

/// Says what went wrong.
pub fn error(message: impl Display) {
    tracing::error!(target: TARGET, "{message}");
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
