//! A user transcribes with a model in any of the formats.
//!
//! `WHISPER_FORMATS` names a folder that `weights/tests/tools/write_formats.py` has filled with real models; run the test with
//! `WHISPER_FORMATS=PATH cargo test --workspace --test model_formats -- --ignored`.
#![cfg(all(feature = "audio-files", feature = "fetch"))]

use std::fs;
use std::path::{Path, PathBuf};

use whisper_rs::{Audio, TranscribeOptions, Transcript, Whisper, device};

/// What the tools wrote without rounding: the results are those of the published weights to the last digit.
const EXACT: [&str; 15] = [
    "transformers-f16",
    "transformers-f32",
    "transformers-sharded",
    "pytorch",
    "pytorch-legacy",
    "pytorch-sharded",
    "openai-f16",
    "openai-f32",
    "openai-names",
    "ctranslate2-float16",
    "ctranslate2-float32",
    "ggml-f16",
    "ggml-f32",
    "gguf-F16",
    "gguf-F32",
];

#[test]
#[ignore = "needs models in every format; `WHISPER_FORMATS=PATH cargo test --workspace --test model_formats -- --ignored`"]
fn every_format_transcribes_jfk_the_same() {
    let folder = PathBuf::from(
        std::env::var_os("WHISPER_FORMATS").expect("WHISPER_FORMATS names the folder"),
    );
    let mut models = 0;
    for model in entries(&folder) {
        if !model.join("expected.json").is_file() {
            continue;
        }
        models += 1;
        let reference = transcribe(&model.join("transformers-f32"));
        println!("{}: {}", model.display(), reference.text);
        let mut formats = 0;
        for format in entries(&model).iter().filter(|entry| entry.is_dir()) {
            let name = format.file_name().unwrap().to_str().unwrap();
            let transcript = transcribe(format);
            let tokens = |transcript: &Transcript| -> Vec<Vec<u32>> {
                let segments = transcript.segments.iter();
                segments.map(|segment| segment.tokens.clone()).collect()
            };
            let same = tokens(&transcript) == tokens(&reference);
            let logprob = |transcript: &Transcript| transcript.segments[0].avg_logprob;
            println!(
                "  {name}: tokens {}, avg_logprob {:.6}",
                if same { "equal" } else { "differ" },
                logprob(&transcript)
            );
            assert_eq!(words(&transcript.text), words(&reference.text), "{name}");
            if EXACT.contains(&name) {
                assert!(same, "{name}");
                assert_eq!(logprob(&transcript), logprob(&reference), "{name}");
            }
            formats += 1;
        }
        assert!(formats >= EXACT.len(), "{formats} formats");
    }
    assert!(models > 0, "no model in {}", folder.display());
}

/// The words alone: rounding may move a mark of punctuation.
fn words(text: &str) -> String {
    let text = text.to_lowercase();
    text.chars()
        .filter(|c| c.is_alphanumeric() || *c == ' ')
        .collect()
}

fn transcribe(model: &Path) -> Transcript {
    let whisper = Whisper::load(model.to_str().unwrap(), &device::open("cpu").unwrap()).unwrap();
    let audio = Audio::open(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/jfk.wav")).unwrap();
    let mut options = TranscribeOptions::default();
    options.temperatures = vec![0.0];
    whisper.transcribe(&audio, &options).unwrap()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    entries
}
