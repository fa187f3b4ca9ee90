//! What a report shows of a recording.

use burn::tensor::Device;

use crate::audio::Audio;
use crate::error::Result;
use crate::frontend::Smoothing;
use crate::plot::{Spectrogram, Waveform};

/// Columns of the waveform and, at most, of the log-Mel picture: two for each pixel of a wide screen, to zoom into.
const COLUMNS: usize = 3000;

/// Waveform and log-Mel features of a whole recording, small enough for a page.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AudioPicture {
    /// Length of the recording, in seconds.
    pub seconds: f64,
    /// The outline of its samples.
    pub waveform: Waveform,
    /// The features of 80 mel bins as a PNG file; none where the recording is shorter than a frame.
    pub log_mel: Option<Vec<u8>>,
}

impl AudioPicture {
    /// Looks at a recording. The features are computed on `device`.
    ///
    /// # Errors
    ///
    /// The audio or the features could not be read.
    pub fn new(audio: &Audio, device: &Device) -> Result<Self> {
        let whole = 0.0..audio.seconds();
        let mel = Spectrogram::new(audio, whole.clone(), COLUMNS, 80, Smoothing::Off, device)?;
        let log_mel = match mel.columns {
            0 => None,
            _ => Some(mel.png()?),
        };
        Ok(Self {
            seconds: audio.seconds(),
            waveform: Waveform::new(audio, whole, COLUMNS)?,
            log_mel,
        })
    }
}
