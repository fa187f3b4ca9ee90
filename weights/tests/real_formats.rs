//! Real models in every format, as the formats' own public tools write them.
//!
//! `WHISPER_FORMATS` names a folder with one folder for each model (`tiny.en`, `base`), which
//! `weights/tests/tools/write_formats.py` has filled; run the test with
//! `WHISPER_FORMATS=PATH cargo test -p whisper-weights --test real_formats -- --ignored`. `expected.json` there has the sha256
//! of every tensor's values as f32, computed by those tools: what a format rounds is rounded exactly as it defines.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};
use whisper_weights::{Checkpoint, DType};

/// By format, by tensor: sha256 of its values.
type Expected = BTreeMap<String, BTreeMap<String, String>>;

#[test]
#[ignore = "needs models in every format; `WHISPER_FORMATS=PATH cargo test -p whisper-weights --test real_formats -- --ignored`"]
fn every_format_holds_the_values_that_its_tool_wrote() {
    let mut formats = 0;
    for model in models() {
        let expected = fs::read_to_string(model.join("expected.json")).unwrap();
        let expected: Expected = serde_json::from_str(&expected).unwrap();
        for (name, expected) in &expected {
            let checkpoint = Checkpoint::open(model.join(name)).unwrap();
            let mut differing = Vec::new();
            for tensor in checkpoint.tensor_names() {
                let values = checkpoint.tensor(tensor).unwrap().to_f32();
                let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
                let hash: String = Sha256::digest(&bytes)
                    .iter()
                    .map(|b| format!("{b:02x}"))
                    .collect();
                if expected.get(tensor) != Some(&hash) {
                    differing.push(tensor);
                }
                checkpoint.release_pages();
            }
            let types: Vec<String> = (checkpoint.dtypes().into_iter())
                .map(|(dtype, count)| format!("{count} {dtype}"))
                .collect();
            println!(
                "{}: {} of {}",
                model.join(name).display(),
                checkpoint.format(),
                types.join(", ")
            );
            assert_eq!(checkpoint.tensor_names().count(), expected.len(), "{name}");
            assert_eq!(differing, Vec::<&str>::new(), "{name}");
            formats += 1;
        }
    }
    assert!(formats > 0, "the folder has no formats");
}

#[test]
#[ignore = "needs models in every format; `WHISPER_FORMATS=PATH cargo test -p whisper-weights --test real_formats -- --ignored`"]
fn alignment_heads_and_suppressed_tokens_are_the_same_in_all_formats() {
    for model in models() {
        let reference = Checkpoint::open(model.join("transformers-f32")).unwrap();
        for name in ["openai-f16", "ggml-f16", "pytorch", "ctranslate2-int8"] {
            let checkpoint = Checkpoint::open(model.join(name)).unwrap();
            assert_eq!(
                checkpoint.alignment_heads(),
                reference.alignment_heads(),
                "{name}"
            );
            assert_eq!(
                checkpoint.suppress_tokens(),
                reference.suppress_tokens(),
                "{name}"
            );
            let begin = reference.begin_suppress_tokens();
            assert_eq!(checkpoint.begin_suppress_tokens(), begin, "{name}");
        }
    }
}

/// A ggml file has no tokenizer.json: what is made from its vocabulary has the same tokens and merges as the published one.
#[test]
#[ignore = "needs models in every format; `WHISPER_FORMATS=PATH cargo test -p whisper-weights --test real_formats -- --ignored`"]
fn tokenizers_are_the_same_with_and_without_a_tokenizer_beside_the_weights() {
    let parts = |checkpoint: &Checkpoint| {
        let json: Value = serde_json::from_slice(&checkpoint.tokenizer_json().unwrap()).unwrap();
        let vocab = json["model"]["vocab"].as_object().unwrap().clone();
        let end_of_text = json["added_tokens"][0]["id"].as_u64().unwrap();
        let vocab: BTreeMap<String, u64> = (vocab.into_iter())
            .map(|(token, id)| (token, id.as_u64().unwrap()))
            .filter(|(_, id)| *id < end_of_text)
            .collect();
        let merge = |merge: &Value| match merge {
            Value::String(merge) => merge.clone(),
            pair => format!(
                "{} {}",
                pair[0].as_str().unwrap(),
                pair[1].as_str().unwrap()
            ),
        };
        let merges = json["model"]["merges"].as_array().unwrap();
        (
            end_of_text,
            vocab,
            merges.iter().map(merge).collect::<Vec<_>>(),
        )
    };
    for model in models() {
        let reference = parts(&Checkpoint::open(model.join("transformers-f32")).unwrap());
        for name in ["openai-f16", "ggml-f16"] {
            let checkpoint = Checkpoint::open(model.join(name)).unwrap();
            assert!(
                parts(&checkpoint) == reference,
                "{name} of {}",
                model.display()
            );
        }
    }
}

#[test]
#[ignore = "needs models in every format; `WHISPER_FORMATS=PATH cargo test -p whisper-weights --test real_formats -- --ignored`"]
fn a_quantised_file_is_written_for_transformers_as_the_values_that_it_stands_for() {
    for model in models() {
        let ggml = Checkpoint::open(model.join("ggml-q5_1")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        ggml.write_safetensors(&out, Some(DType::F32)).unwrap();
        let written = Checkpoint::open(&out).unwrap();
        for name in ggml.tensor_names() {
            let (theirs, ours) = (ggml.tensor(name).unwrap(), written.tensor(name).unwrap());
            assert!(theirs.to_f32() == ours.to_f32(), "{name}");
        }
    }
}

/// The folders of models that are whole.
fn models() -> Vec<PathBuf> {
    let folder = std::env::var_os("WHISPER_FORMATS").expect("WHISPER_FORMATS names the folder");
    let mut models: Vec<PathBuf> = fs::read_dir(Path::new(&folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|model| model.join("expected.json").is_file())
        .collect();
    models.sort();
    assert!(
        !models.is_empty(),
        "no model of {folder:?} has an expected.json"
    );
    models
}
