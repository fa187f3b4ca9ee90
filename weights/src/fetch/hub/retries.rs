//! How often and when something is tried again.

use std::time::Duration;

use super::super::progress::{FetchEvent, FetchProgress};
use super::failure::Failure;

/// How often something is tried that does not get on.
const ATTEMPTS: u32 = 4;
/// Before the second attempt; each further one waits twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(300);
/// A server that asks for more patience than this is given up.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The attempts at one request or file.
pub(super) struct Retries<'a> {
    failed: u32,
    progress: &'a dyn FetchProgress,
}

impl<'a> Retries<'a> {
    pub(super) fn new(progress: &'a dyn FetchProgress) -> Self {
        Self {
            failed: 0,
            progress,
        }
    }

    /// An attempt that failed has nevertheless got on: what went wrong before it counts no more.
    pub(super) fn got_on(&mut self) {
        self.failed = 0;
    }

    /// Waits after a failure until it is time for another attempt, or gives the failure back where
    /// there is none. `source` is what failed, for the message.
    pub(super) fn wait(&mut self, source: &str, failure: Failure) -> Result<(), Failure> {
        self.failed += 1;
        let own = FIRST_WAIT * 2u32.pow(self.failed.min(ATTEMPTS) - 1);
        let (why, wait) = match &failure {
            Failure::Busy { why, wait } => (why, wait.unwrap_or(own)),
            Failure::Broken(why) => (why, own),
            Failure::Local(_) | Failure::Refused(_) => return Err(failure),
        };
        if wait > LONGEST_WAIT {
            let why = format!("{why}; it asks to wait for {} s", wait.as_secs());
            return Err(Failure::Refused(why));
        }
        if self.failed >= ATTEMPTS {
            return Err(failure);
        }
        let line = format!(
            "{source}: {why}; trying again in {:.1} s",
            wait.as_secs_f64()
        );
        self.progress.event(FetchEvent::Message(&line));
        std::thread::sleep(wait);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::Silent;

    fn broken() -> Failure {
        Failure::Broken("lost".into())
    }

    #[test]
    fn attempts_that_do_not_get_on_come_to_an_end() {
        let mut retries = Retries::new(&Silent);
        for _ in 1..ATTEMPTS {
            retries.wait("hub", broken()).unwrap();
        }
        assert!(retries.wait("hub", broken()).is_err());
        retries.got_on();
        retries.wait("hub", broken()).unwrap();
    }

    #[test]
    fn nobody_waits_for_long_or_for_what_does_not_change() {
        let mut retries = Retries::new(&Silent);
        let busy = Failure::Busy {
            why: "too many requests".into(),
            wait: Some(Duration::from_secs(3600)),
        };
        let failure = retries.wait("hub", busy).unwrap_err();
        let Failure::Refused(why) = failure else {
            panic!("{failure:?}");
        };
        assert_eq!(why, "too many requests; it asks to wait for 3600 s");
        let refused = Failure::Refused("404".into());
        assert!(retries.wait("hub", refused).is_err());
    }
}
