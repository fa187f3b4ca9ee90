//! Who looks on while a recording is transcribed.

use super::{Event, Segment};
use crate::{CancelToken, Result};

/// Is given each segment.
pub(super) type OnSegment<'a> = Box<dyn FnMut(&Segment) + 'a>;

/// Is given each event.
pub(super) type OnEvent<'a> = Box<dyn FnMut(&Event) + 'a>;

/// What may end a transcription, and what is told of it.
#[derive(Default)]
pub(super) struct Watch<'a> {
    pub cancel: CancelToken,
    pub on_event: Option<OnEvent<'a>>,
}

impl Watch<'_> {
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled) once an end was asked for.
    pub fn check(&self) -> Result<()> {
        self.cancel.check()
    }

    pub fn tell(&mut self, event: Event) {
        if let Some(on_event) = &mut self.on_event {
            on_event(&event);
        }
    }
}
