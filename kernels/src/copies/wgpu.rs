//! Copies by wgpu, from wgpu-core's log.

use std::sync::{Mutex, OnceLock, PoisonError};

use log::{LevelFilter, Log, Metadata, Record};

use super::{Copies, Direction, Tally};

/// Listens to wgpu-core alone.
#[derive(Debug)]
struct Listener {
    writes: Tally,
    reads: Tally,
}

static LISTENER: Listener = Listener {
    writes: Tally::new(),
    reads: Tally::new(),
};

impl Log for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("wgpu_core")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let message = record.args().to_string();
        if message.starts_with("Queue::write_buffer")
            || message.starts_with("Queue::create_staging_buffer")
        {
            self.writes.add(0);
        } else if let Some(mapping) = message.strip_prefix("Buffer::map_async")
            && mapping.contains("Read")
        {
            self.reads.add(size(mapping).unwrap_or(0));
        }
    }

    fn flush(&self) {}
}

/// The number in `size Some(number)`.
fn size(mapping: &str) -> Option<u64> {
    let (_, rest) = mapping.split_once("size Some(")?;
    rest.split_once(')')?.0.parse().ok()
}

/// Counts a call's copies, one call at a time.
pub(super) fn count<T>(call: impl FnOnce() -> T) -> (T, Option<Copies>) {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _counting = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    if !INSTALLED.get_or_init(|| log::set_logger(&LISTENER).is_ok()) {
        return (call(), None);
    }
    LISTENER.writes.take();
    LISTENER.reads.take();
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
    fn the_size_of_a_mapping_is_read_from_its_message() {
        let message = " Id(1,2) offset 0 size Some(32) op: BufferMapOperation { host: Read }";
        assert_eq!(size(message), Some(32));
        assert_eq!(size(" Id(1,2) offset 0 size None"), None);
    }
}
