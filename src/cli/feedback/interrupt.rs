//! Ctrl-C: while a recording is transcribed, the first one ends that within a step of decoding. A second one, and one at any
//! other time, ends the program at once.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};
use whisper_rs::CancelToken;

use crate::cli::INTERRUPTED;

/// Time between two looks at whether a signal came.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Whether the user, or the system, has asked for an end.
#[derive(Debug, Default)]
pub struct Interrupt {
    asked: CancelToken,
    work: Arc<Work>,
}

/// Says that the work will end.
type Notice = Box<dyn FnOnce() + Send>;

/// The work at hand that can be ended in good order, by what says so; none where there is none, or it has been said.
#[derive(Default)]
struct Work(Mutex<Option<Notice>>);

impl Work {
    fn lock(&self) -> MutexGuard<'_, Option<Notice>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Work").field(&self.lock().is_some()).finish()
    }
}

impl Interrupt {
    /// Watches for SIGINT and SIGTERM. But for [`while_working`](Self::while_working) they end the program, and
    /// `last_words` come before that.
    pub fn watch(last_words: impl Fn() + Send + 'static) -> io::Result<Self> {
        let interrupt = Interrupt::default();
        let signalled = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            flag::register(signal, Arc::clone(&signalled))?;
        }
        let (asked, work) = (interrupt.asked.clone(), Arc::clone(&interrupt.work));
        thread::spawn(move || {
            loop {
                thread::sleep(BETWEEN_LOOKS);
                if !signalled.swap(false, Ordering::SeqCst) {
                    continue;
                }
                // It is held while the notice is given, which so comes before what is told next.
                let mut work = work.lock();
                match work.take() {
                    Some(notice) => {
                        asked.cancel();
                        notice();
                    }
                    None => {
                        last_words();
                        // Without what libraries do at an end: other threads are still at work.
                        low_level::exit(INTERRUPTED.into());
                    }
                }
            }
        });
        Ok(interrupt)
    }

    /// Until what this returns is dropped, the first signal is only noted, and `notice` says so at once: the encoder may take
    /// a while.
    pub fn while_working(&self, notice: impl FnOnce() + Send + 'static) -> Working<'_> {
        *self.work.lock() = Some(Box::new(notice));
        Working(self)
    }

    /// What is cancelled when an end is asked for.
    pub fn token(&self) -> &CancelToken {
        &self.asked
    }

    /// Whether an end was asked for.
    pub fn asked(&self) -> bool {
        self.asked.is_cancelled()
    }
}

/// Work that is ended in good order.
pub struct Working<'a>(&'a Interrupt);

impl Drop for Working<'_> {
    fn drop(&mut self) {
        *self.0.work.lock() = None;
    }
}
