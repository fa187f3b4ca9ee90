//! A user is given a file that was made to do harm, or that is damaged: the corpus of the fuzz targets, and bombs.
//!
//! Memory is counted while a file is read: it stays within a small multiple of what the file takes on the disk.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use support::hostile;
use support::pieces::{self, Piece, Tensor, tensors};
use support::synthetic::{DIMS, Synthetic, hugging_face};
use support::{ggml, gguf, torch};
use whisper_weights::{Checkpoint, DType, ModelDims};

/// What reading takes beside the file: messages, folders, tables of known names, and the published vocabulary.
const FIXED: usize = 4 << 20;
/// What it may take for each byte of the file.
const PER_BYTE: usize = 64;

/// A file that is large: what is fixed no longer hides what each of its bytes takes.
const LARGE: usize = 64 << 20;
/// What reading it may take for each byte.
const PER_BYTE_OF_LARGE: usize = 2;

/// Counts the bytes that are allocated, and the most that they were.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
/// One test at a time counts.
static COUNTING: Mutex<()> = Mutex::new(());

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// The most memory that was allocated beyond what there was before, in bytes.
fn peak_of(action: impl FnOnce()) -> usize {
    let _guard = COUNTING
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let before = NOW.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    action();
    PEAK.load(Ordering::Relaxed).saturating_sub(before)
}

#[track_caller]
fn assert_small(peak: usize, file: usize, what: &str) {
    let most = FIXED + PER_BYTE * file;
    assert!(peak <= most, "{what}: {peak} bytes for a file of {file}");
}

/// Reads a file of these bytes, and looks at the memory that it takes.
fn open(name: &str, bytes: &[u8]) -> bool {
    let mut opened = false;
    let peak = peak_of(|| opened = hostile::open(name, bytes));
    assert_small(peak, bytes.len(), name);
    opened
}

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

/// Every file cut at every length, and with every byte damaged.
#[test]
fn damage_anywhere_in_a_pytorch_ggml_or_gguf_file() {
    let model = Synthetic::new();
    let torch = pieces::bytes(torch::openai(&DIMS, tensors(&model, DType::F16)));
    let tokens: [&[u8]; 3] = [b"a", b"b", b"ab"];
    let ggml = pieces::bytes(ggml::file(&DIMS, &tokens, tensors(&model, DType::F16)));
    let gguf = pieces::bytes(gguf::file(tensors(&model, DType::F16)));
    for (name, file) in [
        ("model.pt", torch),
        ("ggml-model.bin", ggml),
        ("model.gguf", gguf),
    ] {
        assert!(open(name, &file), "{name} is whole");
        for length in 0..file.len() {
            assert!(
                !hostile::open(name, &file[..length]),
                "{name} was read with {length} bytes"
            );
        }
        let mut damaged = file.clone();
        let mut refused = 0;
        for position in 0..file.len() {
            damaged[position] ^= 1 << (position % 8);
            refused += usize::from(!hostile::open(name, &damaged));
            damaged[position] = file[position];
        }
        assert!(
            refused > 1000,
            "{name}: {refused} of {} damages were found",
            file.len()
        );
    }
}

/// A tensor that repeats one number a thousand million times.
#[test]
fn a_view_that_claims_more_than_the_file_has() {
    let mut pickle = torch::Pickle::new();
    pickle.0.extend(b"}(");
    pickle.text("encoder.conv1.weight");
    pickle.tensor(0, 1, &[1_000_000_000], &[0], DType::F32);
    pickle.0.push(b'u');
    let file = torch::archive(pickle.finish(), vec![Piece::Bytes(vec![0; 4])]);
    let file = pieces::bytes(file);
    assert!(!open("model.pt", &file));
    assert!(message("model.pt", &file).contains("claim 4000000000 bytes"));
}

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

/// A pickle that asks for a call, as one that does harm does: `os.system("...")`.
#[test]
fn a_pickle_is_never_executed() {
    let folder = tempfile::tempdir().unwrap();
    let witness = folder.path().join("executed");
    let mut pickle = torch::Pickle::new();
    pickle.0.extend(b"}(");
    pickle.text("encoder.conv1.weight");
    pickle.0.extend(b"cos\nsystem\n(");
    pickle.text(&format!("touch {}", witness.display()));
    pickle.0.extend(b"tRu");
    let file = pieces::bytes(torch::archive(pickle.finish(), Vec::new()));
    assert!(!open("model.pt", &file));
    assert!(!witness.exists());
}

/// Archives whose members unpack to far more than they take, or lie outside of the archive's folder.
#[test]
fn zip_bombs_and_names_that_lead_elsewhere() {
    let bomb = deflated(&[("archive/data.pkl", &vec![b'.'; 50 << 20])]);
    assert!(bomb.len() < 100_000);
    assert!(!open("model.pt", &bomb));
    assert!(message("model.pt", &bomb).contains("zip bomb"));
    let peak = peak_of(|| assert!(!hostile::unpack_wheel(&bomb)));
    assert_small(peak, bomb.len(), "wheel");

    for name in ["../model.bin", "/etc/model.bin", "fuzzed/../../model.bin"] {
        let wheel = deflated(&[
            ("fuzzed/model.bin", b"abc"),
            ("fuzzed/config.json", b"{}"),
            (name, b"x"),
        ]);
        assert!(!hostile::unpack_wheel(&wheel), "{name}");
        assert!(
            message("model.pt", &wheel).contains("outside of its folder"),
            "{name}"
        );
    }
    let wheel = deflated(&[("fuzzed/model.bin", b"abc"), ("fuzzed/config.json", b"{}")]);
    assert!(hostile::unpack_wheel(&wheel));
}

fn deflated(members: &[(&str, &[u8])]) -> Vec<u8> {
    use std::io::{Cursor, Write};
    use zip::write::{SimpleFileOptions, ZipWriter};

    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The error that a file of these bytes gives.
fn message(name: &str, bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    whisper_weights::Checkpoint::open(path)
        .unwrap_err()
        .to_string()
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
