//! Pictures of audio: waveform, log-Mel features, and what was said when.

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
