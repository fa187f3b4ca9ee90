//! Reports for a browser: one file with everything in it, which needs no network.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use whisper_rs::compare::{Comparison, Normalizer, TimedText};
//! use whisper_rs::report::{AudioPicture, ClipReport, Report};
//! use whisper_rs::{Audio, device};
//!
//! # fn main() -> whisper_rs::Result<()> {
//! let (said, heard) = (TimedText::read("said.txt")?, TimedText::read("heard.json")?);
//! let normalizer = Normalizer::for_language(heard.language.as_deref());
//! let mut clip = ClipReport::new("talk", Comparison::new(&said, &heard, normalizer));
//! clip.audio = Some(AudioPicture::new(&Audio::open("talk.mp3")?, &device::open("auto")?)?);
//! let mut report = Report::new("My talk");
//! report.clips.push(clip);
//! report.write(Path::new("report.html"))
//! # }
//! ```

mod audio_picture;
mod clip_view;
mod page;
mod page_view;

use std::path::Path;

pub use audio_picture::AudioPicture;

use crate::compare::Comparison;
use crate::error::Result;
use crate::output::write_atomically;

/// What is shown of a set of clips that were compared with their references: counts, languages, and each clip, the worst
/// ones first, with waveform, log-Mel features and both transcripts on one time axis.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// The heading.
    pub title: String,
    /// What the reader should know of the whole, by name: model, device, and so on.
    pub facts: Vec<(String, String)>,
    /// The clips, in any order.
    pub clips: Vec<ClipReport>,
}

/// A clip of a [`Report`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClipReport {
    /// The clip's name.
    pub name: String,
    /// What is shown of the audio, where it is there.
    pub audio: Option<AudioPicture>,
    /// How the transcripts differ.
    pub comparison: Comparison,
    /// What the reader should know of this clip, by name.
    pub facts: Vec<(String, String)>,
}

impl Report {
    /// A report without clips and facts.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            ..Self::default()
        }
    }

    /// The report as a page of HTML.
    ///
    /// # Errors
    ///
    /// [`Error::Option`](crate::Error::Option) when the page cannot be made.
    pub fn html(&self) -> Result<String> {
        page::render(self)
    }

    /// Writes the page to a file, which is whole or not there.
    ///
    /// # Errors
    ///
    /// Those of [`html`](Self::html), and [`Error::Io`](crate::Error::Io) when the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let page = self.html()?;
        write_atomically(path, |out| out.write_all(page.as_bytes()))
    }
}

impl ClipReport {
    /// A clip without audio and facts.
    pub fn new(name: impl Into<String>, comparison: Comparison) -> Self {
        Self {
            name: name.into(),
            audio: None,
            comparison,
            facts: Vec::new(),
        }
    }
}
