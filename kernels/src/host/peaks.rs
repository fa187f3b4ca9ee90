//! What the chip can do at most, measured by loops that do nothing else.

use std::hint::black_box;
use std::time::Instant;

use rayon::prelude::*;
use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, SimdOp};

use super::quantised::peak::products_of_pairs;

/// The most that this machine does in a second, with as many threads as there are in the pool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HostPeaks {
    /// Products and sums of `f32`, each counted as one.
    pub floats: f64,
    /// Products and sums of 16-bit integers, each counted as one.
    pub integers: f64,
    /// Bytes that are read from memory.
    pub memory: f64,
}

/// How often each is measured: the best is the peak.
const TIMES: usize = 7;

/// Steps of a loop, some milliseconds.
const STEPS: usize = 1 << 20;

impl HostPeaks {
    /// Measures them, which takes some tenths of a second and 128 MB of memory.
    pub fn measure() -> Self {
        let numbers = vec![1_u64; 16 << 20];
        let read = || {
            let sums = numbers.par_chunks(1 << 17);
            black_box(sums.map(|sum| sum.iter().fold(0, |a, b| a ^ b)).max());
            (numbers.len() * size_of::<u64>()) as f64
        };
        Self {
            floats: best(|| on_all_threads(|| MultiplyAdd.dispatch())),
            integers: best(|| on_all_threads(|| products_of_pairs(STEPS))),
            memory: best(read),
        }
    }
}

/// How much is done in a second at best.
fn best(work: impl Fn() -> f64) -> f64 {
    let speeds = (0..TIMES).map(|_| {
        let begin = Instant::now();
        let amount = work();
        amount / begin.elapsed().as_secs_f64().max(1e-9)
    });
    speeds.fold(0.0, f64::max)
}

fn on_all_threads(work: impl Fn() -> f64 + Sync) -> f64 {
    rayon::broadcast(|_| work()).into_iter().sum()
}

/// Products added to sums in registers: enough of them that none waits for the one before. Gives how many products and sums that was.
struct MultiplyAdd;

impl SimdOp for MultiplyAdd {
    type Output = f64;

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) -> f64 {
        const SUMS: usize = 12;
        let ops = isa.f32();
        let (a, b) = (ops.splat(black_box(1.5)), ops.splat(black_box(1e-9)));
        let mut sums = [ops.zero(); SUMS];
        for _ in 0..STEPS {
            for sum in &mut sums {
                *sum = ops.mul_add(a, b, *sum);
            }
        }
        black_box(sums.into_iter().fold(0.0, |all, sum| all + ops.sum(sum)));
        (2 * STEPS * SUMS * ops.len()) as f64
    }
}
