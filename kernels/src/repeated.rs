//! Work that is done over and over in the same memory.

use std::thread::{self, ThreadId};

use burn::backend::{Backend, BackendTypes, Dispatch};
use burn::tensor::Device;

use crate::{Error, Result, recordings};

/// Runs before a recording: with them kernels are compiled and the memory that the work takes between is at hand.
const WARM_UP: usize = 2;

/// Work that is done over and over in the same memory, such as a step of decoding. A device that can (CUDA, by its graphs) records
/// its launches once where [`allow_recordings`](crate::allow_recordings) has been called, and repeats them all by one launch; elsewhere the work is done again each time.
///
/// What the work reads and writes has to stay in the same memory from run to run: what it carries over is written in
/// place, and nothing in it depends on a number of the host's that changes.
///
/// The order of work is that of a thread: on another thread than the last the work is recorded anew.
pub struct Repeated<T, W> {
    device: Device,
    work: W,
    output: Option<T>,
    stage: Stage,
    thread: ThreadId,
}

enum Stage {
    /// So many runs are made before anything is prepared.
    Idle(usize),
    /// So many runs have been made since; from the first on the device is told to keep memory for a recording.
    WarmingUp(usize),
    Recorded(<Dispatch as BackendTypes>::GraphPrimitive),
    /// The device does not record.
    Plain,
}

impl<T, W: FnMut() -> T> Repeated<T, W> {
    /// Work that has not been done yet.
    pub fn new(device: &Device, work: W) -> Self {
        Self {
            device: device.clone(),
            work,
            output: None,
            stage: Stage::WarmingUp(0),
            thread: thread::current().id(),
        }
    }

    /// Work that is recorded after so many runs more than needed: a thread prepares one recording at a time, and work that is
    /// seldom done would keep others from theirs.
    #[must_use]
    pub fn not_before(mut self, runs: usize) -> Self {
        self.stage = Stage::Idle(runs);
        self
    }

    /// Does the work once, and gives what it made: in the same memory each time where it is recorded.
    ///
    /// # Errors
    ///
    /// [`Error::Recording`] when the device gives up a recording that it began, or cannot repeat it. CubeCL then takes all memory that the
    /// recording writes for lost, what the work carries over from run to run among it: whoever begins again in new
    /// memory can go on, since nothing is recorded in this process from then on.
    pub fn run(&mut self) -> Result<&T> {
        let run = self.run_or_record();
        if run.is_err() {
            recordings::allow_recordings(false);
            self.stage = Stage::Plain;
        }
        run?;
        Ok(self.output.as_ref().expect("the work has been done"))
    }

    fn run_or_record(&mut self) -> Result<()> {
        if self.thread != thread::current().id() {
            self.forget();
        }
        let device = self.device.as_dispatch();
        match &mut self.stage {
            Stage::Recorded(graph) => {
                // SAFETY: the device keeps the memory of a recording as long as the recording; this thread's work is in order.
                unsafe { Dispatch::graph_replay(device, graph) }.map_err(refused)?;
            }
            Stage::Idle(runs) => {
                self.stage = match *runs {
                    0 | 1 => Stage::WarmingUp(0),
                    runs => Stage::Idle(runs - 1),
                };
                self.output = Some((self.work)());
            }
            Stage::WarmingUp(runs) if *runs < WARM_UP => {
                let allowed = recordings::allowed();
                if *runs == 0 && (!allowed || Dispatch::graph_prepare(device).is_err()) {
                    self.stage = Stage::Plain;
                } else {
                    *runs += 1;
                }
                self.output = Some((self.work)());
            }
            Stage::WarmingUp(_) if Dispatch::graph_start_capture(device).is_ok() => {
                self.output = Some((self.work)());
                let graph = Dispatch::graph_stop_capture(device).map_err(refused)?;
                // SAFETY: as above. What is recorded has not been done yet.
                unsafe { Dispatch::graph_replay(device, &graph) }.map_err(refused)?;
                self.stage = Stage::Recorded(graph);
            }
            Stage::WarmingUp(_) | Stage::Plain => {
                self.stage = Stage::Plain;
                self.output = Some((self.work)());
            }
        }
        Ok(())
    }

    /// Whether the device repeats a recording.
    pub fn is_recorded(&self) -> bool {
        matches!(self.stage, Stage::Recorded(_))
    }
}

impl<T, W> Repeated<T, W> {
    /// Begins again, on this thread.
    fn forget(&mut self) {
        self.unprepare();
        self.stage = Stage::WarmingUp(0);
        self.thread = thread::current().id();
    }

    fn unprepare(&mut self) {
        if matches!(self.stage, Stage::WarmingUp(1..)) {
            // Ends what has been prepared; that there is nothing to stop is known.
            let _ = Dispatch::graph_stop_capture(self.device.as_dispatch());
        }
    }
}

impl<T, W> Drop for Repeated<T, W> {
    fn drop(&mut self) {
        self.unprepare();
    }
}

fn refused(error: impl std::fmt::Debug) -> Error {
    Error::Recording {
        reason: format!("{error:?}"),
    }
}
