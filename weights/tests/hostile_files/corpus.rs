//! The corpus of the fuzz targets, replayed, and its first seeds.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use whisper_weights::DType;

use super::deflated;
use super::memory::{assert_small, peak_of};
use super::support::pieces::{self, Piece, tensors};
use super::support::synthetic::{DIMS, Synthetic, hugging_face};
use super::support::{ggml, gguf, hostile, torch};

fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(target);
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    assert!(
        files.len() > 5,
        "{} has {} files",
        folder.display(),
        files.len()
    );
    files
}

fn replay(target: &str, file: &str) {
    replay_by(target, |bytes| hostile::open(file, bytes));
}

fn replay_by(target: &str, open: impl Fn(&[u8]) -> bool) {
    let mut opened = 0;
    for (path, bytes) in corpus(target) {
        println!("{path}");
        let peak = peak_of(|| opened += usize::from(open(&bytes)));
        assert_small(peak, bytes.len(), &path);
    }
    // Whole files are among the seeds: the corpus reaches past the first check.
    assert!(opened > 0, "no file of {target} was read");
}

#[test]
fn the_corpus_of_safetensors() {
    replay("safetensors", "model.safetensors");
}

#[test]
fn the_corpus_of_ctranslate2() {
    replay("ctranslate2", "model.bin");
}

#[test]
fn the_corpus_of_pytorch() {
    replay("pytorch", "model.pt");
}

#[test]
fn the_corpus_of_ggml() {
    replay("ggml", "ggml-model.bin");
}

#[test]
fn the_corpus_of_gguf() {
    replay("gguf", "model.gguf");
}

#[test]
fn the_corpus_of_wheels() {
    replay_by("wheel", hostile::unpack_wheel);
}

#[test]
fn the_corpus_of_indices_of_shards() {
    replay_by("index", hostile::open_index);
}

#[test]
fn the_corpus_of_tokenizers() {
    replay_by("tokenizer", hostile::convert_tokenizer);
}

/// Writes the first seeds of the corpus: whole small files of every kind.
#[test]
#[ignore = "writes fuzz/corpus; run once when a format is added"]
fn write_the_seeds() {
    let model = Synthetic::new();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let write = |target: &str, name: &str, bytes: &[u8]| {
        fs::create_dir_all(corpus.join(target)).unwrap();
        fs::write(corpus.join(target).join(name), bytes).unwrap();
    };
    let tokens: [&[u8]; 5] = [b"a", b"b", b"ab", b"", b"aab"];
    for dtype in [DType::F32, DType::F16, DType::BF16] {
        let name = format!("seed-{dtype}");
        write("safetensors", &name, &model.safetensors(dtype));
        write("ctranslate2", &name, &model.ctranslate2(dtype));
        write(
            "pytorch",
            &name,
            &pieces::bytes(torch::openai(&DIMS, tensors(&model, dtype))),
        );
        write(
            "gguf",
            &name,
            &pieces::bytes(gguf::file(tensors(&model, dtype))),
        );
        if dtype != DType::BF16 {
            write(
                "ggml",
                &name,
                &pieces::bytes(ggml::file(&DIMS, &tokens, tensors(&model, dtype))),
            );
        }
    }
    let wheel = [
        ("fuzzed/model.bin", b"abc".as_slice()),
        ("fuzzed/config.json", b"{}"),
    ];
    write("wheel", "seed-deflated", &deflated(&wheel));
    let stored = wheel.map(|(name, data)| (name.to_string(), Piece::Bytes(data.to_vec())));
    write(
        "wheel",
        "seed-stored",
        &pieces::bytes(torch::zip(Vec::from(stored))),
    );
    write(
        "pytorch",
        "seed-deflated",
        &deflated(&[("archive/data.pkl", b"\x80\x02}.")]),
    );
    write("pytorch", "seed-pickle", b"\x80\x02}.");
    let names = model
        .tensors
        .keys()
        .map(|name| (hugging_face(name), "shard.safetensors"));
    let weight_map: BTreeMap<_, _> = names.collect();
    let index = serde_json::json!({"metadata": {}, "weight_map": weight_map});
    write("index", "seed", index.to_string().as_bytes());
    for (name, text) in [
        (
            "seed-pairs",
            r#"{"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":[["a","b"]]},"added_tokens":[{"id":5,"content":"<|en|>"}]}"#,
        ),
        (
            "seed-lines",
            r#"{"model":{"vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}}"#,
        ),
        ("seed-vocab", r#"{"a":0,"b":1,"ab":2,"<|endoftext|>":3}"#),
    ] {
        write("tokenizer", name, text.as_bytes());
    }
}
