//! What the host's operations take, for benchmarks: how often each runs, how long, and how much it computes or reads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// What an operation spends its time with where it is as fast as the chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bound {
    /// Products and sums of `f32`, each counted as one.
    Floats,
    /// Products and sums of 16-bit integers, each counted as one.
    Integers,
    /// Reading weights, keys and values, in bytes.
    Memory,
}

/// An operation on matrices of one shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostOperation {
    /// Its name.
    pub name: &'static str,
    /// Inputs and outputs of its weight, or keys and the width of a head.
    pub shape: [usize; 2],
    /// What bounds it.
    pub bound: Bound,
}

/// What the calls of one operation took together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HostWork {
    /// How often it ran.
    pub calls: usize,
    /// How long.
    pub seconds: f64,
    /// How much of what it is bound by.
    pub amount: f64,
}

/// All operations of the process while a call ran.
pub type HostWorks = BTreeMap<HostOperation, HostWork>;

static WANTED: AtomicBool = AtomicBool::new(false);
static WORKS: Mutex<HostWorks> = Mutex::new(BTreeMap::new());

/// Notes the host's operations of the whole process while `call` runs. One such call at a time sees all of them.
pub fn note_host_work<T>(call: impl FnOnce() -> T) -> (T, HostWorks) {
    let works = || WORKS.lock().unwrap_or_else(PoisonError::into_inner);
    works().clear();
    WANTED.store(true, Ordering::Relaxed);
    let result = call();
    WANTED.store(false, Ordering::Relaxed);
    (result, std::mem::take(&mut works()))
}

/// Runs an operation, of which `what` says what it is and how much of what it is bound by.
#[cfg_attr(not(feature = "flex"), allow(dead_code))]
pub(crate) fn noted<T>(
    what: impl FnOnce() -> (HostOperation, f64),
    operation: impl FnOnce() -> T,
) -> T {
    if !WANTED.load(Ordering::Relaxed) {
        return operation();
    }
    let begin = Instant::now();
    let result = operation();
    let seconds = begin.elapsed().as_secs_f64();
    let (operation, amount) = what();
    let mut works = WORKS.lock().unwrap_or_else(PoisonError::into_inner);
    let work = works.entry(operation).or_default();
    work.calls += 1;
    work.seconds += seconds;
    work.amount += amount;
    result
}
