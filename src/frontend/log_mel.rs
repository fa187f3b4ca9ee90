//! Samples to log10 mel power, frame by frame.

use std::sync::Arc;

use rayon::prelude::*;
use realfft::{RealFftPlanner, RealToComplex};

use crate::audio::Audio;
use crate::error::Result;

use super::mel_filters::{MelFilters, N_BINS};
use super::{Features, HOP_LENGTH, N_FFT, Smoothing};

/// The floor of the mel power before the logarithm (openai `audio.py:155`).
const POWER_FLOOR: f64 = 1e-10;

/// log10 of the floor: what a frame of silence has in every mel bin.
pub(super) const LOG_FLOOR: f32 = -10.0;

/// Frames that one task computes.
const FRAMES_A_TASK: usize = 64;

/// Computes openai/whisper's log-Mel features.
///
/// The Fourier transform and the filterbank are in f64: the reference's f32 is then off from this by
/// its own rounding alone (`docs/audio.md` has the figures).
pub struct LogMel {
    filters: MelFilters,
    /// The periodic Hann window (`torch.hann_window`).
    window: Vec<f64>,
    fft: Arc<dyn RealToComplex<f64>>,
    smoothing: Smoothing,
}

impl LogMel {
    /// Features with `n_mels` mel bins: 80, or 128 for the large-v3 models.
    ///
    /// # Errors
    ///
    /// [`Error::Model`](crate::Error::Model) for any other number of mel bins.
    pub fn new(n_mels: usize) -> Result<LogMel> {
        Ok(LogMel {
            filters: MelFilters::new(n_mels)?,
            window: hann_window(),
            fft: RealFftPlanner::new().plan_fft_forward(N_FFT),
            smoothing: Smoothing::Off,
        })
    }

    /// The same with the features smoothed over their neighbours.
    #[must_use]
    pub fn with_smoothing(mut self, smoothing: Smoothing) -> LogMel {
        self.smoothing = smoothing;
        self
    }

    /// Number of mel bins.
    pub fn n_mels(&self) -> usize {
        self.filters.len()
    }

    /// How features are smoothed.
    pub fn smoothing(&self) -> Smoothing {
        self.smoothing
    }

    /// The features of a file, to be computed a window at a time.
    ///
    /// This is the first of two passes over the audio. It finds the maximum over the whole file and
    /// the 30 s of zeros that follow it, from which openai normalises every window (`audio.py:156`,
    /// `transcribe.py:139`). It reads in blocks, so memory does not grow with the file.
    ///
    /// # Errors
    ///
    /// The audio could not be read.
    pub fn features<'a>(&'a self, audio: &'a Audio) -> Result<Features<'a>> {
        Features::new(self, audio)
    }

    /// log10 of the mel power of `count` frames from `first` on, before any normalisation.
    ///
    /// Frame `t` is centred on sample `160 t`. In front of the file its mirror image is heard
    /// (`torch.stft`'s reflect padding), after it zeros.
    ///
    /// # Shapes
    /// - returns `[count, n_mels]`
    pub(super) fn log_power(&self, audio: &Audio, first: usize, count: usize) -> Result<Vec<f32>> {
        let samples = samples_of_frames(audio, first, count)?;
        let n_mels = self.n_mels();
        let mut out = vec![LOG_FLOOR; count * n_mels];
        out.par_chunks_mut(FRAMES_A_TASK * n_mels)
            .enumerate()
            .try_for_each(|(task, out)| {
                let samples = &samples[task * FRAMES_A_TASK * HOP_LENGTH..];
                let mut scratch = Scratch::new(self);
                for (frame, out) in out.chunks_exact_mut(n_mels).enumerate() {
                    self.frame(&samples[frame * HOP_LENGTH..][..N_FFT], &mut scratch, out)?;
                }
                Ok::<(), crate::Error>(())
            })?;
        Ok(out)
    }

    /// log10 of the mel power of one frame.
    ///
    /// # Shapes
    /// - `samples`: [`N_FFT`]
    /// - `out`: `[n_mels]`
    fn frame(&self, samples: &[f32], scratch: &mut Scratch, out: &mut [f32]) -> Result<()> {
        for ((windowed, &sample), weight) in
            scratch.windowed.iter_mut().zip(samples).zip(&self.window)
        {
            *windowed = f64::from(sample) * weight;
        }
        self.fft
            .process_with_scratch(
                &mut scratch.windowed,
                &mut scratch.spectrum,
                &mut scratch.fft,
            )
            .map_err(|error| {
                crate::Error::Model(format!("the Fourier transform failed: {error}"))
            })?;
        for (power, bin) in scratch.power.iter_mut().zip(&scratch.spectrum) {
            *power = bin.norm_sqr();
        }
        self.filters.apply(&scratch.power, &mut scratch.mel);
        for (out, &mel) in out.iter_mut().zip(&scratch.mel) {
            *out = mel.max(POWER_FLOOR).log10() as f32;
        }
        Ok(())
    }
}

impl std::fmt::Debug for LogMel {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("LogMel")
            .field("n_mels", &self.n_mels())
            .field("smoothing", &self.smoothing)
            .finish_non_exhaustive()
    }
}

/// The periodic Hann window as `torch.hann_window` computes it: in f32, the angles too.
///
/// A loud low tone leaks through the window's own rounding errors into quiet mel bins, so an exact
/// window would be further from the reference than this one.
fn hann_window() -> Vec<f64> {
    let step = (std::f64::consts::TAU / N_FFT as f64) as f32;
    (0..N_FFT)
        .map(|i| {
            let angle = i as f32 * step;
            let cos = f64::from(angle).cos() as f32;
            f64::from(cos * -0.5 + 0.5)
        })
        .collect()
}

/// Buffers of one task.
struct Scratch {
    windowed: Vec<f64>,
    spectrum: Vec<realfft::num_complex::Complex<f64>>,
    fft: Vec<realfft::num_complex::Complex<f64>>,
    power: Vec<f64>,
    mel: Vec<f64>,
}

impl Scratch {
    fn new(mel: &LogMel) -> Scratch {
        Scratch {
            windowed: mel.fft.make_input_vec(),
            spectrum: mel.fft.make_output_vec(),
            fft: mel.fft.make_scratch_vec(),
            power: vec![0.0; N_BINS],
            mel: vec![0.0; mel.n_mels()],
        }
    }
}

/// The samples that `count` frames from `first` on are computed from.
fn samples_of_frames(audio: &Audio, first: usize, count: usize) -> Result<Vec<f32>> {
    let reach = N_FFT / 2;
    let mut samples = vec![0.0; count.saturating_sub(1) * HOP_LENGTH + N_FFT];
    let start = first * HOP_LENGTH;
    if start >= reach {
        audio.read(start - reach, &mut samples)?;
        return Ok(samples);
    }
    // x[-n] = x[n]
    let before = reach - start;
    audio.read(0, &mut samples[before..])?;
    let mut mirrored = vec![0.0; before];
    audio.read(1, &mut mirrored)?;
    for (sample, mirrored) in samples[..before].iter_mut().zip(mirrored.iter().rev()) {
        *sample = *mirrored;
    }
    Ok(samples)
}
