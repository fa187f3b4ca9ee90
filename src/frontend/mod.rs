//! The frontend: 16 kHz samples to the log-Mel features that the encoder takes, as openai/whisper
//! computes them (`audio.py:110-157`).
//!
//! The features themselves are [`LogMel`], a fused operation on the device; [`Features`] brings it the
//! samples of a file of any length, in blocks.

mod features;
mod stored_filters;

pub use features::Features;
pub use stored_filters::note_on_filters;
pub use whisper_kernels::{HOP_LENGTH, LogMel, LogMelConfig, N_FFT, Normalisation, Smoothing};

use burn::tensor::Device;

use crate::audio::SAMPLE_RATE;
use crate::error::{Error, Result};

/// Samples in the window that the encoder takes: 30 s (openai `audio.py:17`).
pub const N_SAMPLES: usize = 30 * SAMPLE_RATE;

/// Frames in the window that the encoder takes (openai `audio.py:18`).
pub const N_FRAMES: usize = N_SAMPLES / HOP_LENGTH;

/// The features that Whisper's transcription takes: with 30 s of zeros heard after the file
/// (openai `transcribe.py:139`).
///
/// # Errors
///
/// [`Error::Model`] unless `n_mels` is 80 or 128.
pub fn log_mel(n_mels: usize, device: &Device) -> Result<LogMel> {
    LogMelConfig::new(n_mels)
        .with_padding(N_SAMPLES)
        .init(device)
        .map_err(|error| Error::Model(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_have_the_names_of_the_command_line() {
        let text = serde_json::to_string(&(Smoothing::Average3x3, Normalisation::Rms)).unwrap();
        assert_eq!(text, r#"["average3x3","rms"]"#);
        let read: (Smoothing, Normalisation) = serde_json::from_str(&text).unwrap();
        assert_eq!(read, (Smoothing::Average3x3, Normalisation::Rms));
        let text = serde_json::to_string(&(Smoothing::Off, Normalisation::Off)).unwrap();
        assert_eq!(text, r#"["none","none"]"#);
        let read: (Smoothing, Normalisation) = serde_json::from_str(&text).unwrap();
        assert_eq!(read, (Smoothing::Off, Normalisation::Off));
    }
}
