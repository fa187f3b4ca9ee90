//! The features of one file: normalised by the maximum of the whole file, made a window at a time.

use burn::tensor::{Device, Tensor, TensorData};

use crate::audio::Audio;
use crate::error::Result;

use super::log_mel::LOG_FLOOR;
use super::smoothing::{HALO, average_3x3};
use super::{HOP_LENGTH, LogMel, N_FFT, N_FRAMES, Smoothing};

/// Frames whose log-Mel power is kept after the first pass, so that the second need not compute it
/// again: one minute, 1.9 MB with 80 mel bins.
const FRAMES_KEPT: usize = 6000;

/// Frames that the first pass computes at a time.
const FRAMES_A_BLOCK: usize = 6000;

/// What is cut off below the maximum, in powers of ten (openai `audio.py:156`).
const DYNAMIC_RANGE: f32 = 8.0;

/// The log-Mel features of one file and of the 30 s of zeros after it.
///
/// Frame `t` is centred on sample `160 t`.
#[derive(Debug)]
pub struct Features<'a> {
    mel: &'a LogMel,
    audio: &'a Audio,
    /// The maximum of log10 of the mel power over all frames.
    maximum: f32,
    /// log10 of the mel power of all sounding frames, if there are few of them.
    kept: Option<Vec<f32>>,
}

impl<'a> Features<'a> {
    /// Finds the maximum.
    pub(super) fn new(mel: &'a LogMel, audio: &'a Audio) -> Result<Features<'a>> {
        // The 30 s of zeros are heard as well.
        let mut maximum = LOG_FLOOR;
        let sounding = sounding_frames(audio);
        let mut kept = None;
        for first in (0..sounding).step_by(FRAMES_A_BLOCK) {
            let block = mel.log_power(audio, first, FRAMES_A_BLOCK.min(sounding - first))?;
            maximum = block.iter().copied().fold(maximum, f32::max);
            kept = (sounding <= FRAMES_KEPT).then_some(block);
        }
        Ok(Features {
            mel,
            audio,
            maximum,
            kept,
        })
    }

    /// Frames of the file itself: its samples divided by 160 (openai's `content_frames`,
    /// `transcribe.py:140`).
    pub fn content_frames(&self) -> usize {
        self.audio.len() / HOP_LENGTH
    }

    /// Frames of the file and of the 30 s of zeros after it.
    pub fn total_frames(&self) -> usize {
        self.content_frames() + N_FRAMES
    }

    /// Number of mel bins.
    pub fn n_mels(&self) -> usize {
        self.mel.n_mels()
    }

    /// The features of the frames `start..start + frames`, at most 3000, and literal zeros after them,
    /// as openai pads the last window (`transcribe.py:283-286`).
    ///
    /// Frames past [`Features::content_frames`] are those of the 30 s of zeros; past
    /// [`Features::total_frames`] there are none.
    ///
    /// # Shapes
    /// - returns `[1, n_mels, 3000]`
    ///
    /// # Errors
    ///
    /// The audio could not be read.
    pub fn window(&self, start: usize, frames: usize, device: &Device) -> Result<Tensor<3>> {
        let data = TensorData::new(
            self.window_values(start, frames)?,
            [1, self.n_mels(), N_FRAMES],
        );
        Ok(Tensor::from_data(data, device))
    }

    /// The values of [`Features::window`] on the host, by mel bin: `[n_mels, 3000]`.
    ///
    /// # Errors
    ///
    /// The audio could not be read.
    pub fn window_values(&self, start: usize, frames: usize) -> Result<Vec<f32>> {
        let n_mels = self.n_mels();
        let mut values = vec![0.0; n_mels * N_FRAMES];
        let end = start
            .saturating_add(frames.min(N_FRAMES))
            .min(self.total_frames());
        if start < end {
            let by_frame = match self.mel.smoothing() {
                Smoothing::Off => self.normalised(start, end)?,
                Smoothing::Average3x3 => {
                    let first = start.saturating_sub(HALO);
                    let last = (end + HALO).min(self.total_frames());
                    average_3x3(
                        &self.normalised(first, last)?,
                        n_mels,
                        start - first..end - first,
                    )
                }
            };
            for (t, frame) in by_frame.chunks_exact(n_mels).enumerate() {
                for (mel, &value) in frame.iter().enumerate() {
                    values[mel * N_FRAMES + t] = value;
                }
            }
        }
        Ok(values)
    }

    /// The normalised features of the frames `start..end`: `[end - start, n_mels]`.
    fn normalised(&self, start: usize, end: usize) -> Result<Vec<f32>> {
        let n_mels = self.n_mels();
        let sounding = sounding_frames(self.audio);
        let (computed_start, computed_end) = (start.min(sounding), end.min(sounding));
        let mut values = match &self.kept {
            Some(kept) => kept[computed_start * n_mels..computed_end * n_mels].to_vec(),
            None => {
                self.mel
                    .log_power(self.audio, computed_start, computed_end - computed_start)?
            }
        };
        values.resize((end - start) * n_mels, LOG_FLOOR);
        let floor = self.maximum - DYNAMIC_RANGE;
        for value in &mut values {
            *value = (value.max(floor) + 4.0) / 4.0;
        }
        Ok(values)
    }
}

/// Frames that any sample of the file reaches; in those after them there are only zeros.
fn sounding_frames(audio: &Audio) -> usize {
    match audio.len() {
        0 => 0,
        len => (len - 1 + N_FFT / 2) / HOP_LENGTH + 1,
    }
}
