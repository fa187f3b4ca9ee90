//! A line for who waits for a GPU.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use burn::tensor::Device;
use whisper_rs::Event;
use whisper_rs::device::{self, is_gpu};

use super::messages;

/// A start that takes no longer needs no explanation.
const SHORT: Duration = Duration::from_secs(2);

/// Until it is dropped, the user may be waiting for a GPU: after [`SHORT`], a line says so.
#[must_use = "what is dropped at once tells nothing"]
pub struct Waiting {
    _done: Option<Sender<()>>,
}

impl Waiting {
    /// For the choice of a device by its name.
    pub fn for_choice(name: &str) -> Self {
        let on_the_host = ["cpu", "ndarray"].contains(&name);
        Self::telling(COMPILING, device::has_gpu_backend() && !on_the_host)
    }

    /// For the first work of a device: only GPUs compile anything.
    pub fn for_first_work(device: &Device) -> Self {
        Self::telling(COMPILING, is_gpu(device))
    }

    /// For a model on its way to a device: it lies in the host's memory already where that computes.
    pub fn for_model(device: &Device) -> Self {
        Self::telling("loading the model to the GPU", is_gpu(device))
    }

    fn telling(line: &'static str, may_take_long: bool) -> Self {
        Self {
            _done: may_take_long.then(|| say_after(SHORT, move || messages::note(line))),
        }
    }

    /// What hears a transcription's events: the waiting ends with its first window, whether or not that has any text.
    pub fn until_first_window(self) -> impl FnMut(&Event) {
        let mut waiting = Some(self);
        move |event| {
            if matches!(event, Event::WindowDone { .. }) {
                drop(waiting.take());
            }
        }
    }
}

/// What GPUs do in a first run on a machine, and by the feature `wgpu` alone in each.
const COMPILING: &str =
    "waiting for the GPU, which compiles the kernels that it has not kept from an earlier run";

/// Calls `say` after `time`, unless what is returned was dropped before.
fn say_after(time: Duration, say: impl FnOnce() + Send + 'static) -> Sender<()> {
    let (done, waits) = channel();
    thread::spawn(move || {
        if waits.recv_timeout(time) == Err(RecvTimeoutError::Timeout) {
            say();
        }
    });
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_wait_is_told_and_a_short_one_is_not() {
        let (tell, told) = channel();
        let long = say_after(Duration::from_millis(10), {
            let tell = tell.clone();
            move || tell.send("long").unwrap()
        });
        assert_eq!(told.recv_timeout(Duration::from_secs(60)), Ok("long"));
        drop(long);
        drop(say_after(Duration::from_secs(3600), move || {
            tell.send("short").unwrap()
        }));
        // Both have dropped what they tell by, so it ends at once.
        assert!(told.recv_timeout(Duration::from_secs(60)).is_err());
    }

    #[test]
    fn a_cpu_is_not_waited_for() {
        let cpu = Device::flex();
        for waiting in [
            Waiting::for_choice("cpu"),
            Waiting::for_first_work(&cpu),
            Waiting::for_model(&cpu),
        ] {
            assert!(waiting._done.is_none());
        }
    }
}
