//! Pictures of audio: waveform, log-Mel features, and what was said when.
//!
//! ```no_run
//! use whisper_rs::compare::TimedText;
//! use whisper_rs::plot::{Figure, FigureOptions, Fonts};
//! use whisper_rs::{Audio, device};
//!
//! # fn main() -> whisper_rs::Result<()> {
//! let audio = Audio::open("talk.mp3")?;
//! let words = TimedText::read("talk.json")?.words;
//! let device = device::open("auto")?;
//! let figure = Figure::new("talk", &audio, 60.0..75.0, &words, FigureOptions::default(), &device)?;
//! let mut fonts = Fonts::new();
//! let boxes = fonts.add_found(&figure.text());
//! println!("letters that no font has: {boxes:?}");
//! let png = figure.png(&fonts)?;
//! # Ok(())
//! # }
//! ```

mod canvas;
mod colours;
mod figure;
mod fonts;
mod lanes;
mod png;
mod spectrogram;
mod svg;
mod waveform;

pub use figure::{Figure, FigureOptions, Panel};
pub use fonts::Fonts;
pub use spectrogram::Spectrogram;
pub use waveform::Waveform;
