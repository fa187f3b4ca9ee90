//! The frontend: 16 kHz samples to the log-Mel features that the encoder takes, as openai/whisper
//! computes them (`audio.py:110-157`).

mod features;
mod log_mel;
mod mel_filters;
mod smoothing;

pub use features::Features;
pub use log_mel::LogMel;
pub use smoothing::Smoothing;

use crate::audio::SAMPLE_RATE;

/// Samples in one frame's Fourier transform: 25 ms (openai `audio.py:14`).
pub const N_FFT: usize = 400;

/// Samples from one frame to the next: 10 ms (openai `audio.py:15`).
pub const HOP_LENGTH: usize = 160;

/// Samples in the window that the encoder takes: 30 s (openai `audio.py:17`).
pub const N_SAMPLES: usize = 30 * SAMPLE_RATE;

/// Frames in the window that the encoder takes (openai `audio.py:18`).
pub const N_FRAMES: usize = N_SAMPLES / HOP_LENGTH;
