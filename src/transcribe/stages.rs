//! How long each stage of a transcription takes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use burn::tensor::Device;
use whisper_kernels::{HostWorks, note_host_work};

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

/// A part of a transcription that is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Stage {
    /// [`StageTimes::frontend`].
    Frontend,
    /// [`StageTimes::encoder`].
    Encoder,
    /// Making the keys and values of the encoder's output, in which the decoder looks: a part of [`StageTimes::decoder`].
    CrossKeysAndValues,
    /// The rest of [`StageTimes::decoder`].
    Decoder,
    /// [`StageTimes::words`].
    Words,
}

/// What a stage took, and the host's operations in it, of which there are none where another device computes.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct StageWork {
    /// The time of the stage.
    pub time: Duration,
    /// What its operations took.
    pub operations: HostWorks,
}

/// Times stages on a device, where that is wanted.
#[derive(Debug, Default)]
pub(super) struct StageClock {
    /// None where nothing is timed: then nothing waits for a device either.
    device: Option<Device>,
    pub(super) times: StageTimes,
    /// Where the operations are wanted as well.
    pub(super) work: Option<BTreeMap<Stage, StageWork>>,
}

impl StageClock {
    /// A clock that waits for the device after each stage.
    pub(super) fn on(device: &Device) -> Self {
        Self {
            device: Some(device.clone()),
            ..Self::default()
        }
    }

    /// The same, which notes the host's operations as well.
    pub(super) fn with_work(self) -> Self {
        Self {
            work: Some(BTreeMap::new()),
            ..self
        }
    }

    /// Does a part of a stage's work.
    ///
    /// # Errors
    ///
    /// Those of `work`, and [`Error::Device`] when the device fails.
    pub(super) fn time<T>(&mut self, stage: Stage, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let Some(device) = &self.device else {
            return work();
        };
        let begin = Instant::now();
        let work = || {
            let done = work()?;
            let synced = device.sync();
            synced.map_err(|error| {
                Error::Device(format!("work failed while it was timed: {error}"))
            })?;
            Ok(done)
        };
        let (done, operations) = match &self.work {
            Some(_) => note_host_work(work),
            None => (work(), HostWorks::new()),
        };
        let time = begin.elapsed();
        *self.times.of(stage) += time;
        if let Some(stages) = &mut self.work {
            stages.entry(stage).or_default().add(time, operations);
        }
        done
    }
}

impl StageTimes {
    fn of(&mut self, stage: Stage) -> &mut Duration {
        match stage {
            Stage::Frontend => &mut self.frontend,
            Stage::Encoder => &mut self.encoder,
            Stage::CrossKeysAndValues | Stage::Decoder => &mut self.decoder,
            Stage::Words => &mut self.words,
        }
    }
}

impl StageWork {
    fn add(&mut self, time: Duration, operations: HostWorks) {
        self.time += time;
        for (operation, work) in operations {
            let all = self.operations.entry(operation).or_default();
            all.calls += work.calls;
            all.seconds += work.seconds;
            all.amount += work.amount;
        }
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
        assert_eq!(stopped.time(Stage::Words, work).unwrap(), 7);
        assert_eq!(stopped.times, StageTimes::default());
        let mut running = StageClock::on(&crate::device::open("cpu").unwrap());
        running.time(Stage::Words, work).unwrap();
        running.time(Stage::Words, work).unwrap();
        assert!(running.times.words >= Duration::from_millis(4));
        assert_eq!(running.times.encoder, Duration::ZERO);
        assert_eq!(running.work, None);
        let mut running = running.with_work();
        running.time(Stage::CrossKeysAndValues, work).unwrap();
        let work = &running.work.unwrap()[&Stage::CrossKeysAndValues];
        assert_eq!(work.time, running.times.decoder);
    }
}
