//! Whisper's log-Mel features of a signal by the fused operation alone, without a model: a custom operation that any Burn
//! program can call.
//!
//!     cargo run --release --example log_mel -- [AUDIO] [DEVICE]
//!
//! Without a file, the features of a rising tone are shown.

use std::error::Error;
use std::io::{self, Write};

use burn::tensor::{DType, Device, FloatDType, Tensor, TensorData};
use whisper_kernels::{LogMelConfig, Pcm, Smoothing, Windows};
use whisper_rs::{Audio, device};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    run(&arguments, &mut io::stdout())
}

/// Writes the features of a file, or of a rising tone, as characters.
pub fn run(arguments: &[String], out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let samples = match arguments.first() {
        Some(path) => {
            let audio = Audio::open(path)?;
            let mut samples = vec![0.0; audio.len()];
            audio.read(0, &mut samples)?;
            samples
        }
        None => rising_tone(),
    };
    let device = device::open(arguments.get(1).map_or("auto", |device| device))?;

    // A whole signal: one call.
    let log_mel = LogMelConfig::new(80).init(&device)?;
    let pcm = upload(samples.clone(), &device);
    let features: Tensor<2> = log_mel.forward(pcm.clone());
    writeln!(
        out,
        "{:?} features of {} samples",
        features.dims(),
        samples.len()
    )?;
    draw(features, out)?;

    // Some windows of a long one, in half precision and smoothed: the maximum first, then what is wanted.
    let log_mel = log_mel.with_smoothing(Smoothing::Average3x3);
    let pcm = Pcm::whole(pcm.unsqueeze());
    let maximum = log_mel.maximum(&pcm, None);
    let windows = Windows {
        count: 3,
        stride: 50,
        ..Windows::one(0, 100)
    };
    let dtype = match device.supports_dtype(DType::F16) {
        true => FloatDType::F16,
        false => FloatDType::F32,
    };
    let windows = log_mel.windows(&pcm, &maximum, windows, dtype)?;
    writeln!(out, "{:?} {:?}, smoothed", windows.dims(), windows.dtype())?;
    Ok(())
}

fn upload(samples: Vec<f32>, device: &Device) -> Tensor<1> {
    let length = samples.len();
    Tensor::from_data(TensorData::new(samples, [length]), (device, DType::F32))
}

/// Two seconds that rise from 100 Hz to 6 kHz.
fn rising_tone() -> Vec<f32> {
    let mut phase = 0.0f32;
    (0..32_000)
        .map(|i| {
            let hertz = 100.0 + 5900.0 * (i as f32 / 32_000.0).powi(2);
            phase = (phase + std::f32::consts::TAU * hertz / 16_000.0) % std::f32::consts::TAU;
            0.5 * phase.sin()
        })
        .collect()
}

/// The features as characters: mel bins upwards, time to the right.
fn draw(features: Tensor<2>, out: &mut dyn Write) -> io::Result<()> {
    const SHADES: [char; 5] = [' ', '.', ':', 'o', '#'];
    let [n_mels, frames] = features.dims();
    let values: Vec<f32> = features.into_data().iter::<f32>().collect();
    for mel in (0..n_mels).rev().step_by(5) {
        let line: String = (0..frames.min(4000))
            .step_by((frames / 100).max(1))
            .map(|t| {
                // The features span 2 at most, from the loudest down.
                let loudness = (values[mel * frames + t] + 0.5).clamp(0.0, 1.99) / 2.0;
                SHADES[(loudness * SHADES.len() as f32) as usize]
            })
            .collect();
        writeln!(out, "|{line}|")?;
    }
    Ok(())
}
