//! An hour of audio: neither decoding it nor its features take memory that grows with its length.
#![cfg(feature = "audio-files")]
#![cfg(target_os = "linux")]

use std::io::Read;

use burn::tensor::Device;
use whisper_rs::Audio;
use whisper_rs::frontend::{self, Features};

const SECONDS: usize = 3600;
const RATE: usize = 8_000;

/// A WAV file that is made while it is read: a tone that swells and fades.
struct Synthesised {
    header: Vec<u8>,
    position: usize,
}

impl Synthesised {
    fn new() -> Synthesised {
        let bytes = (SECONDS * RATE * 2) as u32;
        let mut header = b"RIFF".to_vec();
        header.extend_from_slice(&(bytes + 36).to_le_bytes());
        header.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
        header.extend_from_slice(&(RATE as u32).to_le_bytes());
        header.extend_from_slice(&(2 * RATE as u32).to_le_bytes());
        header.extend_from_slice(b"\x02\0\x10\0data");
        header.extend_from_slice(&bytes.to_le_bytes());
        Synthesised {
            header,
            position: 0,
        }
    }

    fn byte(&self, position: usize) -> u8 {
        if position < self.header.len() {
            return self.header[position];
        }
        let offset = position - self.header.len();
        let i = offset / 2;
        let swell = ((i / RATE) % 10) as i32 * 300;
        let sample = if (i / 20).is_multiple_of(2) {
            swell
        } else {
            -swell
        } as i16;
        sample.to_le_bytes()[offset % 2]
    }
}

impl Read for Synthesised {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let left = self.header.len() + SECONDS * RATE * 2 - self.position;
        let count = out.len().min(left);
        for (i, byte) in out[..count].iter_mut().enumerate() {
            *byte = self.byte(self.position + i);
        }
        self.position += count;
        Ok(count)
    }
}

/// The peak of this process's resident memory in MB.
fn peak_memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<f64>()
        .unwrap()
        / 1000.0
}

#[test]
fn an_hour_needs_little_memory() {
    let before = peak_memory();
    let audio = Audio::from_reader(Synthesised::new(), "an hour").unwrap();
    assert_eq!(audio.len(), SECONDS * 16_000);
    let decoded = peak_memory();

    let mel = frontend::log_mel(80, &Device::flex()).unwrap();
    let mut features = Features::new(mel, &audio).unwrap();
    assert_eq!(features.content_frames(), SECONDS * 100);
    for start in (0..SECONDS * 100).step_by(60_000) {
        let window = features.window(start, 3000).unwrap().into_data();
        assert!(
            window
                .as_slice::<f32>()
                .unwrap()
                .iter()
                .any(|&value| value > 0.0)
        );
    }
    let done = peak_memory();
    println!(
        "peak memory: {before:.0} MB before, {decoded:.0} MB decoded, {done:.0} MB with features"
    );
    // The samples alone would be 115 MB, the features another 115 MB.
    assert!(
        done - before < 80.0,
        "{before:.0} MB before, {decoded:.0} MB decoded, {done:.0} MB with features"
    );
}
