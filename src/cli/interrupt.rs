//! Ctrl-C: the first one ends the work after the window at hand, a second one ends the program.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Time between two looks at whether a signal came.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// Whether the user, or the system, has asked for an end.
#[derive(Debug)]
pub struct Interrupt {
    asked: Arc<AtomicBool>,
    /// Whether the next signal ends the program as it would without all this.
    at_once: Arc<AtomicBool>,
}

impl Interrupt {
    /// Watches for SIGINT and SIGTERM. Until [`while_working`](Self::while_working) they end the program as usual.
    pub fn watch() -> io::Result<Self> {
        let interrupt = Interrupt {
            asked: Arc::default(),
            at_once: Arc::new(AtomicBool::new(true)),
        };
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal is one that is asked for, the second one ends at once.
            flag::register_conditional_default(signal, Arc::clone(&interrupt.at_once))?;
            flag::register(signal, Arc::clone(&interrupt.at_once))?;
            flag::register(signal, Arc::clone(&interrupt.asked))?;
        }
        Ok(interrupt)
    }

    /// Until what this returns is dropped, the first signal is only noted, and `notice` says so at once: the window at
    /// hand may take a while.
    pub fn while_working(&self, notice: impl FnOnce() + Send + 'static) -> Working<'_> {
        if !self.asked() {
            self.at_once.store(false, Ordering::SeqCst);
        }
        let asked = self.flag();
        let done = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&done);
        let watcher = thread::spawn(move || {
            while !ended.load(Ordering::SeqCst) {
                if asked.load(Ordering::SeqCst) {
                    return notice();
                }
                thread::park_timeout(BETWEEN_LOOKS);
            }
        });
        Working {
            interrupt: self,
            done,
            watcher: Some(watcher),
        }
    }

    /// What is set when an end is asked for.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.asked)
    }

    /// Whether an end was asked for.
    pub fn asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Work that is ended in good order.
pub struct Working<'a> {
    interrupt: &'a Interrupt,
    done: Arc<AtomicBool>,
    watcher: Option<JoinHandle<()>>,
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.interrupt.at_once.store(true, Ordering::SeqCst);
        self.done.store(true, Ordering::SeqCst);
        if let Some(watcher) = self.watcher.take() {
            watcher.thread().unpark();
            // Its notice comes before what is told next.
            let _ = watcher.join();
        }
    }
}
