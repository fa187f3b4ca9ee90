//! The shapes of all published model families, on small models with random weights: mel bins, vocabularies, batches.

use burn::tensor::{Device, Int, Tensor, TensorData};
use whisper_rs::model::WhisperModel;
use whisper_weights::ModelDims;

const STATE: usize = 128;
const FRAMES: usize = 3000;
/// Largest difference that a row may have from the same row run alone: sums of a batch may be taken in another order.
const TOLERANCE: f32 = 1e-4;

fn dims(n_mels: usize, n_vocab: usize) -> ModelDims {
    // `ModelDims` of two layers, so that what one layer gives is what the next one takes.
    ModelDims {
        n_mels,
        n_audio_ctx: FRAMES / 2,
        n_audio_state: STATE,
        n_audio_head: 2,
        n_audio_layer: 2,
        n_vocab,
        n_text_ctx: 448,
        n_text_state: STATE,
        n_text_head: 2,
        n_text_layer: 2,
    }
}

/// Features that differ from row to row, in the range of log-Mel features.
fn features(batch: usize, n_mels: usize, device: &Device) -> Tensor<3> {
    let values: Vec<f32> = (0..batch * n_mels * FRAMES)
        .map(|n| (n as f32 * 0.37).sin() + (n / (n_mels * FRAMES)) as f32 * 0.25)
        .collect();
    Tensor::from_data(TensorData::new(values, [batch, n_mels, FRAMES]), device)
}

/// `n` tokens of each row, other ones in every row.
fn tokens(batch: usize, n: usize, first: usize, device: &Device) -> Tensor<2, Int> {
    let ids: Vec<i64> = (0..batch * n)
        .map(|at| ((at + first) * 7919 % 50_000) as i64)
        .collect();
    Tensor::from_data(TensorData::new(ids, [batch, n]), device)
}

/// What a batch gives: encoder states, the logits of a prompt of three tokens, those of the token after it.
struct Outputs {
    encoded: Tensor<3>,
    prompt: Tensor<3>,
    next: Tensor<3>,
}

fn run(
    model: &WhisperModel,
    mel: Tensor<3>,
    prompt: Tensor<2, Int>,
    next: Tensor<2, Int>,
) -> Outputs {
    let [batch, ..] = mel.dims();
    let encoded = model.encode(mel);
    let decoder = &model.decoder;
    let mut state = decoder.start(encoded.clone(), batch);
    let prompt = decoder.logits(decoder.forward(prompt, &mut state));
    let next = decoder.logits(decoder.forward(next, &mut state));
    assert_eq!(state.len(), 4);
    Outputs {
        encoded,
        prompt,
        next,
    }
}

#[track_caller]
fn assert_close(batch: Tensor<3>, alone: Tensor<3>, what: &str) {
    assert_eq!(batch.dims(), alone.dims(), "{what}");
    let values = |tensor: Tensor<3>| -> Vec<f32> { tensor.into_data().iter::<f32>().collect() };
    let (batch, alone) = (values(batch), values(alone));
    let largest = (batch.iter().zip(&alone)).map(|(a, b)| (a - b).abs());
    let largest = largest.fold(0.0f32, |largest, difference| {
        assert!(difference.is_finite(), "{what} is no number");
        largest.max(difference)
    });
    assert!(largest <= TOLERANCE, "{what} differs by {largest}");
    let norm = alone.iter().map(|value| value.abs()).fold(0.0, f32::max);
    assert!(
        norm > 100.0 * TOLERANCE,
        "{what} is too small to tell: {norm}"
    );
}

fn shapes_and_batches(n_mels: usize, n_vocab: usize) {
    let device = Device::flex();
    let model = WhisperModel::random(&dims(n_mels, n_vocab), &device);
    let batch = 3;
    let mel = features(batch, n_mels, &device);
    let prompt = tokens(batch, 3, 1, &device);
    let next = tokens(batch, 1, 100, &device);

    let all = run(&model, mel.clone(), prompt.clone(), next.clone());
    assert_eq!(all.encoded.dims(), [batch, FRAMES / 2, STATE]);
    assert_eq!(all.prompt.dims(), [batch, 3, n_vocab]);
    assert_eq!(all.next.dims(), [batch, 1, n_vocab]);

    for row in 0..batch {
        let alone = run(
            &model,
            mel.clone().narrow(0, row, 1),
            prompt.clone().narrow(0, row, 1),
            next.clone().narrow(0, row, 1),
        );
        assert_eq!(alone.encoded.dims(), [1, FRAMES / 2, STATE]);
        let same = |batch: &Tensor<3>, alone: Tensor<3>, what: &str| {
            let what = format!("row {row}, {what}");
            assert_close(batch.clone().narrow(0, row, 1), alone, &what);
        };
        same(&all.encoded, alone.encoded, "encoder");
        same(&all.prompt, alone.prompt, "logits of the prompt");
        same(&all.next, alone.next, "logits of the next token");
    }
}

#[test]
fn english_models() {
    shapes_and_batches(80, 51_864);
}

#[test]
fn multilingual_models() {
    shapes_and_batches(80, 51_865);
}

#[test]
fn large_v3_models() {
    shapes_and_batches(128, 51_866);
}
