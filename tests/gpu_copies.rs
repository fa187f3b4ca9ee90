//! Transcribing on a GPU: the samples go up, the tokens come back, and nothing else crosses. In a file of its own: all of a
//! process's copies are counted. The first run fetches the model.

#![cfg(any(feature = "wgpu", feature = "cuda"))]
#![cfg_attr(feature = "ndarray", allow(deprecated))]

#[path = "../kernels/tests/support/devices.rs"]
mod devices;

use devices::devices;
use whisper_kernels::{count_copies, count_launches};
use whisper_rs::{Audio, ComputeType, TranscribeOptions, Whisper};
use whisper_weights::{Checkpoint, Silent};

#[test]
fn tokens_alone_come_back_from_the_device() {
    let path = whisper_weights::fetch("tiny.en", &Silent).expect("the model can be fetched");
    let checkpoint = Checkpoint::open(path).unwrap();
    let audio = Audio::open(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/jfk.wav")).unwrap();
    let mut options = TranscribeOptions::default();
    options.temperatures = vec![0.0];
    options.beam_size = None;
    for (name, device) in devices() {
        if name == "ndarray" {
            continue;
        }
        let whisper =
            Whisper::from_checkpoint_as(&checkpoint, &device, ComputeType::Float32).unwrap();
        let transcribe = || {
            let transcript = whisper.transcribe(&audio, &options).unwrap();
            device.sync().unwrap();
            transcript
        };
        // Kernels are compiled, and what they share is put on the device.
        let before = transcribe();
        let ((transcript, launches), copies) = count_copies(&device, || count_launches(transcribe));
        let copies = copies
            .expect("copies are counted; on CUDA the library path has to lead to libcupti.so");
        println!("{name}: {copies:?}, {} launches", launches.total());
        assert_eq!(transcript.text, before.text);
        assert!(transcript.text.contains("ask not what your country"));

        // The tokens and the end of text, of one window, and once the probability that there is no speech.
        let tokens: usize = (transcript.segments.iter()).map(|s| s.tokens.len()).sum();
        assert_eq!(copies.to_host.count, tokens + 2, "{name}: {copies:?}");
        let of_tokens = 8 * (tokens as u64 + 1) + 4;
        assert_eq!(copies.to_host.bytes, Some(of_tokens), "{name}");
        // The samples, and the prompt, which is one token. Which tokens are suppressed, and what kernels are told of shapes and places, went up
        // before, and is kept.
        assert_eq!(copies.to_device.count, 2, "{name}: {copies:?}");
        // wgpu tells the number alone.
        if let Some(to_device) = copies.to_device.bytes {
            let expected = 4 * audio.len() + 4;
            assert_eq!(to_device, expected as u64, "{name}: {copies:?}");
        }
    }
}
