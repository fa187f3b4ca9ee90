//! Pictures of audio: waveform, log-Mel features, and what was said when.

mod colours;
mod png;
mod spectrogram;
mod waveform;

pub use spectrogram::Spectrogram;
pub use waveform::Waveform;
