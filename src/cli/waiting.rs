//! A line for who waits for a GPU's kernels.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use super::messages;

/// A start that takes no longer needs no explanation.
const SHORT: Duration = Duration::from_secs(2);

/// Until it is dropped, the device may be compiling: after [`SHORT`], a line says so.
pub struct Waiting {
    _done: Option<Sender<()>>,
}

impl Waiting {
    /// For the first work of a device, or the choice of one: only GPUs compile anything.
    pub fn for_a_gpu(there_may_be_one: bool) -> Self {
        let line = "waiting for the GPU, which compiles kernels in the first run on a machine";
        Self {
            _done: there_may_be_one.then(|| say_after(SHORT, move || messages::note(line))),
        }
    }
}

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
        assert!(Waiting::for_a_gpu(false)._done.is_none());
    }
}
