//! The log-Mel features on host memory.
//!
//! The Fourier transform and the filterbank are in f64: the reference's f32 is then off from this by
//! its own rounding alone. Frames are computed in parallel, each task a run of neighbours, of which
//! some go through the filterbank side by side, one a vector lane.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, SimdOp, SimdUnaryOp};

use super::math;
use super::output::Output;
use crate::Smoothing;
use crate::log_mel::{
    DYNAMIC_RANGE, FILTERS, Geometry, HOP_LENGTH, N_BINS, N_FFT, POWER_FLOOR, Relative,
};

/// Frames that one task computes: whole groups of lanes.
const TASK: usize = 64;

/// Frames that go through the filterbank side by side.
const LANES: usize = 8;

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
            let end = frames.min((task + 1) * TASK);
            let mut largest = 0.0;
            for first in (task * TASK..end).step_by(LANES) {
                scratch.mel_power(source, &relative, first as i64);
                for lanes in &scratch.mel {
                    largest = lanes[..LANES.min(end - first)]
                        .iter()
                        .copied()
                        .fold(largest, f32::max);
                }
            }
            largest
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
            for (mel, values) in block.chunks_exact(end - begin).enumerate() {
                let row = (window * source.n_mels + mel) * frames + begin;
                // SAFETY: no other task writes these frames of this window.
                let row = unsafe {
                    std::slice::from_raw_parts_mut(output.at(row, end - begin), end - begin)
                };
                row.copy_from_slice(values);
            }
        });
    };
    // SAFETY: the tasks together write all frames of all windows.
    unsafe { Output::collect(windows * source.n_mels * frames, fill) }
}

/// The normalised features of some frames, counted from the first window's first: `[n_mels,
/// frames]`.
fn normalised(
    source: Source<'_>,
    maximum: f32,
    smoothing: Smoothing,
    frames: Range<usize>,
) -> Vec<f32> {
    let relative = source.relative();
    let halo = smoothing.halo() as i64;
    let (start, end) = (frames.start as i64, frames.end as i64);
    let floor = f64::from(maximum).max(POWER_FLOOR).log10() - DYNAMIC_RANGE;
    let map = Map::new(
        source,
        &relative,
        // The neighbours that exist.
        (start - halo).max(relative.frames_begin)..(end + halo).min(relative.frames_end),
        floor as f32,
    );
    let mut wanted = vec![0.0; source.n_mels * frames.len()];
    // Frames outside the file, and from the last one asked for on, stay zeros.
    let written = start.max(relative.frames_begin)..end.min(relative.end).min(relative.frames_end);
    if written.is_empty() {
        return wanted;
    }
    for (mel, row) in wanted.chunks_exact_mut(frames.len()).enumerate() {
        let row = &mut row[(written.start - start) as usize..(written.end - start) as usize];
        match smoothing {
            Smoothing::Off => row.copy_from_slice(map.row(mel, written.clone())),
            Smoothing::Average3x3 => map.average_3x3(mel, written.clone(), row),
        }
    }
    wanted
}

/// Some frames of the normalised features: `[n_mels, frames]`.
struct Map {
    values: Vec<f32>,
    frames: Range<i64>,
    n_mels: usize,
}

impl Map {
    fn new(source: Source<'_>, relative: &Relative, frames: Range<i64>, floor: f32) -> Map {
        let width = (frames.end - frames.start).max(0) as usize;
        let mut values = vec![0.0; source.n_mels * width];
        let mut scratch = Scratch::new(source.n_mels);
        for at in (0..width).step_by(LANES) {
            scratch.mel_power(source, relative, frames.start + at as i64);
            let count = LANES.min(width - at);
            for (row, lanes) in values.chunks_exact_mut(width).zip(&scratch.mel) {
                row[at..at + count].copy_from_slice(&lanes[..count]);
            }
        }
        Normalise { floor }.map_mut(&mut values);
        Map {
            values,
            frames,
            n_mels: source.n_mels,
        }
    }

    /// Frames of one bin.
    fn row(&self, mel: usize, frames: Range<i64>) -> &[f32] {
        let width = (self.frames.end - self.frames.start) as usize;
        let row = &self.values[mel * width..][..width];
        &row[(frames.start - self.frames.start) as usize..(frames.end - self.frames.start) as usize]
    }

    /// The frames of one bin averaged over 3x3 cells. What lies outside the map does not exist.
    fn average_3x3(&self, mel: usize, frames: Range<i64>, out: &mut [f32]) {
        let near = (frames.start - 1).max(self.frames.start)..(frames.end + 1).min(self.frames.end);
        let bins = mel.saturating_sub(1)..(mel + 2).min(self.n_mels);
        // From the neighbour of the first frame to that of the last; those that do not exist add nothing.
        let mut sums = vec![0.0; out.len() + 2];
        let there =
            (near.start + 1 - frames.start) as usize..(near.end + 1 - frames.start) as usize;
        for bin in bins.clone() {
            for (sum, value) in sums[there.clone()]
                .iter_mut()
                .zip(self.row(bin, near.clone()))
            {
                *sum += value;
            }
        }
        for ((frame, out), around) in frames.zip(out).zip(sums.windows(3)) {
            let columns = (frame + 2).min(near.end) - (frame - 1).max(near.start);
            let cells = columns as usize * bins.len();
            *out = (around[0] + around[1] + around[2]) / cells as f32;
        }
    }
}

/// From mel powers to features: log10, cut off below `floor`, plus 4, divided by 4.
struct Normalise {
    floor: f32,
}

impl SimdUnaryOp<f32> for Normalise {
    #[inline(always)]
    fn eval<I: Isa>(&self, isa: I, power: I::F32) -> I::F32 {
        let ops = isa.f32();
        let log = math::log_10(isa, ops.max(power, ops.splat(POWER_FLOOR as f32)));
        let log = ops.max(log, ops.splat(self.floor));
        ops.mul(ops.add(log, ops.splat(4.0)), ops.splat(0.25))
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
    /// Powers of the frames side by side, by frequency bin and by mel bin.
    power: [[f64; LANES]; N_BINS],
    mel: Vec<[f32; LANES]>,
}

impl Scratch {
    fn new(n_mels: usize) -> Scratch {
        let fft = plan();
        Scratch {
            windowed: fft.make_input_vec(),
            spectrum: fft.make_output_vec(),
            work: fft.make_scratch_vec(),
            fft,
            power: [[0.0; LANES]; N_BINS],
            mel: vec![[0.0; LANES]; n_mels],
        }
    }

    /// Computes the mel powers of the frames from `first` on, one a lane. Those of frames that do not
    /// exist mean nothing.
    fn mel_power(&mut self, source: Source<'_>, relative: &Relative, first: i64) {
        let origin = |frame: i64| relative.origin + frame * HOP_LENGTH as i64;
        let silence = relative.samples..relative.mirror_end - 2 * N_FFT as i64;
        if silence.contains(&origin(first)) && silence.contains(&origin(first + LANES as i64 - 1)) {
            self.mel.fill([0.0; LANES]);
            return;
        }
        for lane in 0..LANES {
            self.transform(source, relative, origin(first + lane as i64));
            for (power, bin) in self.power.iter_mut().zip(&self.spectrum) {
                power[lane] = bin.norm_sqr();
            }
        }
        Filterbank {
            tables: source.tables,
            power: &self.power,
            mel: &mut self.mel,
        }
        .dispatch();
    }

    /// Computes the spectrum of the frame whose first sample is at `origin`.
    fn transform(&mut self, source: Source<'_>, relative: &Relative, origin: i64) {
        let window = &source.tables[..N_FFT];
        let inside = origin >= relative.mirror_start.max(0)
            && origin + N_FFT as i64 <= relative.mirror_end.min(relative.samples);
        if inside {
            let samples = &source.pcm[origin as usize..][..N_FFT];
            for ((windowed, sample), weight) in self.windowed.iter_mut().zip(samples).zip(window) {
                *windowed = f64::from(*sample) * f64::from(*weight);
            }
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
    }
}

/// The filterbank over frames side by side. The loops over lanes become vectors of the instruction
/// set that is dispatched to.
struct Filterbank<'a> {
    tables: &'a [f32],
    power: &'a [[f64; LANES]; N_BINS],
    mel: &'a mut [[f32; LANES]],
}

impl SimdOp for Filterbank<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, _isa: I) {
        let n_mels = self.mel.len();
        let heads = &self.tables[FILTERS..];
        for (mel, out) in self.mel.iter_mut().enumerate() {
            let [first, count, begin] = [0, 1, 2].map(|i| heads[i * n_mels + mel] as usize);
            let weights = &self.tables[begin..begin + count];
            let mut sums = [0.0; LANES];
            for (weight, power) in weights.iter().zip(&self.power[first..]) {
                for (sum, power) in sums.iter_mut().zip(power) {
                    *sum += f64::from(*weight) * power;
                }
            }
            *out = sums.map(|sum| sum as f32);
        }
    }
}
