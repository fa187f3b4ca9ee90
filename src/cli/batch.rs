//! How far a run over many files is: by their sizes, since their lengths are not known before they are decoded.

use std::fs;
use std::time::{Duration, Instant};

use super::inputs::Input;

/// The files of a run.
#[derive(Debug)]
pub struct Batch {
    /// In bytes, of what is yet to be done; 0 for what needs no time.
    sizes: Vec<u64>,
    begun: Instant,
}

impl Batch {
    /// A run over these inputs, none of them done.
    pub fn new(inputs: &[Input]) -> Self {
        let size = |input: &Input| fs::metadata(&input.path).map_or(0, |metadata| metadata.len());
        Batch {
            sizes: inputs.iter().map(size).collect(),
            begun: Instant::now(),
        }
    }

    /// Counts an input as one that takes no time, since it is done already.
    pub fn skip(&mut self, index: usize) {
        self.sizes[index] = 0;
    }

    /// Time that all files will still take when so much of this one is done, from 0 to 1; none for a single file, and
    /// while nothing is done.
    pub fn time_left(&self, index: usize, fraction: f64) -> Option<Duration> {
        self.time_left_after(index, fraction, self.begun.elapsed())
    }

    fn time_left_after(&self, index: usize, fraction: f64, elapsed: Duration) -> Option<Duration> {
        if self.sizes.len() < 2 {
            return None;
        }
        let sum = |sizes: &[u64]| sizes.iter().sum::<u64>() as f64;
        let (before, from) = self.sizes.split_at_checked(index)?;
        let this = *from.first()? as f64 * fraction.clamp(0.0, 1.0);
        let done = sum(before) + this;
        let left = sum(from) - this;
        Duration::try_from_secs_f64(elapsed.as_secs_f64() * left / done).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_goes_by_size() {
        let mut batch = Batch {
            sizes: vec![100, 300, 400],
            begun: Instant::now(),
        };
        let left = |batch: &Batch, index, fraction| {
            let left = batch.time_left_after(index, fraction, Duration::from_secs(10));
            left.map(|left| left.as_secs())
        };
        assert_eq!(left(&batch, 0, 0.0), None);
        assert_eq!(left(&batch, 0, 1.0), Some(70));
        assert_eq!(left(&batch, 1, 0.5), Some(22));
        assert_eq!(left(&batch, 2, 1.0), Some(0));
        batch.skip(1);
        assert_eq!(left(&batch, 0, 1.0), Some(40));
        batch.sizes.truncate(1);
        assert_eq!(left(&batch, 0, 0.5), None);
    }
}
