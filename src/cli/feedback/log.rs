//! Where the events of `tracing` go: to standard error, as plain lines or as JSON.

use std::fmt;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

/// Events of other targets are other libraries' business.
pub const TARGET: &str = "whisper_rs";

/// The least important events that are told.
static LEAST: AtomicU8 = AtomicU8::new(rank(Level::INFO));
static JSON: AtomicBool = AtomicBool::new(false);

/// Begins to tell what happens, as plain lines from information up.
pub fn start() {
    // It fails where a subscriber is there already, which then tells what happens.
    let _ = tracing::subscriber::set_global_default(Log);
}

/// Tells events from `least` up, as JSON or as plain lines, from now on.
pub fn configure(least: Level, json: bool) {
    LEAST.store(rank(least), Ordering::Relaxed);
    JSON.store(json, Ordering::Relaxed);
}

/// Whether events of this importance are told.
pub fn told(level: Level) -> bool {
    rank(level) <= LEAST.load(Ordering::Relaxed)
}

/// Whether lines are for people, who may be shown a progress bar as well.
pub fn is_plain() -> bool {
    !JSON.load(Ordering::Relaxed)
}

/// The more important, the lower.
const fn rank(level: Level) -> u8 {
    match level {
        Level::ERROR => 0,
        Level::WARN => 1,
        Level::INFO => 2,
        Level::DEBUG => 3,
        Level::TRACE => 4,
    }
}

/// Writes events as lines. Spans are not followed: an event says all that it is about.
struct Log;

impl Subscriber for Log {
    /// What is told may change while the program runs.
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match metadata.target() == TARGET {
            true => Interest::sometimes(),
            false => Interest::never(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == TARGET && told(*metadata.level())
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = *event.metadata().level();
        let line = match is_plain() {
            true => fields.plain(level),
            false => fields.json(level, SystemTime::now()),
        };
        // Nobody may be reading standard error, and that is no reason to fail (`eprintln!` would panic).
        let _ = writeln!(std::io::stderr(), "{line}");
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What an event says.
#[derive(Default)]
struct Fields {
    message: String,
    others: Map<String, Value>,
}

impl Fields {
    fn plain(&self, level: Level) -> String {
        let kind = match level {
            Level::ERROR => "error: ",
            Level::WARN => "warning: ",
            Level::INFO => "",
            _ => "debug: ",
        };
        // A path or a foreign library's text may hold line breaks: a message stays one line.
        let message = self.message.trim_end().replace(['\n', '\r'], " ");
        let others: String = (self.others.iter())
            .map(|(name, value)| format!(" {name}={value}"))
            .collect();
        format!("{kind}{message}{others}")
    }

    /// `{"time":1795348800.123,"level":"info","message":"..."}`, the time in seconds since 1970.
    fn json(self, level: Level, now: SystemTime) -> String {
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut line = Map::new();
        line.insert("time".into(), (seconds.as_millis() as f64 / 1000.0).into());
        line.insert("level".into(), level.as_str().to_lowercase().into());
        line.insert("message".into(), self.message.into());
        line.extend(self.others);
        Value::from(line).to_string()
    }

    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        self.others.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            _ => self.insert(field, format!("{value:?}")),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn fields() -> Fields {
        let mut fields = Fields {
            message: "two\nlines\n".to_owned(),
            ..Fields::default()
        };
        fields.others.insert("start".into(), 1.5.into());
        fields
    }

    #[test]
    fn plain_lines_say_how_important_they_are() {
        assert_eq!(fields().plain(Level::WARN), "warning: two lines start=1.5");
        assert_eq!(fields().plain(Level::INFO), "two lines start=1.5");
    }

    #[test]
    fn json_lines_have_time_level_and_fields() {
        let now = UNIX_EPOCH + Duration::from_millis(1_500);
        let line: Value = serde_json::from_str(&fields().json(Level::ERROR, now)).unwrap();
        assert_eq!(
            line,
            serde_json::json!({"time": 1.5, "level": "error", "message": "two\nlines\n", "start": 1.5})
        );
    }
}
