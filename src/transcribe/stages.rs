//! How long each stage of a transcription takes.

use std::time::{Duration, Instant};

use burn::tensor::Device;

use crate::{Error, Result};

/// Time that the stages of a transcription took, with the device's work that they asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StageTimes {
    /// Samples to log-Mel features.
    pub frontend: Duration,
    /// The encoder, for detecting the language as well.
    pub encoder: Duration,
    /// Detecting the language, the prompt and all tokens, at every temperature that was tried.
    pub decoder: Duration,
    /// Word timestamps, where they were asked for.
    pub words: Duration,
    /// Windows decoded.
    pub windows: usize,
    /// Tokens decoded, those of attempts that were done again at another temperature among them; of several beams or
    /// candidates one is counted.
    pub tokens: usize,
}

/// Times stages on a device, where that is wanted.
#[derive(Debug, Default)]
pub(super) struct StageClock {
    /// None where nothing is timed: then nothing waits for a device either.
    device: Option<Device>,
    pub(super) times: StageTimes,
}

impl StageClock {
    /// A clock that waits for the device after each stage.
    pub(super) fn on(device: &Device) -> Self {
        Self {
            device: Some(device.clone()),
            times: StageTimes::default(),
        }
    }

    /// Does a part of a stage's work.
    ///
    /// # Errors
    ///
    /// Those of `work`, and [`Error::Device`] when the device fails.
    pub(super) fn time<T>(
        &mut self,
        stage: fn(&mut StageTimes) -> &mut Duration,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let Some(device) = &self.device else {
            return work();
        };
        let begin = Instant::now();
        let done = work()?;
        let synced = device.sync();
        synced
            .map_err(|error| Error::Device(format!("work failed while it was timed: {error}")))?;
        *stage(&mut self.times) += begin.elapsed();
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clock_that_runs_counts() {
        let work = || {
            std::thread::sleep(Duration::from_millis(2));
            Ok(7)
        };
        let mut stopped = StageClock::default();
        assert_eq!(stopped.time(|times| &mut times.words, work).unwrap(), 7);
        assert_eq!(stopped.times, StageTimes::default());
        let mut running = StageClock::on(&crate::device::open("cpu").unwrap());
        running.time(|times| &mut times.words, work).unwrap();
        running.time(|times| &mut times.words, work).unwrap();
        assert!(running.times.words >= Duration::from_millis(4));
        assert_eq!(running.times.encoder, Duration::ZERO);
    }
}
