//! The network on every other device that is compiled in computes what it does on the CPU.

#![cfg(any(feature = "ndarray", feature = "wgpu", feature = "cuda"))]
#![cfg_attr(feature = "ndarray", allow(deprecated))]

#[path = "../kernels/tests/support/devices.rs"]
mod devices;

use burn::module::Module;
use burn::tensor::{DType, Device, Distribution, FloatDType, Int, Tensor, TensorData};
use devices::devices;
use whisper_rs::Audio;
use whisper_rs::frontend::{self, Features, N_FRAMES};
use whisper_rs::model::WhisperModel;
use whisper_weights::ModelDims;

/// The narrowest that has everything: several heads and layers, and heads as wide as Whisper's.
const DIMS: ModelDims = ModelDims {
    n_mels: 80,
    n_audio_ctx: 1500,
    n_audio_state: 128,
    n_audio_head: 2,
    n_audio_layer: 2,
    n_vocab: 51_864,
    n_text_ctx: 448,
    n_text_state: 128,
    n_text_head: 2,
    n_text_layer: 2,
};

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().try_to_vec().unwrap()
}

fn on<const D: usize>(device: &Device, tensor: &Tensor<D>) -> Tensor<D> {
    Tensor::from_data(tensor.to_data(), (device, DType::F32))
}

fn tokens(tokens: &[i64], rows: usize, device: &Device) -> Tensor<2, Int> {
    let data = TensorData::new(tokens.to_vec(), [rows, tokens.len() / rows]);
    Tensor::from_data(data, device)
}

/// How far apart the values are, beside the largest of them.
fn difference<const D: usize>(expected: &Tensor<D>, actual: Tensor<D>) -> f32 {
    let (expected, actual) = (values(expected.clone()), values(actual));
    assert_eq!(expected.len(), actual.len());
    let largest = expected.iter().fold(0.0f32, |max, x| max.max(x.abs()));
    let apart = expected.iter().zip(&actual).map(|(x, y)| (x - y).abs());
    // A NaN is as far off as can be.
    apart.fold(0.0f32, |max, x| if x <= max { max } else { x }) / largest
}

/// The states and logits of a prompt, of a step after it, and of steps of several rows.
fn decode(model: &WhisperModel, features: Tensor<3>) -> Vec<(&'static str, Tensor<3>)> {
    let device = features.device();
    let mut state = model.decoder.start(features, 5);
    let prompt = model.decoder.forward(
        tokens(&[50_257, 50_362, 11, 12, 13], 1, &device),
        &mut state,
    );
    let step = model.decoder.forward(tokens(&[14], 1, &device), &mut state);
    state.select_rows(&[0, 0, 0]);
    let rows = model
        .decoder
        .forward(tokens(&[15, 16, 17], 3, &device), &mut state);
    state.select_rows(&[2, 1, 2]);
    let reordered = model
        .decoder
        .forward(tokens(&[18, 19, 20], 3, &device), &mut state);
    vec![
        ("prompt", prompt),
        ("step", step),
        ("three rows", rows.clone()),
        ("reordered rows", reordered),
        ("logits", model.decoder.logits(rows)),
    ]
}

/// Compares every stage with the CPU's, on every device, in an element type.
fn check(dtype: FloatDType, tolerance: f32) {
    let cpu = Device::flex();
    let model = WhisperModel::random(&DIMS, &cpu);
    let mel = Tensor::<3>::random([1, 80, 3000], Distribution::Uniform(-1.0, 1.0), &cpu);
    let stem = model.encoder.conv_stem(mel.clone());
    let features = model.encode(mel.clone());
    let decoded = decode(&model, features.clone());
    for (name, device) in devices() {
        if !device.supports_dtype(DType::from(dtype)) {
            println!("{name}: no {dtype:?}");
            continue;
        }
        let model = model.clone().to_device(&device).cast(dtype);
        let mel = on(&device, &mel).cast(dtype);
        let mut stages = vec![
            (
                "convolutions",
                difference(&stem, model.encoder.conv_stem(mel.clone())),
            ),
            ("encoder", difference(&features, model.encode(mel))),
        ];
        // From the same features, so that each stage answers for itself.
        let there = decode(&model, on(&device, &features).cast(dtype));
        for ((stage, expected), (_, actual)) in decoded.iter().zip(there) {
            stages.push((stage, difference(expected, actual)));
        }
        println!("{name}, {dtype:?}: {stages:?}");
        for (stage, difference) in stages {
            assert!(
                difference < tolerance,
                "{name}, {dtype:?}, {stage}: {difference:e}"
            );
        }
    }
}

#[test]
fn every_device_computes_the_same() {
    check(FloatDType::F32, 1e-4);
}

#[test]
#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn half_precision_is_close() {
    check(FloatDType::F16, 1e-2);
}

/// Features of real speech, by blocks of the engine's, beside openai/whisper's own.
#[test]
fn the_features_of_jfk_are_openais_on_every_device() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/");
    let bytes = std::fs::read(format!("{data}reference/jfk-mel.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let reference = tensors.tensor("mel").unwrap();
    let [frames, n_mels] = *reference.shape() else {
        panic!("{:?}", reference.shape())
    };
    let (numbers, _) = reference.data().as_chunks();
    let expected: Vec<f32> = numbers.iter().map(|&x| f32::from_le_bytes(x)).collect();
    let audio = Audio::open(format!("{data}jfk.wav")).unwrap();
    for (name, device) in devices() {
        let log_mel = frontend::log_mel(n_mels, &device).unwrap();
        let mut features = Features::new(log_mel, &audio).unwrap();
        let window = values(features.window(0, N_FRAMES).unwrap());
        let of = |t: usize, m: usize| {
            (window[m * N_FRAMES + t] - expected[t.min(frames - 1) * n_mels + m]).abs()
        };
        let all = (0..N_FRAMES).flat_map(|t| (0..n_mels).map(move |m| (t, m)));
        let worst = all.map(|(t, m)| of(t, m)).fold(0.0f32, f32::max);
        println!("{name}: {worst:e}");
        assert!(worst < 1e-4, "{name}: {worst:e}");
    }
}
