//! What a fetch tells while it runs.

/// Something that happened during a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchEvent<'a> {
    /// One line for the user, such as why a source is passed over.
    Message(&'a str),
    /// A download begins.
    Started {
        /// What is downloaded, for the label of a progress bar.
        what: &'a str,
        /// Bytes in all, where known.
        total: Option<u64>,
    },
    /// Bytes that are there by now, counted from the beginning of the download. The first value
    /// is above zero where an earlier download is taken up again, and it can fall where a part
    /// has to be fetched anew.
    Advanced {
        /// Bytes in all so far.
        done: u64,
    },
    /// The download has ended, well or not.
    Finished,
}

/// Receives the events of a fetch: the way to a progress bar.
///
/// Any `Fn(FetchEvent)` is one.
pub trait FetchProgress {
    /// Called for each event, on the thread that called the fetch.
    fn event(&self, event: FetchEvent<'_>);
}

impl<F: Fn(FetchEvent<'_>)> FetchProgress for F {
    fn event(&self, event: FetchEvent<'_>) {
        self(event);
    }
}

/// Reports nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl FetchProgress for Silent {
    fn event(&self, _: FetchEvent<'_>) {}
}

/// A download in progress: its end is reported however it comes.
pub(super) struct Download<'a> {
    progress: &'a dyn FetchProgress,
}

impl<'a> Download<'a> {
    pub(super) fn start(progress: &'a dyn FetchProgress, what: &str, total: Option<u64>) -> Self {
        progress.event(FetchEvent::Started { what, total });
        Self { progress }
    }

    pub(super) fn advance_to(&self, done: u64) {
        self.progress.event(FetchEvent::Advanced { done });
    }
}

impl Drop for Download<'_> {
    fn drop(&mut self) {
        self.progress.event(FetchEvent::Finished);
    }
}
