//! One recording to be transcribed with one set of options, and who looks on.

use super::stages::StageClock;
use super::watch::{OnSegment, Watch};
use super::{Event, Segment, Segments, TranscribeOptions, Transcript, Whisper};
use crate::audio::Audio;
use crate::{CancelToken, Result};

/// A transcription that has not begun: [`Whisper::transcription`] makes it, [`run`](Self::run) or
/// [`segments`](Self::segments) begins it.
///
/// ```no_run
/// use whisper_rs::{Audio, CancelToken, Event, TranscribeOptions, Whisper};
///
/// let whisper = Whisper::builder("base").load()?;
/// let audio = Audio::open("talk.mp3")?;
/// let options = TranscribeOptions::default();
/// let cancel = CancelToken::new();
/// let transcript = whisper
///     .transcription(&audio, &options)
///     .until(&cancel)
///     .on_event(|event| {
///         if let Event::WindowDone { position, seconds, .. } = event {
///             eprintln!("{position:.0} s of {seconds:.0} s");
///         }
///     })
///     .on_segment(|segment| println!("{}", segment.text))
///     .run()?;
/// assert!(!transcript.cancelled);
/// # Ok::<(), whisper_rs::Error>(())
/// ```
#[must_use = "nothing is transcribed before it is run"]
pub struct Transcription<'a> {
    whisper: &'a Whisper,
    audio: &'a Audio,
    options: &'a TranscribeOptions,
    watch: Watch<'a>,
    on_segment: Option<OnSegment<'a>>,
}

impl<'a> Transcription<'a> {
    pub(super) fn new(
        whisper: &'a Whisper,
        audio: &'a Audio,
        options: &'a TranscribeOptions,
    ) -> Self {
        Self {
            whisper,
            audio,
            options,
            watch: Watch::default(),
            on_segment: None,
        }
    }

    /// Ends it once `token` is cancelled, within one step of decoding: the window at hand is given up, the segments of those
    /// before it are the result, and [`Transcript::cancelled`] is set.
    pub fn until(mut self, token: &CancelToken) -> Self {
        self.watch.cancel = token.clone();
        self
    }

    /// Tells of its progress, on the thread that runs it.
    pub fn on_event(mut self, on_event: impl FnMut(&Event) + 'a) -> Self {
        self.watch.on_event = Some(Box::new(on_event));
        self
    }

    /// Gives each segment as soon as its window is decoded, on the thread that runs it. ([`segments`](Self::segments) gives
    /// them itself.)
    pub fn on_segment(mut self, on_segment: impl FnMut(&Segment) + 'a) -> Self {
        self.on_segment = Some(Box::new(on_segment));
        self
    }

    /// Transcribes the recording.
    ///
    /// # Errors
    ///
    /// - [`Error::Option`](crate::Error::Option) when an option makes no sense ([`TranscribeOptions::check`]), or a token
    ///   to suppress is not in the model's vocabulary
    /// - [`Error::Language`](crate::Error::Language) when nobody, or not this model, knows the language asked for
    /// - [`Error::Io`](crate::Error::Io) when samples that were put in a temporary file cannot be read back
    /// - [`Error::Model`](crate::Error::Model) when the model's output is not a number
    /// - [`Error::Device`](crate::Error::Device) when the device fails
    /// - [`Error::Cancelled`](crate::Error::Cancelled) when it was cancelled before the language was known: there is no
    ///   transcript then
    pub fn run(mut self) -> Result<Transcript> {
        let on_segment = self.on_segment.take();
        self.segments()?.finish(on_segment)
    }

    /// The segments of the recording, decoded window by window as the iterator is advanced. The language is detected before
    /// this returns.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn segments(self) -> Result<Segments<'a>> {
        self.segments_timed(StageClock::default())
    }

    /// The same with a clock.
    pub(super) fn segments_timed(self, clock: StageClock) -> Result<Segments<'a>> {
        Segments::new(self.whisper, self.audio, self.options, self.watch, clock)
    }
}
