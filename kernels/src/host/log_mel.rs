//! The log-Mel features on host memory.
//!
//! The Fourier transform and the filterbank are in f64: the reference's f32 is then off from this by
//! its own rounding alone. Frames are computed in parallel, each task a run of neighbours.

use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use super::output::Output;
use crate::Smoothing;
use crate::log_mel::{
    DYNAMIC_RANGE, FILTERS, Geometry, HOP_LENGTH, N_BINS, N_FFT, POWER_FLOOR, Relative,
};

/// Frames that one task computes.
const TASK: usize = 64;

/// A signal and what its features are computed with.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    /// One row of PCM.
    pub pcm: &'a [f32],
    /// The constants of `log_mel/tables.rs`.
    pub tables: &'a [f32],
    pub geometry: Geometry,
    pub n_mels: usize,
}

/// The maximum of the mel power over the frames.
pub(crate) fn maximum(source: Source<'_>) -> f32 {
    let relative = source.relative();
    let frames = source.geometry.frames;
    (0..frames.div_ceil(TASK))
        .into_par_iter()
        .map(|task| {
            let mut scratch = Scratch::new(source.n_mels);
            (task * TASK..frames.min((task + 1) * TASK))
                .map(|frame| {
                    scratch.mel_power(source, &relative, frame as i64);
                    scratch.mel.iter().copied().fold(0.0, f64::max) as f32
                })
                .fold(0.0, f32::max)
        })
        .reduce(|| 0.0, f32::max)
}

/// The normalised features, `[windows, n_mels, frames]`.
pub(crate) fn windows(source: Source<'_>, maximum: f32, smoothing: Smoothing) -> Vec<f32> {
    let Geometry {
        windows, frames, ..
    } = source.geometry;
    let fill = |output: Output<'_>| {
        let tasks = frames.div_ceil(TASK);
        (0..windows * tasks).into_par_iter().for_each(|task| {
            let (window, begin) = (task / tasks, task % tasks * TASK);
            let end = frames.min(begin + TASK);
            let shift = window * source.geometry.stride;
            let block = normalised(source, maximum, smoothing, shift + begin..shift + end);
            for mel in 0..source.n_mels {
                let row = (window * source.n_mels + mel) * frames + begin;
                // SAFETY: no other task writes these frames of this window.
                let row = unsafe {
                    std::slice::from_raw_parts_mut(output.at(row, end - begin), end - begin)
                };
                for (value, frame) in row.iter_mut().zip(block.chunks_exact(source.n_mels)) {
                    *value = frame[mel];
                }
            }
        });
    };
    // SAFETY: the tasks together write all frames of all windows.
    unsafe { Output::collect(windows * source.n_mels * frames, fill) }
}

/// The normalised features of some frames, counted from the first window's first: `[frames,
/// n_mels]`.
fn normalised(
    source: Source<'_>,
    maximum: f32,
    smoothing: Smoothing,
    frames: std::ops::Range<usize>,
) -> Vec<f32> {
    let relative = source.relative();
    let n_mels = source.n_mels;
    let halo = smoothing.halo() as i64;
    // The neighbours that exist.
    let begin = (frames.start as i64 - halo).max(relative.frames_begin);
    let end = (frames.end as i64 + halo).min(relative.frames_end);
    let floor = f64::from(maximum).max(POWER_FLOOR).log10() - DYNAMIC_RANGE;
    let mut scratch = Scratch::new(n_mels);
    let mut near = Vec::with_capacity((end - begin).max(0) as usize * n_mels);
    for frame in begin..end {
        scratch.mel_power(source, &relative, frame);
        near.extend(scratch.mel.iter().map(|mel| {
            let log = mel.max(POWER_FLOOR).log10();
            // Rounded to f32 where openai's is.
            ((log as f32).max(floor as f32) + 4.0) / 4.0
        }));
    }
    let near = Map {
        values: near,
        begin,
        end,
        n_mels,
    };
    let mut wanted = Vec::with_capacity(frames.len() * n_mels);
    for frame in frames.start as i64..frames.end as i64 {
        if frame >= relative.end || !(relative.frames_begin..relative.frames_end).contains(&frame) {
            wanted.resize(wanted.len() + n_mels, 0.0);
        } else if smoothing == Smoothing::Off {
            wanted.extend_from_slice(near.frame(frame));
        } else {
            near.average_3x3(frame, &mut wanted);
        }
    }
    wanted
}

/// Some frames of the features.
struct Map {
    values: Vec<f32>,
    begin: i64,
    end: i64,
    n_mels: usize,
}

impl Map {
    fn frame(&self, frame: i64) -> &[f32] {
        &self.values[(frame - self.begin) as usize * self.n_mels..][..self.n_mels]
    }

    /// Appends the frame averaged over 3x3 cells. What lies outside the map does not exist.
    fn average_3x3(&self, frame: i64, out: &mut Vec<f32>) {
        let near = (frame - 1).max(self.begin)..(frame + 2).min(self.end);
        for mel in 0..self.n_mels {
            let bins = mel.saturating_sub(1)..(mel + 2).min(self.n_mels);
            let cells = (near.end - near.start) as usize * bins.len();
            let sum: f32 = near
                .clone()
                .flat_map(|frame| &self.frame(frame)[bins.clone()])
                .sum();
            out.push(sum / cells as f32);
        }
    }
}

impl Source<'_> {
    fn relative(&self) -> Relative {
        self.geometry.relative(self.pcm.len())
    }
}

/// The transform, planned once.
fn plan() -> Arc<dyn RealToComplex<f64>> {
    static PLAN: OnceLock<Arc<dyn RealToComplex<f64>>> = OnceLock::new();
    PLAN.get_or_init(|| RealFftPlanner::new().plan_fft_forward(N_FFT))
        .clone()
}

/// Buffers of one task.
struct Scratch {
    fft: Arc<dyn RealToComplex<f64>>,
    windowed: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    work: Vec<Complex<f64>>,
    power: [f64; N_BINS],
    mel: Vec<f64>,
}

impl Scratch {
    fn new(n_mels: usize) -> Scratch {
        let fft = plan();
        Scratch {
            windowed: fft.make_input_vec(),
            spectrum: fft.make_output_vec(),
            work: fft.make_scratch_vec(),
            fft,
            power: [0.0; N_BINS],
            mel: vec![0.0; n_mels],
        }
    }

    /// Computes the mel power of one frame.
    fn mel_power(&mut self, source: Source<'_>, relative: &Relative, frame: i64) {
        let origin = relative.origin + frame * HOP_LENGTH as i64;
        let window = &source.tables[..N_FFT];
        let inside = origin >= relative.mirror_start.max(0)
            && origin + N_FFT as i64 <= relative.mirror_end.min(relative.samples);
        if inside {
            let samples = &source.pcm[origin as usize..][..N_FFT];
            for ((windowed, sample), weight) in self.windowed.iter_mut().zip(samples).zip(window) {
                *windowed = f64::from(*sample) * f64::from(*weight);
            }
        } else if origin >= relative.samples && origin < relative.mirror_end - 2 * N_FFT as i64 {
            self.mel.fill(0.0);
            return;
        } else {
            for (n, (windowed, weight)) in self.windowed.iter_mut().zip(window).enumerate() {
                let sample = relative
                    .heard(origin + n as i64)
                    .map_or(0.0, |index| source.pcm[index]);
                *windowed = f64::from(sample) * f64::from(*weight);
            }
        }
        self.fft
            .process_with_scratch(&mut self.windowed, &mut self.spectrum, &mut self.work)
            .expect("the buffers are of the plan's lengths");
        for (power, bin) in self.power.iter_mut().zip(&self.spectrum) {
            *power = bin.norm_sqr();
        }
        let heads = &source.tables[FILTERS..];
        let n_mels = source.n_mels;
        for (mel, out) in self.mel.iter_mut().enumerate() {
            let [first, count, begin] = [0, 1, 2].map(|i| heads[i * n_mels + mel] as usize);
            let weights = &source.tables[begin..begin + count];
            *out = weights
                .iter()
                .zip(&self.power[first..])
                .map(|(weight, power)| f64::from(*weight) * power)
                .sum();
        }
    }
}
