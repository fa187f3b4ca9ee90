//! A user opens a model in each of the formats, with all of its types.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use half::f16;
use support::pieces::{self, Piece, Tensor, tensors};
use support::synthetic::{Ct2Writer, DIMS, Synthetic, WIDE, hugging_face, stacked};
use support::{ggml, gguf, torch};
use whisper_weights::{Checkpoint, DType, Error, Origin};

/// Text tokens of the small models.
const TOKENS: [&[u8]; 4] = [b"a", b"b", b"ab", b"\xff"];

/// Every tensor has the values that were written, under its canonical name.
#[track_caller]
fn assert_holds(checkpoint: &Checkpoint, model: &Synthetic) {
    assert_eq!(*checkpoint.dims(), model.dims);
    let names: Vec<&str> = checkpoint.tensor_names().collect();
    assert_eq!(names, model.tensors.keys().collect::<Vec<_>>());
    for (name, (shape, values)) in &model.tensors {
        let tensor = checkpoint.tensor(name).unwrap();
        assert_eq!(tensor.shape, *shape, "{name}");
        assert_eq!(tensor.to_f32(), *values, "{name}");
    }
}

fn open(folder: &Path, name: &str, pieces: &[Piece]) -> Checkpoint {
    let path = folder.join(name);
    pieces::write(&path, pieces);
    Checkpoint::open(path).unwrap()
}

fn renamed(mut tensors: Vec<Tensor>) -> Vec<Tensor> {
    for tensor in &mut tensors {
        tensor.name = hugging_face(&tensor.name);
    }
    tensors
}

#[test]
fn pytorch_files_of_openai_and_of_transformers() {
    let folder = tempfile::tempdir().unwrap();
    let model = Synthetic::new();
    for dtype in [DType::F32, DType::F16, DType::BF16] {
        let openai = torch::openai(&DIMS, tensors(&model, dtype));
        let openai = open(folder.path(), "tiny.pt", &openai);
        assert_eq!(openai.format(), "PyTorch");
        assert_eq!(
            openai.dtypes(),
            BTreeMap::from([(dtype, model.tensors.len())])
        );
        assert_holds(&openai, &model);
    }
    // Heads are in config.json when the file does not say: transformers' folders have one.
    let folder = tempfile::tempdir().unwrap();
    model.write_hugging_face_folder(folder.path(), DType::F32);
    fs::remove_file(folder.path().join("model.safetensors")).unwrap();
    let mut theirs = renamed(tensors(&model, DType::F32));
    let (extra, data) = ("proj_out.weight".to_string(), Piece::Bytes(vec![0; 16]));
    theirs.push(Tensor {
        name: extra,
        shape: vec![4],
        dtype: DType::F32,
        data,
    });
    pieces::write(
        &folder.path().join("pytorch_model.bin"),
        &torch::state_dict(theirs),
    );
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    assert_eq!(checkpoint.format(), "PyTorch");
    assert_eq!(checkpoint.alignment_heads_origin(), Origin::Files);
    assert_holds(&checkpoint, &model);
}

#[test]
fn pytorch_shards() {
    let folder = tempfile::tempdir().unwrap();
    let model = Synthetic::new();
    model.write_hugging_face_folder(folder.path(), DType::F16);
    fs::remove_file(folder.path().join("model.safetensors")).unwrap();
    let mut all = renamed(tensors(&model, DType::F16));
    let rest = all.split_off(all.len() / 2);
    let mut weight_map = serde_json::Map::new();
    for (index, half) in [all, rest].into_iter().enumerate() {
        let shard = format!("pytorch_model-{:05}-of-00002.bin", index + 1);
        for tensor in &half {
            weight_map.insert(tensor.name.clone(), shard.clone().into());
        }
        pieces::write(&folder.path().join(&shard), &torch::state_dict(half));
    }
    let index = serde_json::json!({"metadata": {}, "weight_map": weight_map});
    let path = folder.path().join("pytorch_model.bin.index.json");
    fs::write(path, index.to_string()).unwrap();
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    assert_eq!(checkpoint.format(), "PyTorch");
    assert_eq!(checkpoint.sha256().len(), 2);
    assert_holds(&checkpoint, &model);
}

#[test]
fn ggml_floats_with_their_filters_and_their_vocabulary() {
    let folder = tempfile::tempdir().unwrap();
    let model = Synthetic::new();
    for dtype in [DType::F32, DType::F16] {
        let file = ggml::file(&DIMS, &TOKENS, tensors(&model, dtype));
        let checkpoint = open(folder.path(), "ggml-model.bin", &file);
        assert_eq!(checkpoint.format(), "ggml");
        assert_holds(&checkpoint, &model);
        let filters = checkpoint.mel_filters().unwrap();
        assert_eq!(
            (filters.n_mels, filters.n_frequencies),
            (DIMS.n_mels, ggml::FREQUENCIES)
        );
        assert_eq!(filters.values[..3], [0.0, 0.25, 0.5]);
        let json = checkpoint.tokenizer_json().unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let vocab = serde_json::json!({"a": 0, "b": 1, "ab": 2, "ÿ": 3});
        assert_eq!(json["model"]["vocab"], vocab);
        assert_eq!(json["model"]["merges"], serde_json::json!([["a", "b"]]));
        assert!(json["added_tokens"].as_array().unwrap().is_empty());
    }
    // Filters of another transform, or of another number of Mel bins, cannot be those of the model.
    let mut file = pieces::bytes(ggml::file(&DIMS, &TOKENS, tensors(&model, DType::F32)));
    let shape_at = 4 + 11 * 4;
    for (at, what) in [(shape_at, "[80, 201]"), (shape_at + 4, "200]")] {
        let number = file[at..at + 4].to_vec();
        let other: u32 = if at == shape_at { 80 } else { 200 };
        file[at..at + 4].copy_from_slice(&other.to_le_bytes());
        let path = folder.path().join("ggml-filters.bin");
        fs::write(&path, &file).unwrap();
        let error = Checkpoint::open(&path).unwrap_err();
        assert!(matches!(error, Error::Tensor { .. }), "{error:?}");
        let message = error.to_string();
        assert!(
            message.contains("mel_filters: has shape") && message.contains(what),
            "{message}"
        );
        file[at..at + 4].copy_from_slice(&number);
    }
    // A tokenizer beside the file is the model's own.
    fs::write(folder.path().join("tokenizer.json"), "{}").unwrap();
    let checkpoint = Checkpoint::open(folder.path().join("ggml-model.bin")).unwrap();
    assert_eq!(*checkpoint.tokenizer_json().unwrap(), *b"{}");
}

/// Blocks with a scale of 1/64, a minimum of 0 and an integer for each of the model's values, which are multiples of 1/64.
fn quantised(model: &Synthetic) -> Vec<Tensor> {
    let mut written = tensors(model, DType::F32);
    let scale = f16::from_f32(1.0 / 64.0).to_le_bytes();
    for tensor in &mut written {
        let plain = tensor.name.ends_with("positional_embedding") || tensor.shape.len() != 2;
        if !plain {
            let values = &model.tensors[&tensor.name].1;
            let blocks = values.chunks(32).flat_map(|block| {
                let integers = block.iter().map(|value| (value * 64.0) as i8 as u8);
                scale.into_iter().chain(integers).collect::<Vec<u8>>()
            });
            tensor.data = Piece::Bytes(blocks.collect());
            tensor.dtype = DType::Q8_0;
        }
    }
    written
}

#[test]
fn ggml_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let model = Synthetic::of(WIDE);
    let file = ggml::file(&WIDE, &TOKENS, quantised(&model));
    let checkpoint = open(folder.path(), "ggml-model-q8_0.bin", &file);
    assert_holds(&checkpoint, &model);
    let name = "encoder.blocks.1.mlp.2.weight";
    assert_eq!(checkpoint.dtype(name), Some(DType::Q8_0));
    assert_eq!(checkpoint.dtype("decoder.ln.weight"), Some(DType::F32));
    assert_eq!(checkpoint.tensor(name).unwrap().len(), 32 * 128);

    // Written in its own types, quantised tensors become what they stand for.
    let out = folder.path().join("out");
    fs::write(
        folder.path().join("tokenizer.json"),
        support::synthetic::tokenizer(),
    )
    .unwrap();
    checkpoint.write_safetensors(&out, None).unwrap();
    let written = Checkpoint::open(&out).unwrap();
    assert_eq!(written.dtypes().keys().collect::<Vec<_>>(), [&DType::F32]);
    assert_holds(&written, &model);
    let refused = checkpoint.write_safetensors(folder.path().join("q"), Some(DType::Q8_0));
    assert!(refused.unwrap_err().to_string().contains("not as q8_0"));
}

#[test]
fn gguf_floats_and_blocks_in_the_names_of_transformers() {
    let folder = tempfile::tempdir().unwrap();
    let model = Synthetic::of(WIDE);
    fs::write(
        folder.path().join("config.json"),
        r#"{"encoder_attention_heads": 2, "decoder_attention_heads": 4}"#,
    )
    .unwrap();
    for written in [
        tensors(&model, DType::F32),
        tensors(&model, DType::F16),
        tensors(&model, DType::BF16),
        quantised(&model),
    ] {
        let checkpoint = open(folder.path(), "model.gguf", &gguf::file(renamed(written)));
        assert_eq!(checkpoint.format(), "GGUF");
        assert_holds(&checkpoint, &model);
    }
}

/// CTranslate2's quantisation (ctranslate2/specs/model_spec.py): integers, and what they are to be divided by.
fn quantise(rows: usize, values: &[f32], limit: f32) -> (Vec<f32>, Vec<f32>) {
    let mut scales = Vec::new();
    let row = values.len() / rows;
    let integers = values.chunks(row).flat_map(|row| {
        let largest = row.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
        let scale = limit / largest;
        scales.push(scale);
        row.iter()
            .map(|x| (x * scale).round_ties_even())
            .collect::<Vec<_>>()
    });
    let integers = integers.collect();
    (integers, scales)
}

#[test]
fn ctranslate2_integers_with_their_scales() {
    let model = Synthetic::new();
    for (code, limit) in [(1u8, 127.0), (2, 1024.0)] {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = Ct2Writer::default()
            .variable("encoder/num_heads", &[], 1, &[2])
            .variable("decoder/num_heads", &[], 1, &[4]);
        for (name, (shape, values)) in stacked(&model) {
            if shape.len() < 2 || name.contains("position") {
                writer = writer.floats(&name, &shape, &values, DType::F16);
                continue;
            }
            let rows = if code == 1 { shape[0] } else { 1 };
            let (integers, scales) = quantise(rows, &values, limit);
            let data: Vec<u8> = match code {
                1 => integers.iter().map(|&x| x as i8 as u8).collect(),
                _ => integers
                    .iter()
                    .flat_map(|&x| (x as i16).to_le_bytes())
                    .collect(),
            };
            let scale_shape: &[usize] = if code == 1 { &shape[..1] } else { &[] };
            writer = writer.variable(&name, &shape, code, &data).floats(
                &format!("{name}_scale"),
                scale_shape,
                &scales,
                DType::F32,
            );
        }
        fs::write(folder.path().join("model.bin"), writer.finish()).unwrap();
        let checkpoint = Checkpoint::open(folder.path()).unwrap();
        assert_eq!(*checkpoint.dims(), DIMS);
        let mut most = 0.0f32;
        for (name, (shape, values)) in &model.tensors {
            let tensor = checkpoint.tensor(name).unwrap();
            assert_eq!(tensor.shape, *shape, "{name}");
            if tensor.dtype == DType::F16 {
                assert_eq!(tensor.to_f32(), *values, "{name}");
                continue;
            }
            assert_eq!(
                tensor.scales.len(),
                if code == 1 { shape[0] } else { 1 },
                "{name}"
            );
            let row = values.len() / tensor.scales.len();
            for (index, (ours, value)) in tensor.to_f32().iter().zip(values).enumerate() {
                // Half a step of the row's scale, and what the division rounds.
                let step = 0.5 / tensor.scales[index / row] + 1e-6;
                assert!((ours - value).abs() <= step, "{name}: {ours} for {value}");
                most = most.max((ours - value).abs());
            }
        }
        assert!(most > 0.0, "rounding shows");
    }
}

#[test]
fn a_model_beside_which_nothing_lies_is_given_what_was_published() {
    let folder = tempfile::tempdir().unwrap();
    let dims = whisper_weights::ModelDims {
        n_mels: 80,
        n_audio_ctx: 1500,
        n_audio_state: 384,
        n_audio_head: 6,
        n_audio_layer: 4,
        n_vocab: 51_865,
        n_text_ctx: 448,
        n_text_state: 384,
        n_text_head: 6,
        n_text_layer: 4,
    };
    let checkpoint = open(
        folder.path(),
        "tiny.pt",
        &torch::openai(&dims, pieces::zeros(&dims)),
    );
    assert_eq!(checkpoint.alignment_heads_origin(), Origin::Published);
    assert_eq!(checkpoint.suppress_tokens_origin(), Origin::Published);
    assert_eq!(checkpoint.suppress_tokens().unwrap().len(), 88);
    assert_eq!(
        checkpoint.begin_suppress_tokens(),
        Some([220, 50_257].as_slice())
    );
    assert_eq!(checkpoint.language_ids().unwrap().len(), 99);
    assert_eq!(checkpoint.languages().len(), 99);
    let notes = checkpoint.notes().join("\n");
    assert!(
        notes.contains("without tokenizer, alignment heads, list of suppressed tokens"),
        "{notes}"
    );
    // It can be written for transformers all the same.
    let out = folder.path().join("out");
    checkpoint.write_safetensors(&out, None).unwrap();
    let written = Checkpoint::open(&out).unwrap();
    assert_eq!(written.notes(), Vec::<String>::new());
    assert_eq!(written.suppress_tokens(), checkpoint.suppress_tokens());
}
