//! A user opens any of the published models. The files have its true dimensions and are holes where the values would be, so
//! that they take no room.

mod support;

use std::path::Path;

use support::pieces::{self, Piece, zeros};
use support::synthetic::{Synthetic, stacked, string};
use support::{ggml, gguf, torch};
use whisper_weights::{Checkpoint, DType, ModelDims, Origin};

/// Name, Mel bins, width, layers of the encoder and of the decoder, size of the vocabulary; whether its alignment heads were
/// published in a way that the dimensions tell. From openai/whisper's and Distil-Whisper's configurations.
type Row = (&'static str, usize, usize, usize, usize, usize, bool);

#[rustfmt::skip]
const MODELS: [Row; 15] = [
    ("tiny.en", 80, 384, 4, 4, 51_864, true),
    ("tiny", 80, 384, 4, 4, 51_865, true),
    ("base.en", 80, 512, 6, 6, 51_864, true),
    ("base", 80, 512, 6, 6, 51_865, true),
    ("small.en", 80, 768, 12, 12, 51_864, true),
    ("small", 80, 768, 12, 12, 51_865, true),
    ("medium.en", 80, 1024, 24, 24, 51_864, true),
    ("medium", 80, 1024, 24, 24, 51_865, true),
    ("large-v2", 80, 1280, 32, 32, 51_865, false),
    ("large-v3", 128, 1280, 32, 32, 51_866, true),
    ("large-v3-turbo", 128, 1280, 32, 4, 51_866, true),
    ("distil-small.en", 80, 768, 12, 4, 51_864, false),
    ("distil-medium.en", 80, 1024, 24, 2, 51_864, false),
    ("distil-large-v2", 80, 1280, 32, 2, 51_865, false),
    ("distil-large-v3", 128, 1280, 32, 2, 51_866, false),
];

fn dims(&(_, n_mels, state, audio_layers, text_layers, n_vocab, _): &Row) -> ModelDims {
    ModelDims {
        n_mels,
        n_audio_ctx: 1500,
        n_audio_state: state,
        n_audio_head: state / 64,
        n_audio_layer: audio_layers,
        n_vocab,
        n_text_ctx: 448,
        n_text_state: state,
        n_text_head: state / 64,
        n_text_layer: text_layers,
    }
}

/// Writes each model by `write`, opens it and looks at what it says of itself.
fn open_all(name: &str, write: impl Fn(&ModelDims) -> Vec<Piece>) {
    let folder = tempfile::tempdir().unwrap();
    for row in &MODELS {
        let (model, _, state, .., n_vocab, heads_are_published) = *row;
        let dims = dims(row);
        let path = folder.path().join(name);
        pieces::write(&path, &write(&dims));
        let checkpoint = Checkpoint::open(&path).unwrap_or_else(|error| panic!("{model}: {error}"));
        assert_eq!(*checkpoint.dims(), dims, "{model}");
        assert_eq!(
            checkpoint.dtypes().into_keys().collect::<Vec<_>>(),
            [DType::F16],
            "{model}"
        );
        let last = format!(
            "decoder.blocks.{}.cross_attn.value.weight",
            dims.n_text_layer - 1
        );
        assert_eq!(
            checkpoint.tensor(&last).unwrap().to_f32(),
            vec![0.0; state * state],
            "{model}"
        );

        let origin = if heads_are_published {
            Origin::Published
        } else {
            Origin::Fallback
        };
        assert_eq!(checkpoint.alignment_heads_origin(), origin, "{model}");
        for &(layer, head) in checkpoint.alignment_heads().unwrap_or_default() {
            assert!(
                layer < dims.n_text_layer && head < dims.n_text_head,
                "{model}"
            );
        }
        let languages = [1, 99, 100][n_vocab - 51_864];
        assert_eq!(checkpoint.languages().len(), languages, "{model}");
        assert_eq!(
            checkpoint.suppress_tokens().unwrap().last().unwrap() + 2,
            first_timestamp(&dims)
        );
        // Without a tokenizer beside the weights there is the published one.
        assert!(
            checkpoint.tokenizer_json().unwrap().len() > 1_000_000,
            "{model}"
        );
    }
}

fn first_timestamp(dims: &ModelDims) -> i64 {
    dims.n_vocab as i64 - 1501
}

#[test]
fn safetensors_of_every_published_shape() {
    open_all("model.safetensors", |dims| pieces::safetensors(zeros(dims)));
}

#[test]
fn pytorch_files_of_every_published_shape() {
    open_all("model.pt", |dims| torch::openai(dims, zeros(dims)));
}

#[test]
fn ggml_files_of_every_published_shape() {
    open_all("ggml-model.bin", |dims| {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut tokens: Vec<Vec<u8>> = bytes.iter().map(|&byte| vec![byte]).collect();
        // Pairs of bytes, as many as the published vocabularies have tokens.
        let pairs = bytes
            .iter()
            .flat_map(|&a| bytes.iter().map(move |&b| vec![a, b]));
        tokens.extend(pairs.take(50_000));
        let tokens: Vec<&[u8]> = tokens.iter().map(Vec::as_slice).collect();
        ggml::file(dims, &tokens, zeros(dims))
    });
}

#[test]
fn gguf_files_of_every_published_shape() {
    open_all("model.gguf", |dims| gguf::file(zeros(dims)));
}

#[test]
fn ctranslate2_files_of_every_published_shape() {
    open_all("model.bin", |dims| {
        let variables = stacked(&Synthetic::shapes(*dims));
        let mut head = 6u32.to_le_bytes().to_vec();
        head.extend(string("WhisperSpec"));
        head.extend(3u32.to_le_bytes());
        head.extend((variables.len() as u32).to_le_bytes());
        let mut pieces = vec![Piece::Bytes(head)];
        for (name, (shape, _)) in variables {
            let mut head = string(&name);
            head.push(shape.len() as u8);
            head.extend(
                shape
                    .iter()
                    .flat_map(|&length| (length as u32).to_le_bytes()),
            );
            let length = 2 * shape.iter().product::<usize>() as u64;
            // Type 4 is f16.
            head.push(4);
            head.extend((length as u32).to_le_bytes());
            pieces.push(Piece::Bytes(head));
            pieces.push(Piece::Zeros(length));
        }
        pieces.push(Piece::Bytes(0u32.to_le_bytes().to_vec()));
        pieces
    });
}

/// Only a check of this file's own table.
#[test]
fn files_are_as_large_as_the_models_and_take_no_room() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.safetensors");
    let large = dims(&MODELS[9]);
    pieces::write(&path, &pieces::safetensors(zeros(&large)));
    assert!(file_length(&path) > 3_000_000_000);
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::MetadataExt;
        let blocks = std::fs::metadata(&path).unwrap().blocks();
        assert!(blocks * 512 < 1_000_000, "{blocks} blocks");
    }
}

fn file_length(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().len()
}
