//! The memory that reading takes, counted by the allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::support::hostile;

/// What reading takes beside the file: messages, folders, tables of known names, and the published vocabulary.
pub const FIXED: usize = 4 << 20;
/// What it may take for each byte of the file.
const PER_BYTE: usize = 64;

/// Counts the bytes that are allocated, and the most that they were.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
/// One test at a time counts.
static COUNTING: Mutex<()> = Mutex::new(());

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// The most memory that was allocated beyond what there was before, in bytes.
pub fn peak_of(action: impl FnOnce()) -> usize {
    let _guard = COUNTING
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let before = NOW.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    action();
    PEAK.load(Ordering::Relaxed).saturating_sub(before)
}

#[track_caller]
pub fn assert_small(peak: usize, file: usize, what: &str) {
    let most = FIXED + PER_BYTE * file;
    assert!(peak <= most, "{what}: {peak} bytes for a file of {file}");
}

/// Reads a file of these bytes, and looks at the memory that it takes.
pub fn open(name: &str, bytes: &[u8]) -> bool {
    let mut opened = false;
    let peak = peak_of(|| opened = hostile::open(name, bytes));
    assert_small(peak, bytes.len(), name);
    opened
}
