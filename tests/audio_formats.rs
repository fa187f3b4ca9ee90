//! Audio files in every supported format, against the samples that openai/whisper's ffmpeg command
//! gives for them and against the recording that they were made from.
#![cfg(feature = "audio-files")]

use std::fs::{self, File};
use std::path::PathBuf;

use whisper_rs::Audio;

fn clip(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

fn samples(audio: &Audio) -> Vec<f32> {
    let mut samples = vec![0.0; audio.len()];
    audio.read(0, &mut samples).unwrap();
    samples
}

fn open(name: &str) -> Audio {
    Audio::open(clip(name)).unwrap_or_else(|error| panic!("{error}"))
}

/// FNV-1a over the little-endian bytes of the 16-bit samples.
fn hash(samples: &[f32]) -> u64 {
    let bytes = samples
        .iter()
        .flat_map(|&sample| ((sample * 32768.0) as i16).to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Lossless clips at several rates, widths and channel counts: number of samples, and hash of ffmpeg's.
const LOSSLESS: &[(&str, usize, u64)] = &[
    ("24bit.wav", 8000, 0xcfe0_9199_0077_2aa8),
    ("7_channels.wav", 3200, 0x2aa9_7920_6f64_49a4),
    ("8bit_8k.wav", 16000, 0x1c37_d64d_3912_0f40),
    ("96k.wav", 1600, 0x6db7_ce6c_2f2f_9e77),
    ("alac.m4a", 16000, 0xb93d_28a9_4a17_27de),
    ("flac.flac", 16000, 0xb93d_28a9_4a17_27de),
    ("float.wav", 8000, 0xcfe0_9199_0077_2aa8),
    ("pcm.aiff", 16000, 0xb93d_28a9_4a17_27de),
    ("pcm.caf", 16000, 0xb93d_28a9_4a17_27de),
];

/// Lossy clips: number of samples that ffmpeg gives (but for one), and samples of encoder delay that stay in front.
const LOSSY: &[(&str, usize, usize)] = &[
    ("lame.mp3", 16000, 0),
    ("aac.m4a", 16347, 0),
    ("adts.aac", 17408, 1024),
    ("vorbis.ogg", 16000, 0),
    ("vorbis.webm", 16162, 0),
    ("opus.ogg", 16000, 0),
    // The padding at the end stays, as WebM declares it in a way that is not read.
    ("opus.webm", 16216, 0),
];

#[test]
fn lossless_files_give_the_samples_that_the_reference_gets_from_ffmpeg() {
    for &(name, count, expected) in LOSSLESS {
        let audio = open(&format!("audio/{name}"));
        assert_eq!(audio.len(), count, "{name}");
        assert_eq!(hash(&samples(&audio)), expected, "{name}");
        assert!(
            audio.warnings().is_empty(),
            "{name}: {:?}",
            audio.warnings()
        );
    }
}

#[test]
fn lossy_files_are_as_long_as_from_ffmpeg_and_in_their_place() {
    let original = samples(&open("jfk.wav"));
    let original = &original[4800..20800];
    for &(name, count, delay) in LOSSY {
        let audio = open(&format!("audio/{name}"));
        assert_eq!(audio.len(), count, "{name}");
        assert!(
            audio.warnings().is_empty(),
            "{name}: {:?}",
            audio.warnings()
        );

        let decoded = samples(&audio);
        let decibels = |shift: usize| signal_to_noise(original, &decoded[shift..]);
        let in_place = decibels(delay);
        assert!(in_place > 8.0, "{name}: {in_place:.1} dB");
        // A shift by a single sample would be worse.
        assert!(in_place > decibels(delay + 1), "{name}");
        assert!(delay == 0 || in_place > decibels(delay - 1), "{name}");
    }
}

fn signal_to_noise(signal: &[f32], other: &[f32]) -> f64 {
    let energy = |values: &mut dyn Iterator<Item = f32>| {
        values.map(|value| f64::from(value).powi(2)).sum::<f64>()
    };
    let noise = energy(&mut signal.iter().zip(other).map(|(a, b)| a - b));
    10.0 * (energy(&mut signal.iter().take(other.len()).copied()) / noise).log10()
}

#[test]
fn sixteen_bit_mono_at_16_khz_is_read_to_the_bit() {
    let bytes = fs::read(clip("jfk.wav")).unwrap();
    let data = bytes
        .windows(4)
        .position(|window| window == b"data")
        .unwrap()
        + 8;
    let expected: Vec<f32> = bytes[data..]
        .as_chunks::<2>()
        .0
        .iter()
        .map(|&sample| f32::from(i16::from_le_bytes(sample)) / 32768.0)
        .collect();
    assert_eq!(samples(&open("jfk.wav")), expected);
}

#[test]
fn a_reader_gives_what_the_file_gives() {
    // MP4 is copied to a temporary file first, the others are decoded as they come.
    for name in [
        "audio/aac.m4a",
        "audio/lame.mp3",
        "audio/vorbis.webm",
        "audio/opus.ogg",
        "audio/opus.webm",
        "audio/pcm.aiff",
        "audio/pcm.caf",
        "jfk.wav",
    ] {
        let from_reader = Audio::from_reader(File::open(clip(name)).unwrap(), name).unwrap();
        assert_eq!(samples(&from_reader), samples(&open(name)), "{name}");
    }
}

#[test]
fn a_wav_from_a_pipe_does_not_know_its_length() {
    let mut bytes = fs::read(clip("jfk.wav")).unwrap();
    let data = bytes
        .windows(4)
        .position(|window| window == b"data")
        .unwrap()
        + 4;
    for claimed in [u32::MAX, 0x7fff_ff00] {
        bytes[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        bytes[data..data + 4].copy_from_slice(&claimed.to_le_bytes());
        let audio = Audio::from_reader(std::io::Cursor::new(bytes.clone()), "pipe").unwrap();
        assert_eq!(audio.len(), 176_000);
        assert!(audio.warnings().is_empty(), "{:?}", audio.warnings());
    }
}

#[test]
fn samples_of_the_caller_are_kept_mixed_and_resampled() {
    let kept = Audio::from_samples(vec![0.25, -0.123_456_78]).unwrap();
    assert_eq!(samples(&kept), [0.25, -0.123_456_78]);
    assert_eq!(kept.seconds(), 2.0 / 16_000.0);

    let pcm = Audio::from_pcm16(vec![16384, -32768]);
    assert_eq!(samples(&pcm), [0.5, -1.0]);

    let stereo = Audio::from_samples_at(&[0.5, 0.25, -1.0, 0.0], 16_000, 2).unwrap();
    assert_eq!(samples(&stereo), [0.375, -0.5]);

    // A second of a low tone at 48 kHz, in two channels.
    let tone = |rate: f64, i: usize| {
        (0.5 * (std::f64::consts::TAU * 440.0 * i as f64 / rate).sin()) as f32
    };
    let interleaved: Vec<f32> = (0..48_000).flat_map(|i| [tone(48_000.0, i); 2]).collect();
    let resampled = samples(&Audio::from_samples_at(&interleaved, 48_000, 2).unwrap());
    assert_eq!(resampled.len(), 16_000);
    let error = (100..15_900)
        .map(|i| (resampled[i] - tone(16_000.0, i)).abs())
        .fold(0.0, f32::max);
    assert!(error < 1e-4, "{error}");
}

#[test]
fn reading_past_the_end_gives_zeros() {
    let audio = open("jfk.wav");
    let mut out = [9.0; 4];
    audio.read(175_998, &mut out).unwrap();
    assert_eq!(out[2..], [0.0, 0.0]);
    audio.read(usize::MAX / 4, &mut out).unwrap();
    assert_eq!(out, [0.0; 4]);
}
