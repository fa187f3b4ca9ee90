//! Writes what a microphone hears: `cargo run --release --features microphone --example microphone -- [MODEL]`; Enter ends it.
//!
//! On Linux building it takes the headers of ALSA (Debian: `libasound2-dev`), and so it is in no default build.
//!
//! Speech comes without an end, and a transcription begins with a whole recording: it is cut into pieces of some seconds at the
//! quietest place, which is between words more often than not.

use std::error::Error;
use std::io::Write;

use whisper_rs::{Audio, TranscribeOptions, Whisper};

/// Seconds that are collected before a piece is cut off.
const PIECE: usize = 8;
/// Seconds at the end of a piece, in which the cut is.
const CUT_WITHIN: usize = 3;
/// Parts of a second that are compared to find the quietest place.
const PARTS: usize = 10;

/// What is heard, interleaved, in blocks of any size.
pub struct Source {
    /// Frames per second.
    pub sample_rate: u32,
    /// Samples in a frame.
    pub channels: usize,
    /// The samples, in [-1, 1].
    pub blocks: Box<dyn Iterator<Item = Vec<f32>>>,
}

#[cfg(feature = "microphone")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (source, _stream) = device::open()?;
    listen(&arguments, source, &mut std::io::stdout())
}

#[cfg(not(feature = "microphone"))]
fn main() {
    eprintln!("error: this was built without the feature `microphone`");
}

/// Writes the text of each piece as soon as it is heard.
pub fn listen(
    arguments: &[String],
    source: Source,
    out: &mut dyn Write,
) -> Result<(), Box<dyn Error>> {
    let whisper = Whisper::builder(arguments.first().map_or("base", |model| model)).load()?;
    let Source {
        sample_rate,
        channels,
        blocks,
    } = source;
    // A piece is brought to the model's rate as a whole: each block by itself would have edges.
    let write = |samples: &[f32], out: &mut dyn Write| -> Result<(), Box<dyn Error>> {
        let audio = Audio::from_samples_at(samples, sample_rate, channels)?;
        let transcript = whisper.transcribe(&audio, &TranscribeOptions::default())?;
        writeln!(out, "{}", transcript.text.trim())?;
        Ok(out.flush()?)
    };
    let rate = sample_rate as usize;
    let mut heard = Vec::new();
    for block in blocks {
        heard.extend(block);
        if heard.len() >= PIECE * rate * channels {
            let rest = heard.split_off(quietest(&heard, rate, channels));
            write(&heard, out)?;
            heard = rest;
        }
    }
    write(&heard, out)
}

/// The middle of the quietest tenth of a second in the last seconds: how many samples, of whole frames, lie before it.
fn quietest(samples: &[f32], rate: usize, channels: usize) -> usize {
    let (frames, part) = (samples.len() / channels, rate / PARTS);
    let loudness = |frame: &usize| -> f32 {
        let part = &samples[frame * channels..(frame + part) * channels];
        part.iter().map(|sample| sample * sample).sum()
    };
    let cut = (frames - CUT_WITHIN * rate..frames - part)
        .step_by(part / 2)
        .min_by(|a, b| loudness(a).total_cmp(&loudness(b)))
        .map_or(frames, |frame| frame + part / 2);
    cut * channels
}

/// The default microphone.
#[cfg(feature = "microphone")]
mod device {
    use std::error::Error;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::{self, Sender};
    use std::thread;

    use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
    use cpal::{FromSample, SampleFormat, SizedSample, Stream, StreamConfig};

    use super::Source;

    /// What the microphone hears, for as long as the stream is kept and until Enter is pressed.
    pub fn open() -> Result<(Source, Stream), Box<dyn Error>> {
        let device = cpal::default_host()
            .default_input_device()
            .ok_or("there is no microphone")?;
        let format = device.default_input_config()?;
        let (heard, blocks) = mpsc::channel();
        let config = format.clone().into();
        let stream = match format.sample_format() {
            SampleFormat::F32 => begin::<f32>(&device, &config, heard),
            SampleFormat::I16 => begin::<i16>(&device, &config, heard),
            SampleFormat::I32 => begin::<i32>(&device, &config, heard),
            SampleFormat::U8 => begin::<u8>(&device, &config, heard),
            other => Err(format!("samples of {other} are not supported").into()),
        }?;
        stream.play()?;
        let ended = Arc::new(AtomicBool::new(false));
        let end = ended.clone();
        thread::spawn(move || {
            let _ = std::io::stdin().read_line(&mut String::new());
            end.store(true, Ordering::Relaxed);
        });
        let source = Source {
            sample_rate: format.sample_rate().0,
            channels: format.channels().into(),
            blocks: Box::new(
                blocks
                    .into_iter()
                    .take_while(move |_| !ended.load(Ordering::Relaxed)),
            ),
        };
        Ok((source, stream))
    }

    fn begin<T: SizedSample>(
        device: &cpal::Device,
        config: &StreamConfig,
        heard: Sender<Vec<f32>>,
    ) -> Result<Stream, Box<dyn Error>>
    where
        f32: FromSample<T>,
    {
        let hear = move |samples: &[T], _: &cpal::InputCallbackInfo| {
            let samples = samples.iter().map(|&sample| f32::from_sample_(sample));
            // Nobody listens any more when the program ends.
            let _ = heard.send(samples.collect());
        };
        let failed = |error| eprintln!("error: {error}");
        Ok(device.build_input_stream(config, hear, failed, None)?)
    }
}
