//! How many threads the CPU work uses.

use std::num::NonZero;
use std::thread::available_parallelism;

use rayon::ThreadPoolBuilder;

use crate::{Error, Result};

/// Threads for each logical core beyond which they only stand in each other's way: hundreds on a few cores spend
/// their time waiting for one another, so that a run seems to hang.
const MOST_PER_CORE: usize = 4;

/// Sizes the thread pool that all work of this process on the CPU shares, and gives its size. To be called before any of that
/// work; called again for the same size, it does nothing.
///
/// `threads` 0 means one for each physical core, unless the environment has set the pool's size (`RAYON_NUM_THREADS`). More
/// than four for each logical core are cut down to that.
///
/// # Errors
///
/// [`Error::Option`] when the pool has another size already, or the system gives no such number of threads.
pub fn configure(threads: usize) -> Result<usize> {
    build(threads, ThreadPoolBuilder::new())
}

/// The same, with the calling thread as one of the pool's, for a program that transcribes on that thread alone: it need not
/// wake another one for each operation and wait for it. No other thread may transcribe then: with a pool of one, it would wait
/// for ever.
///
/// # Errors
///
/// As [`configure`].
pub fn configure_with_this_thread(threads: usize) -> Result<usize> {
    build(threads, ThreadPoolBuilder::new().use_current_thread())
}

fn build(threads: usize, builder: ThreadPoolBuilder) -> Result<usize> {
    if threads == 0 && std::env::var_os("RAYON_NUM_THREADS").is_some() {
        return Ok(rayon::current_num_threads());
    }
    let threads = match threads {
        0 => physical_cores(),
        asked => sensible(asked, logical_cores()),
    };
    match builder.num_threads(threads).build_global() {
        Ok(()) => Ok(threads),
        Err(_) if rayon::current_num_threads() == threads => Ok(threads),
        Err(error) => Err(Error::Option(format!(
            "cannot start {threads} threads: {error}; give a smaller number, or set it before all other work"
        ))),
    }
}

/// As many threads as were asked for, or as many as so many cores can bear.
fn sensible(threads: usize, cores: usize) -> usize {
    threads.min(cores * MOST_PER_CORE)
}

/// Physical cores, or fewer when this process may not use them all (a container's quota, an affinity mask).
/// Matrix products gain nothing from the second hardware thread of a core.
pub fn physical_cores() -> usize {
    num_cpus::get_physical().clamp(1, logical_cores())
}

/// Logical cores that this process may use.
fn logical_cores() -> usize {
    available_parallelism().map_or(1, NonZero::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_core_to_work_on_and_no_more_than_allowed() {
        let cores = physical_cores();
        assert!(cores >= 1 && cores <= logical_cores());
    }

    #[test]
    fn far_more_threads_than_cores_are_cut_down() {
        assert_eq!(sensible(1, 2), 1);
        assert_eq!(sensible(8, 2), 8);
        assert_eq!(sensible(1024, 2), 8);
    }

    #[test]
    fn a_pool_keeps_its_size() {
        let size = rayon::current_num_threads();
        assert_eq!(configure(size).unwrap(), size);
        let message = configure(size + 1).unwrap_err().to_string();
        assert!(message.contains("before all other work"), "{message}");
    }
}
