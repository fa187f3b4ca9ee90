//! The features of one file: normalised by the maximum of the whole file, made a window at a time.

use std::ops::Range;

use burn::tensor::{DType, FloatDType, Tensor, TensorData};
use whisper_kernels::{Loudness, Maximum, Normalisation, Pcm, Windows};

use crate::audio::Audio;
use crate::error::{Error, Result};

use super::{HOP_LENGTH, LogMel, N_FFT, N_FRAMES};

/// Samples that are on the device at a time: five minutes, 19 MB.
const BLOCK: usize = 4_800_000;

/// Samples that two neighbouring blocks share: with them, each frame lies whole in one of the two.
const OVERLAP: usize = N_FFT + HOP_LENGTH;

/// The log-Mel features of one file and of the 30 s of zeros after it.
///
/// Frame `t` is centred on sample `160 t`. The samples go to the device in blocks: once for the
/// maximum and, if there are several, again for the windows. Nothing comes back.
#[derive(Debug)]
pub struct Features<'a> {
    mel: LogMel,
    audio: &'a Audio,
    /// What the samples are multiplied by, `[1, 1]`, if they are normalised.
    gain: Option<Tensor<2>>,
    maximum: Maximum,
    /// The block that is on the device.
    block: Pcm,
    dtype: FloatDType,
}

impl<'a> Features<'a> {
    /// The features of a file, to be computed a window at a time by `mel`, see
    /// [`log_mel`](super::log_mel).
    ///
    /// This is the first of two passes over the audio. It finds the maximum over the whole file and
    /// the 30 s of zeros that follow it, from which openai normalises every window (`audio.py:156`,
    /// `transcribe.py:139`). It reads in blocks, so memory does not grow with the file.
    ///
    /// # Errors
    ///
    /// The audio could not be read.
    pub fn new(mel: LogMel, audio: &'a Audio) -> Result<Features<'a>> {
        Self::normalised(mel, audio, Normalisation::Off)
    }

    /// The same of the file made as loud as asked, which takes one more pass over it.
    ///
    /// # Errors
    ///
    /// The audio could not be read.
    pub fn normalised(
        mel: LogMel,
        audio: &'a Audio,
        normalisation: Normalisation,
    ) -> Result<Features<'a>> {
        let gain = match normalisation {
            Normalisation::Off => None,
            _ => loudness(&mel, audio)?.map(|loudness| loudness.gain(normalisation)),
        };
        let mut block = upload(&mel, audio, 0, gain.as_ref())?;
        let mut maximum = mel.maximum(&block, None);
        while block.range().end < audio.len() {
            block = upload(&mel, audio, block.range().end - OVERLAP, gain.as_ref())?;
            maximum = mel.maximum(&block, Some(maximum));
        }
        Ok(Features {
            mel,
            audio,
            gain,
            maximum,
            block,
            dtype: FloatDType::F32,
        })
    }

    /// The same with windows of another element type than `f32`; they are computed in `f32` all the same.
    #[must_use]
    pub fn with_dtype(mut self, dtype: FloatDType) -> Features<'a> {
        self.dtype = dtype;
        self
    }

    /// Frames of the file itself: its samples divided by 160 (openai's `content_frames`,
    /// `transcribe.py:140`).
    pub fn content_frames(&self) -> usize {
        self.audio.len() / HOP_LENGTH
    }

    /// Frames of the file and of the 30 s of zeros after it.
    pub fn total_frames(&self) -> usize {
        self.mel.frames(self.audio.len())
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
    /// - returns `[1, n_mels, 3000]` on the device of the features
    ///
    /// # Errors
    ///
    /// The audio could not be read.
    pub fn window(&mut self, start: usize, frames: usize) -> Result<Tensor<3>> {
        let end = start
            .saturating_add(frames.min(N_FRAMES))
            .min(self.total_frames());
        if start >= end {
            let shape = [1, self.n_mels(), N_FRAMES];
            return Ok(Tensor::zeros(
                shape,
                (&self.mel.device(), DType::from(self.dtype)),
            ));
        }
        let needed = self.mel.samples_of(self.audio.len(), start..end);
        if !contains(&self.block.range(), &needed) {
            self.block = upload(&self.mel, self.audio, needed.start, self.gain.as_ref())?;
        }
        let windows = Windows {
            end,
            ..Windows::one(start, N_FRAMES)
        };
        self.mel
            .windows(&self.block, &self.maximum, windows, self.dtype)
            .map_err(|error| Error::Device(error.to_string()))
    }
}

fn contains(range: &Range<usize>, part: &Range<usize>) -> bool {
    part.is_empty() || (range.start <= part.start && part.end <= range.end)
}

/// Puts a block of the file on the device.
fn upload(mel: &LogMel, audio: &Audio, start: usize, gain: Option<&Tensor<2>>) -> Result<Pcm> {
    let samples = read(mel, audio, start)?;
    let samples = match gain {
        Some(gain) => samples * gain.clone(),
        None => samples,
    };
    Ok(Pcm::block(samples, start, audio.len()))
}

/// The loudness of the whole file, if there is any of it.
fn loudness(mel: &LogMel, audio: &Audio) -> Result<Option<Loudness>> {
    let mut all: Option<Loudness> = None;
    for start in (0..audio.len()).step_by(BLOCK) {
        let block = Loudness::of(read(mel, audio, start)?);
        all = Some(match all {
            Some(before) => before.then(block),
            None => block,
        });
    }
    Ok(all)
}

/// The samples of a block, `[1, samples]`.
fn read(mel: &LogMel, audio: &Audio, start: usize) -> Result<Tensor<2>> {
    let mut samples = vec![0.0; BLOCK.min(audio.len() - start)];
    audio.read(start, &mut samples)?;
    let shape = [1, samples.len()];
    let data = TensorData::new(samples, shape);
    Ok(Tensor::from_data(data, (&mel.device(), DType::F32)))
}
