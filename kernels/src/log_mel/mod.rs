//! PCM to Whisper's log-Mel features, fused.

mod composed;
mod geometry;
mod pcm;
mod smoothing;
mod tables;

pub use composed::ComposedLogMel;
pub use pcm::Pcm;
pub use smoothing::Smoothing;
pub use tables::mel_filterbank;

pub(crate) use geometry::{Geometry, Relative, Signal};
pub(crate) use tables::{FILTERS, N_BINS};
#[cfg(feature = "cubecl")]
pub(crate) use tables::{RADIX, RESIDUES, TWIDDLE_IM, TWIDDLE_RE};

use std::ops::Range;

use burn::backend::Dispatch;
use burn::tensor::{DType, Device, FloatDType, Tensor, TensorData};

use crate::backends::LogMelOps;
use crate::{Error, Result};

/// Samples in one frame's Fourier transform: 25 ms at 16 kHz (openai `audio.py:14`).
pub const N_FFT: usize = 400;

/// Samples from one frame to the next: 10 ms at 16 kHz (openai `audio.py:15`).
pub const HOP_LENGTH: usize = 160;

/// The floor of the mel power before the logarithm (openai `audio.py:155`).
pub(crate) const POWER_FLOOR: f64 = 1e-10;

/// What is cut off below the maximum, in powers of ten (openai `audio.py:156`).
pub(crate) const DYNAMIC_RANGE: f64 = 8.0;

/// Configuration of [`LogMel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogMelConfig {
    n_mels: usize,
    smoothing: Smoothing,
    padding: usize,
}

impl LogMelConfig {
    /// Features with `n_mels` mel bins: 80, or 128 for the large-v3 models.
    pub fn new(n_mels: usize) -> LogMelConfig {
        LogMelConfig {
            n_mels,
            smoothing: Smoothing::Off,
            padding: 0,
        }
    }

    /// Smooths the features over their neighbours, or not (the default).
    #[must_use]
    pub fn with_smoothing(mut self, smoothing: Smoothing) -> LogMelConfig {
        self.smoothing = smoothing;
        self
    }

    /// Zeros heard after the samples: the `padding` of openai's `log_mel_spectrogram`
    /// (`audio.py:145`), 0 by default. Whisper's transcription pads by 480,000 samples, 30 s.
    #[must_use]
    pub fn with_padding(mut self, samples: usize) -> LogMelConfig {
        self.padding = samples;
        self
    }

    /// Puts window, twiddle factors and filterbank on the device: 6 kB.
    ///
    /// # Errors
    ///
    /// [`Error::MelBins`] unless there are 80 or 128.
    pub fn init(&self, device: &Device) -> Result<LogMel> {
        let tables = tables::tables(self.n_mels)?;
        let length = tables.len();
        Ok(LogMel {
            config: *self,
            tables: Tensor::from_data(TensorData::new(tables, [length]), (device, DType::F32)),
        })
    }
}

/// openai/whisper's log-Mel features (`audio.py:110-157`) of 16 kHz PCM, computed in one pass where
/// the PCM is.
///
/// Frames of 400 samples, one each 160, mirrored at the beginning and at the end, under a periodic
/// Hann window; the power of their Fourier transform in `n_mels` mel bins; its log10, at least -10;
/// cut off 8 below the maximum over all frames; plus 4, divided by 4. With
/// [`Smoothing::Average3x3`], averaged over 3x3 cells.
///
/// The device computes this in two launches: one finds the maximum, one writes the features; what
/// lies between stays in registers and shared memory. (A third, tiny one fills the four bytes that the
/// maximum of a file begins with.) Nothing is read back. PCM too long for the
/// device goes there in blocks: see [`LogMel::maximum`].
///
/// # Numbers that are not finite
///
/// A NaN or an infinity spoils each frame that hears it: the power there is NaN or infinite, and what is
/// written is NaN, infinite, or the floor, as the device's comparison with a NaN has it. An infinite power may
/// become the maximum, and then all other frames lie at the floor; a NaN never does on the host and may on a GPU.
/// Callers who cannot rule them out should check before.
#[derive(Clone, Debug)]
pub struct LogMel {
    config: LogMelConfig,
    tables: Tensor<1>,
}

/// The maximum of the mel power over frames, one for each row of PCM, on the device.
#[derive(Clone, Debug)]
pub struct Maximum(Tensor<1>);

/// Windows of frames: `count` windows of `frames` frames, the first beginning at frame `first`,
/// each `stride` frames after the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// The first frame of the first window.
    pub first: usize,
    /// Number of windows.
    pub count: usize,
    /// Frames from the beginning of a window to that of the next.
    pub stride: usize,
    /// Frames of each window.
    pub frames: usize,
    /// From this frame of the file on, literal zeros are written, as openai pads its last window
    /// (`transcribe.py:283-286`). Frames that the file does not have are zeros in any case.
    pub end: usize,
}

impl Windows {
    /// One window of the frames `first..first + frames`.
    pub fn one(first: usize, frames: usize) -> Windows {
        Windows {
            first,
            count: 1,
            stride: 0,
            frames,
            end: usize::MAX,
        }
    }
}

impl LogMel {
    /// Number of mel bins.
    pub fn n_mels(&self) -> usize {
        self.config.n_mels
    }

    /// How features are smoothed.
    pub fn smoothing(&self) -> Smoothing {
        self.config.smoothing
    }

    /// The same with the features smoothed over their neighbours, or not.
    #[must_use]
    pub fn with_smoothing(mut self, smoothing: Smoothing) -> LogMel {
        self.config.smoothing = smoothing;
        self
    }

    /// The device that computes them.
    pub fn device(&self) -> Device {
        self.tables.device()
    }

    /// The samples of a file of `samples` samples that [`windows`](Self::windows) needs for `frames`.
    pub fn samples_of(&self, samples: usize, frames: Range<usize>) -> Range<usize> {
        let signal = self.signal(samples);
        let halo = self.config.smoothing.halo();
        let first = frames.start.saturating_sub(halo);
        let end = frames
            .end
            .saturating_add(halo)
            .min(signal.sounding_frames());
        if first >= end {
            return samples..samples;
        }
        signal.samples_of(&(first..end))
    }

    /// Frames of a file of `samples` samples, and of the zeros after it.
    pub fn frames(&self, samples: usize) -> usize {
        self.signal(samples).frames()
    }

    /// The features of a whole signal.
    ///
    /// # Shapes
    /// - `pcm`: `[samples]`, 16 kHz, in [-1, 1]
    /// - returns `[n_mels, frames]`, with `frames` = (samples + padding) / 160
    pub fn forward(&self, pcm: Tensor<1>) -> Tensor<2> {
        let pcm = match pcm.dims() {
            // An empty tensor has no other shapes.
            [0] => Tensor::zeros([1, 0], (&pcm.device(), DType::F32)),
            [samples] => pcm.reshape([1, samples]),
        };
        let features = self.forward_batch(pcm);
        let [_, n_mels, frames] = features.dims();
        match frames {
            0 => Tensor::zeros([n_mels, 0], (&features.device(), DType::F32)),
            _ => features.reshape([n_mels, frames]),
        }
    }

    /// The features of whole signals of one length, each normalised by its own maximum.
    ///
    /// # Shapes
    /// - `pcm`: `[batch, samples]`, 16 kHz, in [-1, 1]
    /// - returns `[batch, n_mels, frames]`, with `frames` = (samples + padding) / 160
    pub fn forward_batch(&self, pcm: Tensor<2>) -> Tensor<3> {
        let pcm = Pcm::whole(pcm);
        let maximum = self.maximum(&pcm, None);
        let frames = self.frames(pcm.file_samples());
        self.launch_windows(&pcm, &maximum, Windows::one(0, frames), FloatDType::F32)
    }

    /// The maximum over the frames that `pcm` holds whole, and `before`: the first launch.
    ///
    /// A file that comes in blocks needs the maximum of all of them before the first window: hand
    /// each block's to the next. Blocks must overlap by [`N_FFT`] samples or more.
    ///
    /// # Panics
    ///
    /// If `before` is of another number of signals.
    pub fn maximum(&self, pcm: &Pcm, before: Option<Maximum>) -> Maximum {
        let signal = self.signal(pcm.file_samples());
        let frames = signal.frames_within(&pcm.range());
        let end = frames.end.min(signal.sounding_frames());
        let before = before.map_or_else(
            || Tensor::zeros([pcm.batch()], (&pcm.samples().device(), DType::F32)),
            |before| before.0,
        );
        assert_eq!(before.dims(), [pcm.batch()], "maximum: one for each signal");
        if frames.start >= end || pcm.batch() == 0 {
            return Maximum(before);
        }
        let geometry = Geometry {
            signal,
            block_start: pcm.start(),
            first: frames.start,
            windows: 1,
            stride: 0,
            frames: end - frames.start,
            end,
        };
        Maximum(Tensor::from_dispatch(Dispatch::log_mel_maximum(
            pcm.samples().clone().into_dispatch(),
            self.tables.clone().into_dispatch(),
            before.into_dispatch(),
            geometry,
            self.config.n_mels,
        )))
    }

    /// Windows of normalised features: the second launch.
    ///
    /// # Shapes
    /// - returns `[batch * windows.count, n_mels, windows.frames]` of `dtype`, the windows of a row
    ///   one after the other
    ///
    /// # Errors
    ///
    /// [`Error::OutsideBlock`]: the block lacks samples of a frame.
    /// [`Error::Maxima`]: the maxima are those of another number of signals.
    pub fn windows(
        &self,
        pcm: &Pcm,
        maximum: &Maximum,
        windows: Windows,
        dtype: FloatDType,
    ) -> Result<Tensor<3>> {
        let [maxima] = maximum.0.dims();
        if maxima != pcm.batch() {
            let signals = pcm.batch();
            return Err(Error::Maxima { maxima, signals });
        }
        let between = (windows.stride).saturating_mul(windows.count.saturating_sub(1));
        let end = (windows.first.saturating_add(between)).saturating_add(windows.frames);
        let frames = windows.first..end.min(windows.end);
        pcm.check_holds(&frames, self.samples_of(pcm.file_samples(), frames.clone()))?;
        Ok(self.launch_windows(pcm, maximum, windows, dtype))
    }

    fn launch_windows(
        &self,
        pcm: &Pcm,
        maximum: &Maximum,
        windows: Windows,
        dtype: FloatDType,
    ) -> Tensor<3> {
        let shape = [
            pcm.batch() * windows.count,
            self.config.n_mels,
            windows.frames,
        ];
        if shape.contains(&0) {
            return Tensor::zeros(shape, (&pcm.samples().device(), DType::from(dtype)));
        }
        let signal = self.signal(pcm.file_samples());
        let geometry = Geometry {
            signal,
            block_start: pcm.start(),
            first: windows.first,
            windows: windows.count,
            stride: windows.stride,
            frames: windows.frames,
            end: windows.end.min(signal.frames()),
        };
        Tensor::from_dispatch(Dispatch::log_mel_windows(
            pcm.samples().clone().into_dispatch(),
            self.tables.clone().into_dispatch(),
            maximum.0.clone().into_dispatch(),
            geometry,
            self.config.n_mels,
            self.config.smoothing,
            dtype,
        ))
    }

    fn signal(&self, samples: usize) -> Signal {
        Signal {
            samples,
            padding: self.config.padding,
        }
    }
}
