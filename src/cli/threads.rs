//! How many threads the CPU work uses.

use std::num::NonZero;
use std::thread::available_parallelism;

/// Sizes the thread pool that all host work shares. To be called once, before any of that work; `threads` 0 means
/// one for each physical core, unless the environment has set the pool's size (`RAYON_NUM_THREADS`).
pub fn configure(threads: usize) -> Result<(), String> {
    if threads == 0 && std::env::var_os("RAYON_NUM_THREADS").is_some() {
        return Ok(());
    }
    let threads = if threads == 0 {
        physical_cores()
    } else {
        threads
    };
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .map_err(|error| {
            format!("cannot start {threads} threads: {error}; give a smaller --threads")
        })
}

/// Physical cores, or fewer when this process may not use them all (a container's quota, an affinity mask).
/// Matrix products gain nothing from the second hardware thread of a core.
fn physical_cores() -> usize {
    let allowed = available_parallelism().map_or(1, NonZero::get);
    num_cpus::get_physical().clamp(1, allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_core_to_work_on_and_no_more_than_allowed() {
        let cores = physical_cores();
        assert!(cores >= 1 && cores <= available_parallelism().map_or(1, NonZero::get));
    }
}
