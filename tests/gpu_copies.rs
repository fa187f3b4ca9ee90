//! Transcribing on a GPU: the samples go up, the tokens come back, and nothing else crosses. In a file of its own: all of a
//! process's copies are counted. The first run fetches the model.

#![cfg(any(feature = "wgpu", feature = "cuda"))]
#![cfg_attr(feature = "ndarray", allow(deprecated))]

#[path = "../kernels/tests/support/devices.rs"]
mod devices;

use burn::tensor::Device;
use devices::devices;
use whisper_kernels::{Copies, count_copies};
use whisper_rs::transcribe::Segments;
use whisper_rs::{Audio, ComputeType, TranscribeOptions, Whisper};
use whisper_weights::{Checkpoint, Silent};

/// Tokens of each window.
const TOKENS: usize = 6;

/// Greedy, each window with a prompt of one token, and not to the end of its text: the steps are alike, and a software driver is slow.
fn options() -> TranscribeOptions {
    let mut options = TranscribeOptions::default();
    options.temperatures = vec![0.0];
    options.beam_size = None;
    options.condition_on_previous_text = false;
    options.max_new_tokens = Some(TOKENS);
    options
}

/// Three times what was said, 33 s: two windows.
fn recording() -> Audio {
    let jfk = Audio::open(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/jfk.wav")).unwrap();
    let mut samples = vec![0.0; jfk.len()];
    jfk.read(0, &mut samples).unwrap();
    Audio::from_samples(samples.repeat(3)).unwrap()
}

/// The first segment that begins at `frame` or later.
fn segment_from(segments: &mut Segments<'_>, frame: usize) -> String {
    let mut segments = segments.map(Result::unwrap);
    segments.find(|segment| segment.seek >= frame).unwrap().text
}

/// What a call and the work that it leaves behind copy.
fn counted<T>(device: &Device, call: impl FnOnce() -> T) -> (T, Copies) {
    device.sync().unwrap();
    let (result, copies) = count_copies(device, || {
        let result = call();
        device.sync().unwrap();
        result
    });
    let copies =
        copies.expect("copies are counted; on CUDA the library path has to lead to libcupti.so");
    (result, copies)
}

#[track_caller]
fn assert_uploads(copies: Copies, count: usize, bytes: usize) {
    assert_eq!(copies.to_device.count, count, "{copies:?}");
    // wgpu tells the number alone.
    if let Some(uploaded) = copies.to_device.bytes {
        assert_eq!(uploaded, bytes as u64, "{copies:?}");
    }
}

fn only_samples_and_tokens_cross(device: &Device, whisper: &Whisper, n_vocab: usize) {
    let (audio, options) = (recording(), options());
    let begin = || whisper.transcription(&audio, &options).segments().unwrap();
    let mut segments = begin();
    // Kernels are compiled, and what windows share is put on the device.
    let first = segment_from(&mut segments, 0);
    assert!(first.contains("fellow Americans"), "{first}");

    // A window: its prompt goes up; of each step token and log-probability come back, and once the probability that there
    // is no speech.
    let (_, copies) = counted(device, || segment_from(&mut segments, 1));
    assert_uploads(copies, 1, 4);
    assert_eq!(copies.to_host.count, TOKENS + 1, "{copies:?}");
    let bytes = 8 * TOKENS as u64 + 4;
    assert_eq!(copies.to_host.bytes, Some(bytes), "{copies:?}");

    // A recording: its samples, and two masks of tokens that are suppressed.
    let (_, copies) = counted(device, begin);
    assert_uploads(copies, 3, 4 * audio.len() + 2 * n_vocab);
    assert_eq!(copies.to_host.count, 0, "{copies:?}");
}

#[test]
fn tokens_alone_come_back_from_the_device() {
    let path = whisper_weights::fetch("tiny.en", &Silent).expect("the model can be fetched");
    let checkpoint = Checkpoint::open(path).unwrap();
    for (name, device) in devices() {
        if name == "ndarray" {
            continue;
        }
        for numbers in [ComputeType::Float32, ComputeType::Float16] {
            if numbers.on(&device).is_err() {
                println!("{name} has no {numbers:?}");
                continue;
            }
            println!("{name}, {numbers:?}");
            let whisper = Whisper::from_checkpoint_as(&checkpoint, &device, numbers).unwrap();
            only_samples_and_tokens_cross(&device, &whisper, checkpoint.dims().n_vocab);
        }
    }
}
