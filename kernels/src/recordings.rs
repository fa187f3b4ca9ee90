//! Whether devices may record work.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether recordings may be made.
static ALLOWED: AtomicBool = AtomicBool::new(false);

/// Allows recordings of [`Repeated`](crate::Repeated) work in this process, or forbids them, as it is unless this is called.
///
/// A device that gives one up ends them as well: it would give up the next one, too.
///
/// CUDA makes a recording for the whole process: as long as one is made, no other thread may wait for a CUDA device, or both
/// the recording and the other's work fail. So it is for a program that uses its GPUs from one thread, as the command line does.
pub fn allow_recordings(allowed: bool) {
    ALLOWED.store(allowed, Ordering::Relaxed);
}

pub(crate) fn allowed() -> bool {
    ALLOWED.load(Ordering::Relaxed)
}
