//! Measures resamplers to 16 kHz against ffmpeg's and against an ideal filter: the figures of
//! `docs/audio.md`.
//!
//! ```sh
//! cargo bench --bench resampler_quality -- [CLIP...]
//! ```
//!
//! Needs `ffmpeg` and `ffprobe`. Clips are audio files at rates other than 16 kHz; without any, only
//! tones and noise are measured.

use std::error::Error;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Instant;

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, Fft, FixedAsync, FixedSync, Resampler, SincInterpolationParameters,
    SincInterpolationType, WindowFunction,
};
use whisper_rs::Audio;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const OUT: f64 = 16_000.0;

/// Resamples from this rate in Hz to 16 kHz.
type Resample = fn(&[f32], u32) -> Result<Vec<f32>>;

/// The resamplers that are compared.
const CANDIDATES: [(&str, Resample); 5] = [
    ("whisper-rs", ours),
    ("rubato Fft", rubato_fft),
    ("rubato sinc 256, cubic", |x, rate| {
        rubato_sinc(x, rate, 256, SincInterpolationType::Cubic)
    }),
    ("rubato sinc 128, linear", |x, rate| {
        rubato_sinc(x, rate, 128, SincInterpolationType::Linear)
    }),
    ("ffmpeg", ffmpeg),
];

fn main() -> Result<()> {
    tones()?;
    println!();
    println!(
        "| Signal | Rate | Resampler | SNR against ffmpeg | SNR against ideal | ms per minute |"
    );
    println!("|---|---|---|---|---|---|");
    for rate in [8_000, 22_050, 44_100, 48_000, 96_000] {
        compare("noise below 6 kHz", &noise(rate), rate)?;
    }
    // Cargo says `--bench`.
    let clips = std::env::args().skip(1).filter(|word| word != "--bench");
    for clip in clips {
        let name = std::path::Path::new(&clip)
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let (samples, rate) = decode(&clip)?;
        compare(&name, &samples, rate)?;
    }
    Ok(())
}

/// Gain, delay and aliasing of single tones.
fn tones() -> Result<()> {
    let heard = [1000.0, 5000.0, 6000.0, 7000.0, 7500.0];
    let unheard = [8500.0, 9500.0, 12_000.0];
    println!(
        "| Rate | Resampler | Delay (samples) | 1 kHz | 5 kHz | 6 kHz | 7 kHz | 7.5 kHz | 8.5 kHz | 9.5 kHz | 12 kHz |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for rate in [44_100, 48_000, 96_000] {
        for (name, resample) in CANDIDATES {
            let mut row = format!("| {rate} | {name} |");
            let (_, delay) = response(&resample(&tone(1000.0, rate), rate)?, 1000.0);
            row += &format!(" {delay:+.4} |");
            for frequency in heard {
                let (gain, _) = response(&resample(&tone(frequency, rate), rate)?, frequency);
                row += &format!(" {gain:+.4} dB |");
            }
            for frequency in unheard {
                let out = resample(&tone(frequency, rate), rate)?;
                row += &format!(" {:.0} dB |", level(&out[1000..15_000]));
            }
            println!("{row}");
        }
    }
    Ok(())
}

fn compare(signal: &str, samples: &[f32], rate: u32) -> Result<()> {
    let reference = ffmpeg(samples, rate)?;
    let ideal = ideal(samples, rate, reference.len());
    for (name, resample) in CANDIDATES {
        let start = Instant::now();
        let out = resample(samples, rate)?;
        let milliseconds =
            start.elapsed().as_secs_f64() * 1000.0 * 60.0 * f64::from(rate) / samples.len() as f64;
        let time = if name == "ffmpeg" {
            String::new()
        } else {
            format!("{milliseconds:.1}")
        };
        println!(
            "| {signal} | {rate} | {name} | {} | {} | {time} |",
            decibels(snr(&reference, &out)),
            decibels(snr(&ideal, &out))
        );
    }
    Ok(())
}

fn decibels(value: f64) -> String {
    if value.is_finite() {
        format!("{value:.1} dB")
    } else {
        "equal".into()
    }
}

// Resamplers.

fn ours(samples: &[f32], rate: u32) -> Result<Vec<f32>> {
    let audio = Audio::from_samples_at(samples, rate, 1)?;
    let mut out = vec![0.0; audio.len()];
    audio.read(0, &mut out)?;
    Ok(out)
}

fn rubato_fft(samples: &[f32], rate: u32) -> Result<Vec<f32>> {
    whole(
        &mut Fft::new(rate as usize, OUT as usize, 1024, 1, FixedSync::Both)?,
        samples,
    )
}

fn rubato_sinc(
    samples: &[f32],
    rate: u32,
    length: usize,
    interpolation: SincInterpolationType,
) -> Result<Vec<f32>> {
    let parameters = SincInterpolationParameters::new(length, WindowFunction::BlackmanHarris2)
        .oversampling_factor(256)
        .interpolation(interpolation);
    let ratio = OUT / f64::from(rate);
    whole(
        &mut Async::new_sinc(ratio, 1.0, &parameters, 1024, 1, FixedAsync::Input)?,
        samples,
    )
}

fn whole(resampler: &mut dyn Resampler<f32>, samples: &[f32]) -> Result<Vec<f32>> {
    let input = InterleavedSlice::new(samples, 1, samples.len())?;
    Ok(resampler
        .process_all(&input, samples.len(), None)?
        .take_data())
}

fn ffmpeg(samples: &[f32], rate: u32) -> Result<Vec<f32>> {
    let rate = rate.to_string();
    let arguments = [
        "-v", "error", "-f", "f32le", "-ar", &rate, "-ac", "1", "-i", "-", "-ar", "16000", "-f",
        "f32le", "-",
    ];
    let mut child = Command::new("ffmpeg")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().ok_or("no pipe to ffmpeg")?;
    let bytes: Vec<u8> = samples
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect();
    let writer = std::thread::spawn(move || stdin.write_all(&bytes));
    let output = child.wait_with_output()?;
    writer
        .join()
        .map_err(|_| "the thread that writes to ffmpeg failed")??;
    Ok(floats(&output.stdout))
}

/// Each sample by a sinc of 512 zero crossings on either side, cut at the lower Nyquist frequency, in f64.
fn ideal(samples: &[f32], rate: u32, count: usize) -> Vec<f32> {
    let scale = (OUT / f64::from(rate)).min(1.0);
    let reach = 512.0 / scale;
    (0..count)
        .map(|k| {
            let position = k as f64 * f64::from(rate) / OUT;
            let first = (position - reach).ceil().max(0.0) as usize;
            let last = ((position + reach) as usize + 1).min(samples.len());
            let sum: f64 = (first..last)
                .map(|i| {
                    let offset = i as f64 - position;
                    let x = std::f64::consts::PI * offset * scale;
                    let sinc = if x == 0.0 { 1.0 } else { x.sin() / x };
                    let window = (std::f64::consts::FRAC_PI_2 * offset / reach).cos().powi(2);
                    f64::from(samples[i]) * sinc * window
                })
                .sum();
            (sum * scale) as f32
        })
        .collect()
}

// Signals.

fn tone(frequency: f64, rate: u32) -> Vec<f32> {
    let step = std::f64::consts::TAU * frequency / f64::from(rate);
    (0..rate)
        .map(|i| (0.5 * (step * f64::from(i)).sin()) as f32)
        .collect()
}

/// Four seconds of many tones below 6 kHz (or 3 kHz for low rates).
fn noise(rate: u32) -> Vec<f32> {
    let highest = 6000.0f64.min(f64::from(rate) * 0.375);
    let mut samples = vec![0.0f32; 4 * rate as usize];
    for n in 0..100u32 {
        let frequency = highest * (f64::from(n) + 0.5) / 100.0;
        let step = std::f64::consts::TAU * frequency / f64::from(rate);
        let phase = f64::from(n * n);
        for (i, sample) in samples.iter_mut().enumerate() {
            *sample += (0.02 * (step * i as f64 + phase).sin()) as f32;
        }
    }
    samples
}

/// A clip mixed to mono at its own rate.
fn decode(clip: &str) -> Result<(Vec<f32>, u32)> {
    let probe = [
        "-v",
        "error",
        "-select_streams",
        "a:0",
        "-show_entries",
        "stream=sample_rate",
        "-of",
        "csv=p=0",
        clip,
    ];
    let rate = String::from_utf8(Command::new("ffprobe").args(probe).output()?.stdout)?
        .trim()
        .parse()?;
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i", clip, "-ac", "1", "-f", "f32le", "-"])
        .output()?;
    Ok((floats(&output.stdout), rate))
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|&bytes| f32::from_le_bytes(bytes))
        .collect()
}

// Measures.

/// Gain in dB and delay in samples of a tone of amplitude 0.5, away from the ends.
fn response(out: &[f32], frequency: f64) -> (f64, f64) {
    let step = std::f64::consts::TAU * frequency / OUT;
    let (mut sine, mut cosine) = (0.0, 0.0);
    // Whole periods of every tone measured.
    let range = 1000..15_000;
    for i in range.clone() {
        let (sin, cos) = (step * i as f64).sin_cos();
        sine += f64::from(out[i]) * sin;
        cosine += f64::from(out[i]) * cos;
    }
    let amplitude = 2.0 * sine.hypot(cosine) / range.len() as f64;
    (20.0 * (amplitude / 0.5).log10(), -cosine.atan2(sine) / step)
}

/// Level in dB relative to a tone of amplitude 0.5.
fn level(samples: &[f32]) -> f64 {
    let mean = samples.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / samples.len() as f64;
    10.0 * (mean / 0.125).log10()
}

/// Signal-to-noise ratio in dB, a tenth of a second away from the ends.
fn snr(signal: &[f32], other: &[f32]) -> f64 {
    let end = signal.len().min(other.len()).saturating_sub(1600);
    let (mut energy, mut noise) = (0.0, 0.0);
    for i in 1600..end {
        energy += f64::from(signal[i]).powi(2);
        noise += (f64::from(signal[i]) - f64::from(other[i])).powi(2);
    }
    10.0 * (energy / noise).log10()
}
