//! A user is given a file that was made to do harm, or that is damaged: the corpus of the fuzz targets, and bombs.
//!
//! Memory is counted while a file is read: it stays within a small multiple of what the file takes on the disk.

mod corpus;
mod large;
mod memory;
#[path = "../support/mod.rs"]
mod support;

use std::fs;

use memory::{assert_small, open, peak_of};
use support::pieces::{self, Piece, tensors};
use support::synthetic::{DIMS, Synthetic};
use support::{ggml, gguf, hostile, torch};
use whisper_weights::DType;

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
