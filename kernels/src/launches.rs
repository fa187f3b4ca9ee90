//! Counting the kernels that a device is asked to run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use cubecl::logging::{LaunchObservation, LaunchObserver};

/// Kernels that CubeCL's runtimes launched: how often each, by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launches {
    /// How often each kernel was launched.
    pub kernels: BTreeMap<&'static str, usize>,
}

impl Launches {
    /// All launches.
    pub fn total(&self) -> usize {
        self.kernels.values().sum()
    }
}

#[derive(Default)]
struct Counter(Mutex<Launches>);

impl LaunchObserver for Counter {
    fn launched(&self, kernel: &'static str) {
        let mut launches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *launches.kernels.entry(kernel).or_default() += 1;
    }
}

/// Counts the launches of the whole process while `call` runs, as the runtime reports them.
///
/// `call` should wait for its device before it returns: what fusion still holds back is not launched.
pub fn count_launches<T>(call: impl FnOnce() -> T) -> (T, Launches) {
    let counter = Arc::new(Counter::default());
    let observation = LaunchObservation::new(counter.clone());
    let result = call();
    drop(observation);
    let launches = counter
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    (result, launches)
}
