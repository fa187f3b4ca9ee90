//! Models are described.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use whisper_weights::DType;

use crate::common::{Run, whisper_rs};
use crate::machine::{Machine, json};
use crate::synthetic::Synthetic;

#[test]
fn a_real_model_is_described() {
    let folder = whisper_weights::fetch("tiny.en", &whisper_weights::Silent).unwrap();
    let info = Run::of(
        whisper_rs(&["models", "info", "tiny.en", "--json"])
            .output()
            .unwrap(),
    );
    let info = json(&info);
    let weights = Path::new(info["files"][0]["path"].as_str().unwrap());
    assert!(weights.starts_with(&folder), "{info}");
    assert_eq!(
        info["files"][0]["bytes"],
        fs::metadata(weights).unwrap().len()
    );
    assert_eq!(info["files"][0]["sha256"].as_str().unwrap().len(), 64);
    assert!(info["format"].is_string());
    assert_eq!(info["parameters"], 37_760_256);
    for (name, value) in [
        ("n_mels", 80),
        ("n_audio_state", 384),
        ("n_text_layer", 4),
        ("n_vocab", 51_864),
    ] {
        assert_eq!(info["dims"][name], value, "{name}");
    }
    assert_eq!(info["multilingual"], false);
    assert_eq!(info["languages"], serde_json::json!(["en"]));
    assert_eq!(info["tokenizer_error"], Value::Null);
    // OpenAI's heads of tiny.en (openai/whisper, `_ALIGNMENT_HEADS`), whoever says them.
    let heads = [
        [1, 0],
        [2, 0],
        [2, 5],
        [3, 0],
        [3, 1],
        [3, 2],
        [3, 3],
        [3, 4],
    ];
    assert_eq!(info["alignment_heads"], serde_json::json!(heads));

    let text = Run::of(whisper_rs(&["models", "info", "tiny.en"]).output().unwrap());
    for part in [
        "37.8 M",
        "English alone",
        "1.0 2.0 2.5 3.0",
        weights.to_str().unwrap(),
        info["files"][0]["sha256"].as_str().unwrap(),
    ] {
        assert!(text.succeeded().stdout.contains(part), "{text:?}");
    }
}

#[test]
fn a_model_is_described_by_its_file_or_its_folder() {
    let machine = Machine::alone();
    let folder = machine.path("model");
    Synthetic::new().write_hugging_face_folder(&folder, DType::BF16);
    let file = folder.join("model.safetensors");
    let of_folder = machine.run(&["info", folder.to_str().unwrap(), "--json"]);
    let of_file = machine.run(&["info", file.to_str().unwrap(), "--json"]);
    let info = json(&of_folder);
    assert_eq!(json(&of_file), info);
    assert_eq!(info["format"], "safetensors");
    assert_eq!(info["files"][0]["path"], file.to_str().unwrap());
    let types = info["dtypes"].as_object().unwrap();
    assert_eq!(types.keys().collect::<Vec<_>>(), ["bf16"]);
    // A vocabulary that is not Whisper's has no languages that are known.
    assert_eq!(info["languages"], serde_json::json!([]));
    assert!(info["tokenizer_error"].is_string());

    fs::write(&file, "no weights").unwrap();
    let run = machine.run(&["info", file.to_str().unwrap()]);
    let line = run.one_error(1);
    assert!(line.contains("model.safetensors"), "{line}");
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_model_is_one_line() {
    let machine = Machine::alone();
    let pipe = machine.path("model.safetensors");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    for path in [pipe.to_str().unwrap(), "/dev/zero"] {
        let line = machine.run(&["info", path]).one_error(1).to_owned();
        assert!(line.contains("neither a file nor a folder"), "{line}");
    }
    // In a folder it is no file of weights.
    let folder = machine.folder.path().to_str().unwrap();
    let line = machine.run(&["info", folder]).one_error(1).to_owned();
    assert!(line.contains("holds no weights"), "{line}");
}
