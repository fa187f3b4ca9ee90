//! A timer that waits for the device.

use std::hint::black_box;
use std::time::{Duration, Instant};

use burn::tensor::Device;

use super::Series;
use crate::{Error, Result};

/// Times repeated calls, with the device's work that they ask for.
///
/// A device that works beside the host is waited for before the clock starts and before it stops, so that its work counts
/// in full and what was asked of it earlier does not. Calls before the measured ones warm up caches, pools of memory and
/// compiled kernels.
#[derive(Clone, Debug)]
pub struct Timer {
    device: Option<Device>,
    warm_up: usize,
    repetitions: usize,
    at_least: Duration,
}

/// Times of two calls that took turns.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PairedTimes {
    /// Seconds of the first call.
    pub first: Series,
    /// Seconds of the second call.
    pub second: Series,
    /// The first over the second, pair by pair: below 1 the first is faster.
    pub ratio: Series,
}

impl Timer {
    /// Most measured calls when time is to be filled ([`at_least`](Self::at_least)).
    pub const MAX_REPETITIONS: usize = 100_000;

    /// A timer for work on `device`: one call to warm up, ten measured ones.
    pub fn on(device: &Device) -> Self {
        Self {
            device: Some(device.clone()),
            ..Self::on_host()
        }
    }

    /// A timer for work on the host alone.
    pub fn on_host() -> Self {
        Self {
            device: None,
            warm_up: 1,
            repetitions: 10,
            at_least: Duration::ZERO,
        }
    }

    /// Calls before the measured ones.
    #[must_use]
    pub fn warm_up(self, calls: usize) -> Self {
        Self {
            warm_up: calls,
            ..self
        }
    }

    /// Measured calls; at least one is made.
    #[must_use]
    pub fn repetitions(self, calls: usize) -> Self {
        Self {
            repetitions: calls.max(1),
            ..self
        }
    }

    /// Measures on beyond the repetitions until the measured calls have taken this long together.
    #[must_use]
    pub fn at_least(self, duration: Duration) -> Self {
        Self {
            at_least: duration,
            ..self
        }
    }

    /// Seconds of each measured call. What `call` returns is dropped after the clock has stopped.
    ///
    /// # Errors
    ///
    /// [`Error::Device`] when the device fails.
    pub fn time<T>(&self, mut call: impl FnMut() -> T) -> Result<Series> {
        for _ in 0..self.warm_up {
            self.once(&mut call)?;
        }
        let mut seconds = Vec::new();
        while self.wants_more(&seconds) {
            seconds.push(self.once(&mut call)?);
        }
        series(seconds)
    }

    /// Seconds of two calls that take turns, so that what else the machine does falls on both. The second goes first in
    /// every other pair.
    ///
    /// # Errors
    ///
    /// As [`time`](Self::time).
    pub fn time_paired<T, U>(
        &self,
        mut first: impl FnMut() -> T,
        mut second: impl FnMut() -> U,
    ) -> Result<PairedTimes> {
        for _ in 0..self.warm_up {
            self.once(&mut first)?;
            self.once(&mut second)?;
        }
        let (mut firsts, mut seconds) = (Vec::new(), Vec::new());
        while self.wants_more(&firsts) || self.wants_more(&seconds) {
            if firsts.len() % 2 == 0 {
                firsts.push(self.once(&mut first)?);
                seconds.push(self.once(&mut second)?);
            } else {
                seconds.push(self.once(&mut second)?);
                firsts.push(self.once(&mut first)?);
            }
        }
        let ratios = firsts
            .iter()
            .zip(&seconds)
            .map(|(first, second)| first / second);
        Ok(PairedTimes {
            ratio: series(ratios.collect())?,
            first: series(firsts)?,
            second: series(seconds)?,
        })
    }

    fn wants_more(&self, seconds: &[f64]) -> bool {
        seconds.len() < self.repetitions
            || (seconds.len() < Self::MAX_REPETITIONS
                && seconds.iter().sum::<f64>() < self.at_least.as_secs_f64())
    }

    /// Seconds of one call, of a nanosecond at least: what is faster the clock does not show.
    fn once<T>(&self, call: &mut impl FnMut() -> T) -> Result<f64> {
        self.wait()?;
        let start = Instant::now();
        let result = black_box(call());
        self.wait()?;
        let seconds = start.elapsed().as_secs_f64();
        drop(result);
        Ok(seconds.max(1e-9))
    }

    fn wait(&self) -> Result<()> {
        let Some(device) = &self.device else {
            return Ok(());
        };
        device
            .sync()
            .map_err(|error| Error::Device(format!("work failed while it was timed: {error}")))
    }
}

fn series(seconds: Vec<f64>) -> Result<Series> {
    Series::new(seconds).ok_or_else(|| Error::Device("nothing was timed".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warm_ups_are_not_measured() {
        let mut calls = 0;
        let timer = Timer::on_host().warm_up(3).repetitions(4);
        let seconds = timer
            .time(|| {
                calls += 1;
                if calls <= 3 {
                    std::thread::sleep(Duration::from_millis(40));
                }
            })
            .unwrap();
        assert_eq!((calls, seconds.len()), (7, 4));
        assert!(seconds.min() < 0.04, "{seconds:?}");
    }

    #[test]
    fn time_is_filled() {
        let timer = Timer::on_host()
            .repetitions(1)
            .at_least(Duration::from_millis(20));
        let seconds = timer
            .time(|| std::thread::sleep(Duration::from_millis(4)))
            .unwrap();
        let (last, before) = seconds.values().split_last().unwrap();
        let before = before.iter().sum::<f64>();
        assert!(before < 0.02 && before + last >= 0.02, "{seconds:?}");
        assert!(seconds.min() >= 0.004, "{seconds:?}");
    }

    #[test]
    fn pairs_take_turns() {
        let order = std::cell::RefCell::new(String::new());
        let timer = Timer::on_host().warm_up(0).repetitions(4);
        let times = timer
            .time_paired(
                || {
                    order.borrow_mut().push('a');
                    std::thread::sleep(Duration::from_millis(8));
                },
                || order.borrow_mut().push('b'),
            )
            .unwrap();
        assert_eq!(order.into_inner(), "abbaabba");
        assert!(times.ratio.median() > 1.0, "{times:?}");
        assert_eq!(times.first.len(), times.second.len());
    }

    #[test]
    fn the_device_is_waited_for() {
        use burn::tensor::Tensor;

        let device = crate::device::open("cpu").unwrap();
        let ones = Tensor::<2>::ones([64, 64], &device);
        let timer = Timer::on(&device).warm_up(0).repetitions(0);
        let seconds = timer.time(|| ones.clone().matmul(ones.clone())).unwrap();
        assert_eq!(seconds.len(), 1);
        assert!(seconds.min() > 0.0);
    }
}
