//! Audio that cannot be used, or only in part: one clear line, no panic, no memory by a header's claims.
#![cfg(feature = "audio-files")]

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use whisper_rs::audio::{AudioOptions, ffmpeg_version};
use whisper_rs::{Audio, Error};

#[path = "common/hostile_audio.rs"]
mod hostile_audio;

fn clip(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/audio")
        .join(name)
}

/// The one line that a file is refused with.
#[track_caller]
fn refusal(path: impl AsRef<Path>) -> String {
    let error = Audio::open(path.as_ref()).expect_err("is not refused");
    let line = error.to_string();
    assert!(!line.contains('\n'), "{line}");
    assert!(line.starts_with(path.as_ref().to_str().unwrap()), "{line}");
    line
}

/// The same for bytes from a reader.
#[track_caller]
fn refusal_of(bytes: Vec<u8>) -> String {
    let line = Audio::from_reader(Cursor::new(bytes), "input")
        .expect_err("is not refused")
        .to_string();
    assert!(
        line.starts_with("input: ") && !line.contains('\n'),
        "{line}"
    );
    line
}

/// A WAV file of 16-bit samples with this header.
fn wav(channels: u16, rate: u32, bits: u16, claimed: u32, data: &[u8]) -> Vec<u8> {
    let block = channels.wrapping_mul(bits / 8);
    let mut out = b"RIFF".to_vec();
    out.extend_from_slice(&claimed.saturating_add(36).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0");
    out.extend_from_slice(&channels.to_le_bytes());
    out.extend_from_slice(&rate.to_le_bytes());
    out.extend_from_slice(&rate.wrapping_mul(block.into()).to_le_bytes());
    out.extend_from_slice(&block.to_le_bytes());
    out.extend_from_slice(&bits.to_le_bytes());
    out.extend_from_slice(b"data");
    out.extend_from_slice(&claimed.to_le_bytes());
    out.extend_from_slice(data);
    out
}

fn read(bytes: Vec<u8>) -> Audio {
    Audio::from_reader(Cursor::new(bytes), "input").unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_missing_file() {
    assert!(matches!(
        Audio::open("no_such_file.wav"),
        Err(Error::Io { .. })
    ));
    refusal("no_such_file.wav");
}

#[test]
fn a_folder() {
    assert!(refusal(clip("")).contains("folder"));
}

#[cfg(unix)]
#[test]
fn a_device_that_may_be_endless() {
    assert!(refusal("/dev/zero").contains("device"));
}

#[test]
fn an_empty_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    assert!(refusal(file.path()).contains("empty"));
    assert!(refusal_of(Vec::new()).contains("empty"));
}

#[test]
fn text_named_wav() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.wav");
    fs::write(&path, "This is a text.\n".repeat(500)).unwrap();
    let line = refusal(&path);
    assert!(
        line.contains("not audio") && line.contains("ffmpeg"),
        "{line}"
    );
}

#[test]
fn a_codec_that_is_not_supported_is_named() {
    let line = refusal(clip("ac3.mka"));
    assert!(line.contains("AC-3") && line.contains("ffmpeg"), "{line}");
}

/// Some of its packets can be decoded, but most of what is said is in the others.
#[test]
fn a_codec_of_a_kind_that_is_not_supported_is_no_silence() {
    let line = refusal(clip("aac_main.aac"));
    assert!(
        line.contains("AAC audio of this kind") && line.contains("ffmpeg"),
        "{line}"
    );
    let whole = fs::read(clip("aac_main.aac")).unwrap();
    refusal_of(whole.clone());
    let mut options = AudioOptions::default();
    options.ffmpeg = true;
    if ffmpeg_version().is_none() {
        return;
    }
    // The tag is what an MP3 may begin with as well.
    let tagged = [&b"ID3\x04\0\0\0\0\0\0"[..], &whole].concat();
    for bytes in [whole, tagged] {
        let heard = Audio::from_reader_with(Cursor::new(bytes), "input", &options).unwrap();
        assert!(heard.seconds() > 0.9, "{}", heard.seconds());
    }
}

#[test]
fn a_container_that_is_not_supported_is_named() {
    let avi = [b"RIFF\x24\0\0\0AVI LIST", &[0; 4_000][..]].concat();
    assert!(refusal_of(avi).contains("is an AVI video"));
    let other = [b"RIFF\x24\0\0\0RMIDdata", &[0; 4_000][..]].concat();
    assert!(refusal_of(other).contains("is a RIFF file other than WAV"));
    assert!(refusal_of(b"RIFF".to_vec()).contains("starts as WAV"));
}

#[test]
fn a_truncated_mp3_gives_what_is_there() {
    let bytes = fs::read(clip("lame.mp3")).unwrap();
    let audio = read(bytes[..bytes.len() / 2].to_vec());
    assert!((6_000..10_000).contains(&audio.len()), "{}", audio.len());
    assert!(
        matches!(audio.warnings(), [line] if line.contains("cut off")),
        "{:?}",
        audio.warnings()
    );
    // Of 100 bytes nothing is left.
    refusal_of(bytes[..100].to_vec());
}

#[test]
fn a_truncated_wav_gives_what_is_there() {
    let audio = read(wav(1, 16_000, 16, 64_000, &[1; 3_001]));
    assert_eq!(audio.len(), 1_500);
    assert!(
        matches!(audio.warnings(), [line] if line.contains("breaks off")),
        "{:?}",
        audio.warnings()
    );
}

#[test]
fn broken_packets_are_left_out() {
    let mut bytes = fs::read(clip("flac.flac")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 3000].fill(0xaa);
    let audio = read(bytes);
    assert!((4_000..16_000).contains(&audio.len()), "{}", audio.len());
    assert!(!audio.warnings().is_empty());
}

#[test]
fn zero_samples_are_empty_audio() {
    let audio = read(wav(1, 16_000, 16, 0, &[]));
    assert!(audio.is_empty() && audio.seconds() == 0.0 && audio.warnings().is_empty());
    assert!(read(wav(2, 44_100, 16, 0, &[])).is_empty());
}

#[test]
fn samples_that_are_no_numbers_are_refused_with_their_place() {
    let line = refusal(clip("float_nan.wav"));
    assert!(line.contains("0.250 s") && line.contains("NaN"), "{line}");
    assert!(Audio::from_samples(vec![0.0, f32::INFINITY]).is_err());
    let stereo = Audio::from_samples_at(&[0.0, 0.0, 0.0, f32::NAN], 16_000, 2).unwrap_err();
    assert!(stereo.to_string().contains("0.000 s"), "{stereo}");
}

#[test]
fn impossible_headers() {
    let data = [0; 4_000];
    for (channels, rate, bits) in [
        (1, 0, 16),
        (0, 16_000, 16),
        (1, u32::MAX, 16),
        (1, 1, 16),
        (1, 16_000, 0),
    ] {
        refusal_of(wav(channels, rate, bits, 4_000, &data));
    }
    // 65,535 channels, of which there is no whole frame.
    let _ = Audio::from_reader(
        Cursor::new(wav(u16::MAX, 16_000, 16, u32::MAX, &data)),
        "input",
    );
    assert!(Audio::from_samples_at(&[0.0; 3], 16_000, 0).is_err());
    assert!(Audio::from_samples_at(&[0.0; 3], 16_000, 2).is_err());
    assert!(Audio::from_samples_at(&[0.0; 3], 0, 1).is_err());
}

#[test]
fn a_reader_that_fails() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the line went dead"))
        }
    }
    let line = Audio::from_reader(Broken, "input").unwrap_err().to_string();
    assert!(line.contains("the line went dead"), "{line}");
}

/// Random damage to small files of every format: each is decoded in part or refused, without a panic.
#[test]
fn damaged_files_never_panic() {
    let mut random = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 11) as usize % below.max(1)
    };
    let mut decoded = 0;
    let mut clips: Vec<PathBuf> = fs::read_dir(clip(""))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    clips.retain(|path| path.extension().is_some_and(|extension| extension != "md"));
    clips.sort();
    assert!(clips.len() > 10);
    for path in clips {
        let whole = fs::read(&path).unwrap();
        for _ in 0..40 {
            let mut bytes = whole.clone();
            match next(3) {
                0 => bytes.truncate(next(whole.len())),
                // The header is where lengths, rates and counts are claimed.
                1 => (0..4).for_each(|_| bytes[next(whole.len().min(256))] = next(256) as u8),
                _ => (0..20).for_each(|_| bytes[next(whole.len())] = next(256) as u8),
            }
            decoded += usize::from(Audio::from_reader(Cursor::new(bytes), "input").is_ok());
        }
    }
    assert!(decoded > 100, "{decoded}");
}

/// What the fuzz target found worth keeping.
#[test]
fn the_corpus_of_the_fuzz_target() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/audio");
    let entries = fs::read_dir(corpus).unwrap();
    let outcomes: Vec<bool> = entries
        .map(|entry| hostile_audio::decode(&fs::read(entry.unwrap().path()).unwrap()))
        .collect();
    let decoded = outcomes.iter().filter(|&&decoded| decoded).count();
    assert!(
        decoded > 5 && outcomes.len() > 20,
        "{decoded} of {}",
        outcomes.len()
    );
}
