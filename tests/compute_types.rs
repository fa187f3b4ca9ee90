//! The CPU's compute types on real speech; the first run fetches the model.
#![cfg(all(feature = "audio-files", feature = "fetch"))]

use burn::tensor::{FloatDType, Int, Tensor, TensorData};
use whisper_rs::frontend::{self, Features, N_FRAMES};
use whisper_rs::model::WhisperModel;
use whisper_rs::{Audio, ComputeType, Segment, TranscribeOptions, Whisper, device};
use whisper_weights::{Checkpoint, Silent, fetch};

const CLIP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/jfk.wav");

fn checkpoint() -> Checkpoint {
    Checkpoint::open(fetch("tiny.en", &Silent).unwrap()).unwrap()
}

/// The clip's segments, greedily.
fn transcribe(compute_type: ComputeType) -> Vec<Segment> {
    let device = device::open("cpu").unwrap();
    let whisper = Whisper::from_checkpoint_as(&checkpoint(), &device, compute_type).unwrap();
    let mut options = TranscribeOptions::default();
    options.temperatures = vec![0.0];
    let audio = Audio::open(CLIP).unwrap();
    whisper.transcribe(&audio, &options).unwrap().segments
}

fn tokens(segments: &[Segment]) -> Vec<u32> {
    (segments.iter().flat_map(|segment| &segment.tokens))
        .copied()
        .collect()
}

#[test]
fn a_weight_that_half_precision_holds_gives_the_same_bits_in_it() {
    let (checkpoint, device) = (checkpoint(), device::open("cpu").unwrap());
    let audio = Audio::open(CLIP).unwrap();
    let log_mel = frontend::log_mel(80, &device).unwrap();
    let mel = (Features::new(log_mel, &audio).unwrap())
        .window(0, N_FRAMES)
        .unwrap();
    let logits = |model: WhisperModel| -> Vec<f32> {
        let mut state = model.decoder.start(model.encode(mel.clone()), 1);
        let prompt = TensorData::new(vec![50_257_i64, 50_362, 843], [1, 3]);
        let prompt = Tensor::<2, Int>::from_data(prompt, &device);
        let hidden = model.decoder.forward(prompt, &mut state);
        let logits = model.decoder.logits(hidden);
        logits.into_data().try_to_vec().unwrap()
    };
    let kept = ComputeType::Float32.numbers_on(&device).unwrap();
    let kept = WhisperModel::from_checkpoint(&checkpoint, &device, kept).unwrap();
    let widened = WhisperModel::from_checkpoint(&checkpoint, &device, FloatDType::F32).unwrap();
    assert!(logits(kept) == logits(widened));
}

#[test]
fn integers_give_the_tokens_of_single_precision() {
    let expected = transcribe(ComputeType::Float32);
    for compute_type in [ComputeType::Int16, ComputeType::Int8] {
        let ours = transcribe(compute_type);
        assert_eq!(tokens(&ours), tokens(&expected), "{compute_type}");
        for (ours, expected) in ours.iter().zip(&expected) {
            assert!((ours.avg_logprob - expected.avg_logprob).abs() < 2e-3);
            assert!((ours.no_speech_prob - expected.no_speech_prob).abs() < 2e-3);
        }
    }
}

#[test]
fn integers_give_the_same_bits_on_any_number_of_threads() {
    for compute_type in [ComputeType::Int8, ComputeType::Int16] {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let segments = pool.unwrap().install(|| transcribe(compute_type));
            let bits = |segment: &Segment| {
                let probabilities = [segment.avg_logprob, segment.no_speech_prob];
                (segment.tokens.clone(), probabilities.map(f64::to_bits))
            };
            segments.iter().map(bits).collect::<Vec<_>>()
        };
        let one = on(1);
        assert!(!one.is_empty());
        assert_eq!(one, on(3), "{compute_type}");
    }
}

#[test]
fn strict_refuses_rounded_weights() {
    let device = device::open("cpu").unwrap();
    let mut options = TranscribeOptions::default();
    options.strict = true;
    options.temperatures = vec![0.0];
    let audio = Audio::open(CLIP).unwrap();
    for compute_type in [ComputeType::Int8, ComputeType::Int16, ComputeType::Float16] {
        let whisper = Whisper::from_checkpoint_as(&checkpoint(), &device, compute_type).unwrap();
        let message = whisper
            .transcribe(&audio, &options)
            .unwrap_err()
            .to_string();
        assert!(message.contains("float32"), "{message}");
    }
}
