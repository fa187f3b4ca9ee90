//! The log-Mel features of a recording as a picture.

use std::ops::Range;

use burn::tensor::{DType, Device};
use whisper_kernels::{LogMelConfig, Smoothing};

use super::colours::colour;
use super::png;
use crate::audio::{Audio, SAMPLE_RATE};
use crate::error::{Error, Result};
use crate::frontend::{Features, HOP_LENGTH, N_FRAMES, N_SAMPLES};

/// What lies more than 80 dB below the loudest bin is cut off, which is 2 in the features' unit (openai/whisper
/// audio.py:156-157).
const RANGE: f32 = 2.0;

/// Log-Mel features of a stretch of time, as Whisper hears it: normalised by the maximum of the whole file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Spectrogram {
    /// The time that is shown, in seconds: whole frames of 10 ms.
    pub time: Range<f64>,
    /// Mel bins.
    pub n_mels: usize,
    /// Columns; each is the mean of as many frames as the others, to within one.
    pub columns: usize,
    /// The features, `[columns, n_mels]`, lowest bin first.
    pub values: Vec<f32>,
    /// The greatest of them.
    pub maximum: f32,
}

impl Spectrogram {
    /// The features of a stretch of time, computed on `device`, in at most `columns` columns: fewer where there are fewer
    /// frames.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] unless `n_mels` is 80 or 128; the audio or the features could not be read.
    pub fn new(
        audio: &Audio,
        time: Range<f64>,
        columns: usize,
        n_mels: usize,
        smoothing: Smoothing,
        device: &Device,
    ) -> Result<Self> {
        let log_mel = LogMelConfig::new(n_mels)
            .with_padding(N_SAMPLES)
            .with_smoothing(smoothing)
            .init(device)
            .map_err(|error| Error::Option(error.to_string()))?;
        let mut features = Features::new(log_mel, audio)?;
        let frame = |seconds: f64| seconds * SAMPLE_RATE as f64 / HOP_LENGTH as f64;
        let all = features.content_frames();
        let first = (frame(time.start).round() as usize).min(all);
        let end = (frame(time.end).round() as usize).clamp(first, all);
        let count = end - first;
        let columns = columns.min(count);
        let mut sums = vec![0.0_f32; columns * n_mels];
        let mut frames = vec![0_u32; columns];
        for start in (first..end).step_by(N_FRAMES) {
            let window = features.window(start, N_FRAMES.min(end - start))?;
            let data = (window.cast(DType::F32).try_into_data())
                .map_err(|error| Error::Device(format!("cannot read the features: {error}")))?;
            let values: Vec<f32> = data.iter().collect();
            for index in 0..N_FRAMES.min(end - start) {
                let column = (start - first + index) * columns / count;
                frames[column] += 1;
                for mel in 0..n_mels {
                    sums[column * n_mels + mel] += values[mel * N_FRAMES + index];
                }
            }
        }
        for (column, &frames) in sums.chunks_mut(n_mels).zip(&frames) {
            column.iter_mut().for_each(|value| *value /= frames as f32);
        }
        let seconds = |frame: usize| (frame * HOP_LENGTH) as f64 / SAMPLE_RATE as f64;
        let maximum = sums.iter().copied().fold(f32::MIN, f32::max);
        Ok(Self {
            time: seconds(first)..seconds(end),
            n_mels,
            columns,
            values: sums,
            maximum,
        })
    }

    /// The feature of a mel bin in a column.
    pub fn at(&self, column: usize, mel: usize) -> f32 {
        self.values[column * self.n_mels + mel]
    }

    /// A pixel for each feature, red, green and blue, row by row from the highest bin down.
    pub fn pixels(&self) -> Vec<[u8; 3]> {
        let mut pixels = Vec::with_capacity(self.values.len());
        for mel in (0..self.n_mels).rev() {
            for column in 0..self.columns {
                let below = self.maximum - self.at(column, mel);
                pixels.push(colour(1.0 - below / RANGE));
            }
        }
        pixels
    }

    /// The picture as a PNG file of `columns` times `n_mels` pixels.
    ///
    /// # Errors
    ///
    /// The spectrogram is empty, or too large for memory.
    pub fn png(&self) -> Result<Vec<u8>> {
        png::encode(&self.pixels(), self.columns, self.n_mels)
    }
}
