//! `whisper-rs bench frontend`: the fused log-Mel kernels beside the same composed of Burn's operations.

use std::path::{Path, PathBuf};

use burn::tensor::{DType, Device, FloatDType, Tensor, TensorData};
use clap::Args;
use serde::Serialize;
use whisper_kernels::{ComposedLogMel, Pcm, Windows};
use whisper_rs::audio::SAMPLE_RATE;
use whisper_rs::device::{ChosenDevice, is_gpu};
use whisper_rs::frontend::{HOP_LENGTH, LogMelConfig, N_FFT, Smoothing};
use whisper_rs::measure::{self, Timer};
use whisper_rs::output::write_atomically;
use whisper_rs::{Audio, Error, device};

use super::counted::{self, Counted};
use super::report::{Lines, Seconds, bytes, peaks, time};
use super::sync;
use crate::cli::feedback::waiting::Waiting;
use crate::cli::{SmoothingKind, chosen_device, output_lines};

/// The arguments of `bench frontend`.
#[derive(Debug, Args)]
pub struct FrontendArguments {
    /// Audio file
    pub file: PathBuf,

    /// Device to run on
    #[arg(long, default_value = "auto", help = format!("Device to run on: {}", device::AVAILABLE.join(", ")))]
    pub device: String,

    /// Mel bins: 80, or 128 as the large-v3 models have
    #[arg(long = "n_mels", default_value_t = 80)]
    pub n_mels: usize,

    /// Average the features over 3x3 neighbours
    #[arg(long, value_enum, default_value = "none")]
    pub smoothing: SmoothingKind,

    /// Repeat the file until it is this many seconds long
    #[arg(long)]
    pub seconds: Option<f64>,

    /// Measured runs of each
    #[arg(long, default_value_t = 20)]
    pub runs: usize,

    /// Leave out the composed operations, which need far more memory
    #[arg(long = "fused_only")]
    pub fused_only: bool,

    /// Write the fused features to a file: float32, little-endian, [n_mels, frames]
    #[arg(long, value_name = "FILE")]
    pub features: Option<PathBuf>,

    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
}

/// What the benchmark found.
#[derive(Debug, Serialize)]
struct Report {
    device: String,
    device_description: Option<String>,
    samples: usize,
    audio_seconds: f64,
    n_mels: usize,
    smoothing: bool,
    /// The samples once and the features once.
    floor_bytes: u64,
    /// What an elementwise operation that moves as many bytes takes on this device.
    floor: Seconds,
    /// 2.5 N log2 N for each frame's real transform of N = 400 samples.
    fft_operations: f64,
    fused: Way,
    composed: Option<Way>,
    /// Largest difference between the two.
    largest_difference: Option<f32>,
}

/// One way to compute the features.
#[derive(Debug, Serialize)]
struct Way {
    /// What the runtime counted in one run.
    #[serde(flatten)]
    counted: Counted,
    time: Seconds,
    bytes_per_second: f64,
    times_floor: f64,
    fft_operations_per_second: f64,
    /// Device memory that the allocator holds at most, the samples among it.
    peak_device_bytes: Option<u64>,
    peak_host_bytes: Option<u64>,
}

pub fn run(arguments: &FrontendArguments) -> Result<(), Error> {
    if arguments.runs == 0 {
        return Err(Error::Option("--runs: at least 1 is needed".to_owned()));
    }
    let chosen = chosen_device::open(&arguments.device)?;
    let device = chosen.device.clone();
    let smoothing = Smoothing::from(arguments.smoothing);
    let config = LogMelConfig::new(arguments.n_mels).with_smoothing(smoothing);
    let samples = samples(arguments)?;
    let n_samples = samples.len();
    let log_mel = config
        .init(&device)
        .map_err(|error| Error::Option(error.to_string()))?;
    let frames = log_mel.frames(n_samples);
    if frames < 2 {
        return Err(Error::Audio {
            name: arguments.file.display().to_string(),
            reason: format!(
                "too short to measure; at least {} samples are needed",
                2 * HOP_LENGTH
            ),
        });
    }
    let pcm: Tensor<2> = Tensor::from_data(
        TensorData::new(samples, [1, n_samples]),
        (&device, DType::F32),
    );
    let timer = Timer::on(&device).warm_up(3).repetitions(arguments.runs);
    let work = Work {
        device: &device,
        timer: &timer,
        floor_bytes: 4 * (n_samples + frames * arguments.n_mels) as u64,
        fft_operations: frames as f64 * 2.5 * N_FFT as f64 * (N_FFT as f64).log2(),
    };

    // Memory first: the allocator's peak cannot be reset.
    let fused = || {
        let pcm = Pcm::whole(pcm.clone());
        let maximum = log_mel.maximum(&pcm, None);
        let windows = Windows::one(0, frames);
        log_mel
            .windows(&pcm, &maximum, windows, FloatDType::F32)
            .expect("the whole signal holds its own frames")
    };
    let waiting = Waiting::for_first_work(&device);
    let peak = work.first_run(fused)?;
    drop(waiting);
    if let Some(path) = &arguments.features {
        write(fused(), path)?;
    }
    let floor = work.floor()?;
    let fused_way = work.measure(fused, &floor, peak)?;
    let (composed_way, difference) = if arguments.fused_only {
        (None, None)
    } else {
        let composed = ComposedLogMel::new(config, &device)
            .map_err(|error| Error::Option(error.to_string()))?;
        let compose = || composed.forward_batch(pcm.clone());
        let peak = work.first_run(compose)?;
        let way = work.measure(compose, &floor, peak)?;
        let difference: f32 = (fused() - compose()).abs().max().into_scalar();
        (Some(way), Some(difference))
    };
    let report = Report {
        device: chosen.name.clone(),
        device_description: chosen.description.clone(),
        samples: n_samples,
        audio_seconds: n_samples as f64 / SAMPLE_RATE as f64,
        n_mels: arguments.n_mels,
        smoothing: smoothing != Smoothing::Off,
        floor_bytes: work.floor_bytes,
        floor,
        fft_operations: work.fft_operations,
        fused: fused_way,
        composed: composed_way,
        largest_difference: difference,
    };
    if arguments.json {
        output_lines::print_json(&report)
    } else {
        output_lines::print(&describe(&report, &chosen))
    }
}

/// The file's samples, repeated to the length asked for.
fn samples(arguments: &FrontendArguments) -> Result<Vec<f32>, Error> {
    let audio = Audio::open(&arguments.file)?;
    let mut samples = vec![0.0; audio.len()];
    audio.read(0, &mut samples)?;
    if let Some(seconds) = arguments.seconds {
        let wanted = seconds * SAMPLE_RATE as f64;
        // What the composed operations keep between them is many times the features.
        let (most, advice) = match arguments.fused_only {
            true => (36_000.0, ""),
            false => (3600.0, ", with --fused_only ten hours"),
        };
        if !(0.02..=most).contains(&seconds) {
            return Err(Error::Option(format!(
                "--seconds {seconds}: between 0.02 and {most} can be measured{advice}"
            )));
        }
        if samples.is_empty() {
            return Err(Error::Option(format!(
                "{}: there is no sample to repeat",
                arguments.file.display()
            )));
        }
        samples = samples
            .iter()
            .copied()
            .cycle()
            .take(wanted as usize)
            .collect();
    }
    Ok(samples)
}

/// Writes features as they lie in memory.
fn write(features: Tensor<3>, path: &Path) -> Result<(), Error> {
    let unreadable = |error: String| Error::Device(format!("cannot read the features: {error}"));
    let data = features.try_into_data();
    let data = data.map_err(|error| unreadable(error.to_string()))?;
    write_atomically(path, |out| {
        (data.iter::<f32>()).try_for_each(|value| out.write_all(&value.to_le_bytes()))
    })
}

/// What the ways are measured with.
struct Work<'a> {
    device: &'a Device,
    timer: &'a Timer,
    floor_bytes: u64,
    fft_operations: f64,
}

impl Work<'_> {
    /// The first run compiles the kernels. Returns the device memory held at most.
    fn first_run(&self, call: impl Fn() -> Tensor<3>) -> Result<Option<u64>, Error> {
        let features = call();
        sync(self.device)?;
        drop(features);
        Ok(measure::device_memory(self.device).map(|memory| memory.peak_reserved))
    }

    /// Launches, copies, memory and time of one way.
    fn measure(
        &self,
        call: impl Fn() -> Tensor<3>,
        floor: &Seconds,
        peak_device_bytes: Option<u64>,
    ) -> Result<Way, Error> {
        measure::reset_host_peak();
        let counted = counted::count(self.device, &call)?;
        let peak_host_bytes = measure::host_memory().map(|memory| memory.peak);
        let series = self.timer.time(&call)?;
        Ok(Way {
            counted,
            bytes_per_second: self.floor_bytes as f64 / series.median(),
            times_floor: series.median() / floor.median,
            fft_operations_per_second: self.fft_operations / series.median(),
            time: Seconds::from(&series),
            peak_device_bytes,
            peak_host_bytes,
        })
    }

    /// The time of reading half of the floor's bytes and writing the other half.
    fn floor(&self) -> Result<Seconds, Error> {
        let half = (self.floor_bytes / 8) as usize;
        let numbers: Tensor<1> = Tensor::zeros([half], (self.device, DType::F32));
        let series = self.timer.time(|| numbers.clone() + 1.0)?;
        Ok(Seconds::from(&series))
    }
}

fn describe(report: &Report, chosen: &ChosenDevice) -> String {
    let mut lines = Lines::default();
    lines.add(format!(
        "log-Mel features of {:.0} s of audio, {} mel bins{}, on {}",
        report.audio_seconds,
        report.n_mels,
        if report.smoothing { ", smoothed" } else { "" },
        chosen_device::title(chosen)
    ));
    lines.add(format!(
        "floor: samples once, features once = {}; an elementwise operation moves that in {}",
        bytes(report.floor_bytes),
        time(report.floor.median)
    ));
    let mut ways = vec![("fused", &report.fused)];
    ways.extend(report.composed.as_ref().map(|way| ("composed", way)));
    for (name, way) in ways {
        lines.add(format!("\n{name}"));
        lines.add(format!(
            "  time          {} median of {}, {} least, spread {:.0} %",
            time(way.time.median),
            way.time.runs,
            time(way.time.min),
            way.time.relative_spread * 100.0
        ));
        lines.add(format!(
            "  throughput    {:.1} GB/s, {:.1} times the floor's time, {:.1} GFLOP/s of FFT",
            way.bytes_per_second / 1e9,
            way.times_floor,
            way.fft_operations_per_second / 1e9
        ));
        way.counted.describe("  ", &mut lines);
        let (host, device) = (way.peak_host_bytes, way.peak_device_bytes);
        let peaks = peaks(host, device, is_gpu(&chosen.device));
        lines.add(format!("  memory        {peaks}"));
    }
    if let Some(composed) = &report.composed {
        lines.add(format!(
            "\nfused / composed: {:.3}; largest difference {:.1e}",
            report.fused.time.median / composed.time.median,
            report.largest_difference.unwrap_or(f32::NAN)
        ));
    }
    lines.text()
}
