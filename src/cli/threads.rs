//! How many threads the CPU work uses.

use std::num::NonZero;
use std::thread::available_parallelism;

use super::messages;

/// Threads for each logical core beyond which they only stand in each other's way: hundreds on a few cores spend
/// their time waiting for one another, so that a run seems to hang.
const MOST_PER_CORE: usize = 4;

/// Sizes the thread pool that all host work shares. To be called once, before any of that work; `threads` 0 means
/// one for each physical core, unless the environment has set the pool's size (`RAYON_NUM_THREADS`). Far more than
/// there are cores are cut down, with a warning.
pub fn configure(threads: usize) -> Result<(), String> {
    if threads == 0 && std::env::var_os("RAYON_NUM_THREADS").is_some() {
        return Ok(());
    }
    let threads = if threads == 0 {
        physical_cores()
    } else {
        let sensible = sensible(threads, logical_cores());
        if sensible < threads {
            messages::warning(format!(
                "--threads {threads} is more than {MOST_PER_CORE} for each core: using {sensible}"
            ));
        }
        sensible
    };
    // The calling thread, which transcribes, is one of them: it need not wake another one for each operation and wait for it.
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .use_current_thread()
        .build_global()
        .map_err(|error| {
            format!("cannot start {threads} threads: {error}; give a smaller --threads")
        })
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
}
