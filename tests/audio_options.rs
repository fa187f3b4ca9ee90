//! Audio that is opened with options: one channel alone, and samples without a header.
#![cfg(feature = "audio-files")]

use std::io::Cursor;

use whisper_rs::Audio;
use whisper_rs::audio::{AudioOptions, Channel};

fn samples(bytes: &[u8], options: &AudioOptions) -> Vec<f32> {
    let audio = Audio::from_reader_with(Cursor::new(bytes.to_vec()), "input", options)
        .unwrap_or_else(|error| panic!("{error}"));
    let mut samples = vec![0.0; audio.len()];
    audio.read(0, &mut samples).unwrap();
    samples
}

fn raw(format: &str, channel: Channel) -> AudioOptions {
    let mut options = AudioOptions::default();
    options.raw = Some(format.parse().unwrap());
    options.channel = channel;
    options
}

/// Two channels of 16-bit samples that have nothing in common.
fn stereo() -> (Vec<u8>, Vec<f32>, Vec<f32>) {
    let left: Vec<i16> = (0..4000).map(|i| (i * 7 % 3001 - 1500) as i16).collect();
    let right: Vec<i16> = (0..4000).map(|i| (i * 13 % 997) as i16).collect();
    let bytes = (left.iter().zip(&right))
        .flat_map(|(left, right)| [left.to_le_bytes(), right.to_le_bytes()].concat())
        .collect();
    let floats = |samples: &[i16]| {
        samples
            .iter()
            .map(|&sample| f32::from(sample) / 32768.0)
            .collect()
    };
    (bytes, floats(&left), floats(&right))
}

#[test]
fn one_channel_is_heard_as_it_is() {
    let (bytes, left, right) = stereo();
    assert_eq!(samples(&bytes, &raw("s16le,16000,2", Channel::Left)), left);
    assert_eq!(
        samples(&bytes, &raw("s16le,16000,2", Channel::Right)),
        right
    );
    let mixed = samples(&bytes, &raw("s16le,16000,2", Channel::Mix));
    assert!(mixed != left && mixed.len() == left.len());
    // The only channel is every channel.
    let mono = samples(&bytes, &raw("s16le,16000,1", Channel::Mix));
    assert_eq!(mono.len(), 8000);
    assert_eq!(samples(&bytes, &raw("s16le,16000,1", Channel::Right)), mono);
}

#[test]
fn raw_samples_of_every_type_are_the_same_signal() {
    let signal: Vec<i16> = (0..1600)
        .map(|i| (i * 37 % 2000 - 1000) * 16)
        .map(|s| s as i16)
        .collect();
    let bytes = |sample: &dyn Fn(i16) -> Vec<u8>| -> Vec<u8> {
        signal.iter().flat_map(|&value| sample(value)).collect()
    };
    let expected = samples(
        &bytes(&|s| s.to_le_bytes().to_vec()),
        &raw("s16le,16000,1", Channel::Mix),
    );
    assert_eq!(expected.len(), 1600);
    for (format, bytes) in [
        (
            "s24le",
            bytes(&|s| (i32::from(s) << 8).to_le_bytes()[..3].to_vec()),
        ),
        (
            "s32le",
            bytes(&|s| (i32::from(s) << 16).to_le_bytes().to_vec()),
        ),
        (
            "f32le",
            bytes(&|s| (f32::from(s) / 32768.0).to_le_bytes().to_vec()),
        ),
        (
            "f64le",
            bytes(&|s| (f64::from(s) / 32768.0).to_le_bytes().to_vec()),
        ),
    ] {
        let ours = samples(&bytes, &raw(&format!("{format},16000,1"), Channel::Mix));
        assert_eq!(ours, expected, "{format}");
    }
    let eight = samples(
        &bytes(&|s| vec![((s >> 8) + 128) as u8]),
        &raw("u8,16000,1", Channel::Mix),
    );
    let far = eight
        .iter()
        .zip(&expected)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    assert!(far <= 1.0 / 128.0, "{far}");
    for format in ["alaw", "mulaw"] {
        // 0x55 and 0xff are silence.
        let silence = vec![if format == "alaw" { 0x55u8 } else { 0xff }; 800];
        let heard = samples(&silence, &raw(&format!("{format},8000,1"), Channel::Mix));
        assert!(
            heard.len() == 1600 && heard.iter().all(|s| s.abs() < 0.001),
            "{format}"
        );
    }
    // Half a sample at the end is no sample.
    assert_eq!(
        samples(&[0; 33], &raw("s16le,16000,1", Channel::Mix)).len(),
        16
    );
}
