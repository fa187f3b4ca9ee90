//! Copies by wgpu, from wgpu-core's log.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use log::{LevelFilter, Log, Metadata, Record};

use super::{Copies, Direction, Tally};

/// Listens to wgpu-core alone.
#[derive(Debug)]
struct Listener {
    writes: Tally,
    reads: Tally,
    /// Bytes that were last copied to a buffer, by its id: when it is mapped, they are what is read.
    copied: Mutex<BTreeMap<String, u64>>,
}

static LISTENER: Listener = Listener {
    writes: Tally::new(),
    reads: Tally::new(),
    copied: Mutex::new(BTreeMap::new()),
};

impl Log for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("wgpu_core")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        match Message::of(&record.args().to_string()) {
            Message::Write => self.writes.add(0),
            Message::Copy { to, bytes } => {
                self.copied().insert(to, bytes);
            }
            Message::Map { buffer } => {
                let bytes = self.copied().remove(&buffer).unwrap_or(0);
                self.reads.add(bytes);
            }
            Message::Other => {}
        }
    }

    fn flush(&self) {}
}

impl Listener {
    fn copied(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.copied.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a line of the log tells.
#[derive(Debug, PartialEq)]
enum Message {
    /// Something is written to a buffer.
    Write,
    /// A buffer's contents are copied to another.
    Copy {
        to: String,
        bytes: u64,
    },
    /// A buffer is mapped to be read.
    Map {
        buffer: String,
    },
    Other,
}

impl Message {
    fn of(line: &str) -> Self {
        if line.starts_with("Queue::write_buffer")
            || line.starts_with("Queue::create_staging_buffer")
        {
            return Message::Write;
        }
        if let Some(copy) = line.strip_prefix("CommandEncoder::copy_buffer_to_buffer ")
            && let Some((_, destination)) = copy.split_once(" -> ")
            && let Some((to, size)) = destination.rsplit_once(' ')
        {
            let digits: String = size.chars().filter(char::is_ascii_digit).collect();
            let bytes = digits.parse().unwrap_or(0);
            let to = to.to_owned();
            return Message::Copy { to, bytes };
        }
        if let Some(mapping) = line.strip_prefix("Buffer::map_async ")
            && mapping.contains("Read")
            && let Some((buffer, _)) = mapping.split_once(" offset ")
        {
            let buffer = buffer.to_owned();
            return Message::Map { buffer };
        }
        Message::Other
    }
}

/// Counts a call's copies, while no other call's are counted.
pub(super) fn count<T>(call: impl FnOnce() -> T) -> (T, Option<Copies>) {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    if !INSTALLED.get_or_init(|| log::set_logger(&LISTENER).is_ok()) {
        return (call(), None);
    }
    LISTENER.writes.take();
    LISTENER.reads.take();
    LISTENER.copied().clear();
    log::set_max_level(LevelFilter::Trace);
    let result = call();
    log::set_max_level(LevelFilter::Off);
    let copies = Copies {
        to_device: Direction {
            bytes: None,
            ..LISTENER.writes.take()
        },
        to_host: LISTENER.reads.take(),
    };
    (result, Some(copies))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_log_are_understood() {
        let copy = "CommandEncoder::copy_buffer_to_buffer Id(3,1) -> Id(7,2) Some(32)bytes";
        let to = "Id(7,2)".to_owned();
        assert_eq!(Message::of(copy), Message::Copy { to, bytes: 32 });
        let map = "Buffer::map_async Id(7,2) offset 0 size Some(16224) op: BufferMapOperation { host: Read }";
        let buffer = "Id(7,2)".to_owned();
        assert_eq!(Message::of(map), Message::Map { buffer });
        assert_eq!(Message::of("Queue::write_buffer"), Message::Write);
        assert_eq!(Message::of("Queue::submit"), Message::Other);
    }
}
