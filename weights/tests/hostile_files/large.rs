//! Files that are made to grow: headers, entries and objects that are many or repeat themselves.

use std::fs;

use whisper_weights::{Checkpoint, DType, ModelDims};

use super::memory::{FIXED, assert_small, open, peak_of};
use super::support::pieces::{self, Piece, Tensor, tensors};
use super::support::synthetic::{DIMS, Synthetic};
use super::support::{ggml, gguf, torch};
use super::{deflated, message};

/// A file that is large: what is fixed no longer hides what each of its bytes takes.
const LARGE: usize = 64 << 20;
/// What reading it may take for each byte.
const PER_BYTE_OF_LARGE: usize = 2;

/// Pickles that make far more than their size of a few bytes that are fetched over and over, bare and in an archive.
#[test]
fn pickles_that_repeat_themselves() {
    const LENGTH: usize = 200_000;
    let repeated = |start: &[u8], fetch: &[u8]| {
        let mut pickle = [b"\x80\x02", start, b"("].concat();
        while pickle.len() < LENGTH {
            pickle.extend(fetch);
        }
        pickle.extend(b"t.");
        pickle
    };
    let long = vec![b'a'; LENGTH / 2];
    // A list of a list of ... each twice: harmless ten times, a bomb fifty times.
    let mut doubling = b"\x80\x02]q\x00".to_vec();
    for level in 1..50 {
        doubling.extend([b']', b'q', level, b'(']);
        doubling.extend([b'h', level - 1, b'h', level - 1, b'e']);
    }
    doubling.push(b'.');
    // A tensor many times below keys that are long together.
    let mut deep = torch::Pickle::new();
    deep.tensor(0, 1, &[1], &[1], DType::F32);
    deep.0.extend(b"q\x000");
    for _ in 0..500 {
        deep.0.extend(b"}");
        deep.text(&"k".repeat(100));
    }
    deep.0.extend(b"}(");
    for index in 0..LENGTH / 20 {
        deep.text(&index.to_string());
        deep.0.extend(b"h\x00");
    }
    deep.0.push(b'u');
    deep.0.extend([b's'; 500]);
    for (what, pickle) in [
        ("doubling", doubling),
        ("nothing", repeated(b"", b"N")),
        ("empty dictionaries", repeated(b"", b"}")),
        ("marks", repeated(b"", b"(")),
        ("memo", repeated(b"", b"N\x94")),
        ("lists", repeated(b"", b"]Na")),
        ("duplicates", repeated(b"N", b"2")),
        (
            "text",
            repeated(&[b"V", long.as_slice(), b"\nq\x00"].concat(), b"h\x00"),
        ),
        (
            "a class",
            repeated(&[b"c", long.as_slice(), b"\na\nq\x00"].concat(), b"h\x00"),
        ),
        ("keys", deep.finish()),
    ] {
        assert!(!open("model.pt", &pickle), "{what}");
        let storages = vec![Piece::Bytes(vec![0; 4])];
        let file = pieces::bytes(torch::archive(pickle.clone(), storages));
        assert!(!open("model.pt", &file), "{what}");
        let packed = deflated(&[("archive/data.pkl", &pickle)]);
        assert!(!open("model.pt", &packed), "{what}");
    }
}

/// Large files that hold nothing but the smallest headers, entries or objects that their format has.
#[test]
fn large_files_of_nothing_but_entries() {
    let number = |number: u32| Piece::Bytes(number.to_le_bytes().to_vec());
    // The number of text tokens is the last of what comes before them.
    let ggml_until = |tokens: u32, n_vocab: usize| {
        let dims = ModelDims { n_vocab, ..DIMS };
        let mut start = pieces::bytes(ggml::file(&dims, &[], Vec::new()));
        start.truncate(start.len() - 4);
        vec![Piece::Bytes(start), number(tokens)]
    };
    let gguf = |tensors: u64| {
        let head = [b"GGUF", &3u32.to_le_bytes()[..], &tensors.to_le_bytes()].concat();
        vec![Piece::Bytes(head), Piece::Bytes(vec![0; 8])]
    };
    let ctranslate2 = |variables: u32| {
        let head = b"\x06\0\0\0\x0c\0WhisperSpec\0\x03\0\0\0";
        vec![Piece::Bytes(head.to_vec()), number(variables)]
    };
    for (what, name, start) in [
        (
            "ggml tensors",
            "ggml-model.bin",
            ggml_until(0, DIMS.n_vocab),
        ),
        (
            "ggml tokens",
            "ggml-model.bin",
            ggml_until(i32::MAX as u32, DIMS.n_vocab),
        ),
        (
            "a ggml vocabulary",
            "ggml-model.bin",
            ggml_until(i32::MAX as u32, i32::MAX as usize),
        ),
        ("GGUF tensors", "model.gguf", gguf(LARGE as u64 / 24)),
        ("more GGUF tensors than fit", "model.gguf", gguf(u64::MAX)),
        ("CTranslate2 variables", "model.bin", ctranslate2(u32::MAX)),
    ] {
        assert_refused_within(what, name, start);
    }
    // A list of None four million times, with a file of zeros around it that makes it look small.
    let mut pickle = b"\x80\x02](".to_vec();
    pickle.resize(4 << 20, b'N');
    pickle.extend(b"e.");
    assert_refused_within(
        "a bare pickle",
        "model.pt",
        vec![Piece::Bytes(pickle.clone())],
    );
    let storages = vec![Piece::Bytes(vec![0; LARGE - pickle.len()])];
    assert_refused_within("a pickle", "model.pt", torch::archive(pickle, storages));
}

/// Tensors that have names and all else, but are far more than any model has.
#[test]
fn more_tensors_than_any_model_has() {
    let many = |names: std::ops::Range<usize>| {
        let tensor = |index| Tensor {
            name: format!("{index}"),
            shape: vec![1],
            dtype: DType::F32,
            data: Piece::Bytes(vec![0; 4]),
        };
        names.map(tensor).collect::<Vec<_>>()
    };
    let ggml = pieces::bytes(ggml::file(&DIMS, &[], many(0..5000)));
    let gguf = pieces::bytes(gguf::file(many(0..5000)));
    for (name, file) in [("ggml-model.bin", ggml), ("model.gguf", gguf)] {
        let message = message(name, &file);
        assert!(message.contains("more than 4096 tensors"), "{message}");
    }
}

/// Opens a large file that begins like this and goes on with zeros, and looks at the memory that it takes.
#[track_caller]
fn assert_refused_within(what: &str, name: &str, mut start: Vec<Piece>) {
    let length: u64 = start.iter().map(Piece::len).sum();
    start.push(Piece::Zeros((LARGE as u64).saturating_sub(length)));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    pieces::write(&path, &start);
    drop(start);
    let peak = peak_of(|| assert!(Checkpoint::open(&path).is_err(), "{what}"));
    let most = FIXED + PER_BYTE_OF_LARGE * LARGE;
    assert!(peak <= most, "{what}: {peak} bytes");
    println!("{what}: {peak} bytes");
}

/// JSON that takes far more than its size when it is parsed: as the header of a file, beside it and as an index.
#[test]
fn json_that_grows_when_it_is_parsed() {
    const LENGTH: usize = 500_000;
    let numbered = |start: &str, entry: &str, end: &str| {
        let mut json = start.to_owned();
        for index in 0.. {
            json += &entry.replace('#', &format!("{index:x}"));
            if json.len() > LENGTH {
                break;
            }
            json.push(',');
        }
        json + end
    };
    let model = Synthetic::new();
    let tokens: [&[u8]; 3] = [b"a", b"b", b"ab"];
    let ggml = pieces::bytes(ggml::file(&DIMS, &tokens, tensors(&model, DType::F16)));
    for json in [
        numbered("[", "[0]", "]"),
        numbered("[", "\"\"", "]"),
        numbered("{", "\"#\":[0]", "}"),
        numbered("{", "\"<|#|>\":0", "}"),
        numbered("{\"weight_map\":{", "\"#\":\"#\"", "}}"),
        numbered("{\"__metadata__\":{", "\"#\":\"\"", "}}"),
        numbered("{\"a\":{\"dtype\":\"F32\",\"shape\":[", "1", "]}}"),
        numbered(
            "{",
            "\"#\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}",
            "}",
        ),
        numbered("{\"model\":{\"merges\":[", "\"\"", "]}}"),
        numbered("{\"model\":{\"vocab\":{", "\"#\":0", "}}}"),
    ] {
        let what = &json[..30];
        let header = [&(json.len() as u64).to_le_bytes(), json.as_bytes()].concat();
        assert!(!open("model.safetensors", &header), "{what}");
        for name in ["config.json", "model.safetensors.index.json"] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join(name), &json).unwrap();
            fs::write(folder.path().join("ggml-model.bin"), &ggml).unwrap();
            let peak = peak_of(|| drop(Checkpoint::open(folder.path())));
            assert_small(peak, json.len(), &format!("{name}: {what}"));
        }
        for names in [
            ["tokenizer.json", "none"],
            ["vocab.json", "merges.txt"],
            ["added_tokens.json", "none"],
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("ggml-model.bin");
            fs::write(&path, &ggml).unwrap();
            fs::write(
                folder.path().join("config.json"),
                r#"{"encoder_attention_heads": 2, "decoder_attention_heads": 4}"#,
            )
            .unwrap();
            let checkpoint = Checkpoint::open(&path).unwrap();
            if names[0] == "added_tokens.json" {
                fs::write(folder.path().join("vocab.json"), r#"{"a": 0}"#).unwrap();
                fs::write(folder.path().join("merges.txt"), "a\n".repeat(LENGTH / 4)).unwrap();
            }
            for name in names {
                fs::write(folder.path().join(name), &json).unwrap();
            }
            // Written as a folder, the tokenizer is read as well.
            let peak = peak_of(|| {
                drop(checkpoint.write_safetensors(folder.path().join("out"), None));
            });
            assert_small(peak, 2 * json.len(), &format!("{}: {what}", names[0]));
        }
    }
}
