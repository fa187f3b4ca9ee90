//! Writes what a microphone hears: `cargo run --release --features microphone --example microphone -- [MODEL]`; Ctrl-C ends it.
//!
//! On Linux building it takes the headers of ALSA (Debian: `libasound2-dev`), and so it is in no default build.
//!
//! Speech comes without an end, and a transcription begins with a whole recording: it is cut into pieces of some seconds at the
//! quietest place, which is between words more often than not.

use std::error::Error;
use std::io::Write;

use whisper_rs::audio::SAMPLE_RATE;
use whisper_rs::{Audio, TranscribeOptions, Whisper};

/// Samples that are collected before a piece is cut off.
const PIECE: usize = 8 * SAMPLE_RATE;
/// The end of a piece, in which the cut is.
const CUT_WITHIN: usize = 3 * SAMPLE_RATE;
/// What is compared to find the quietest place: a tenth of a second.
const QUIET: usize = SAMPLE_RATE / 10;

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
    let mut heard: Vec<f32> = Vec::new();
    for block in source.blocks {
        let block = Audio::from_samples_at(&block, source.sample_rate, source.channels)?;
        let begin = heard.len();
        heard.resize(begin + block.len(), 0.0);
        block.read(0, &mut heard[begin..])?;
        if heard.len() >= PIECE {
            let rest = heard.split_off(quietest(&heard));
            write(&whisper, heard, out)?;
            heard = rest;
        }
    }
    write(&whisper, heard, out)
}

/// The middle of the quietest tenth of a second in the last seconds.
fn quietest(samples: &[f32]) -> usize {
    let begin = samples.len() - CUT_WITHIN;
    let loudness = |place: &usize| -> f32 {
        let part = &samples[*place..*place + QUIET];
        part.iter().map(|sample| sample * sample).sum()
    };
    (begin..samples.len() - QUIET)
        .step_by(QUIET / 2)
        .min_by(|a, b| loudness(a).total_cmp(&loudness(b)))
        .map_or(samples.len(), |place| place + QUIET / 2)
}

fn write(whisper: &Whisper, samples: Vec<f32>, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let audio = Audio::from_samples(samples)?;
    let transcript = whisper.transcribe(&audio, &TranscribeOptions::default())?;
    writeln!(out, "{}", transcript.text.trim())?;
    Ok(out.flush()?)
}

/// The default microphone.
#[cfg(feature = "microphone")]
mod device {
    use std::error::Error;
    use std::sync::mpsc;

    use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};

    use super::Source;

    /// What the microphone hears for as long as the stream is kept.
    pub fn open() -> Result<(Source, cpal::Stream), Box<dyn Error>> {
        let device = cpal::default_host()
            .default_input_device()
            .ok_or("there is no microphone")?;
        let config = device.default_input_config()?;
        let (heard, blocks) = mpsc::channel();
        let stream = device.build_input_stream(
            &config.clone().into(),
            move |samples: &[f32], _: &cpal::InputCallbackInfo| {
                // Nobody listens any more when the program ends.
                let _ = heard.send(samples.to_vec());
            },
            |error| eprintln!("error: {error}"),
            None,
        )?;
        stream.play()?;
        let source = Source {
            sample_rate: config.sample_rate().0,
            channels: config.channels().into(),
            blocks: Box::new(blocks.into_iter()),
        };
        Ok((source, stream))
    }
}
