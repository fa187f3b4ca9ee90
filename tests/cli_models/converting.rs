//! Models are converted.

use std::fs;
use std::path::{Path, PathBuf};

use whisper_weights::{Checkpoint, DType};

use crate::machine::{Machine, files};
use crate::synthetic::Synthetic;

/// A model in CTranslate2's format.
fn source_on(machine: &Machine) -> PathBuf {
    let source = machine.path("source");
    Synthetic::new().write_ctranslate2_folder(&source, DType::F16);
    source
}

fn convert<'a>(source: &'a Path, target: &'a Path) -> [&'a str; 3] {
    [
        "convert",
        source.to_str().unwrap(),
        target.to_str().unwrap(),
    ]
}

#[test]
fn a_model_is_converted_to_another_type() {
    let machine = Machine::alone();
    let source = source_on(&machine);
    for (dtype, expected) in [
        ("f16", DType::F16),
        ("f32", DType::F32),
        ("bf16", DType::BF16),
    ] {
        let target = machine.path(dtype);
        let as_type = ["--format", "safetensors", "--dtype", dtype];
        let arguments = [&convert(&source, &target)[..], &as_type].concat();
        machine.run(&arguments).succeeded();
        let converted = Checkpoint::open(&target).unwrap();
        let original = Checkpoint::open(&source).unwrap();
        for name in original.tensor_names() {
            let tensor = converted.tensor(name).unwrap();
            assert_eq!(tensor.dtype, expected, "{name}");
            // The values of this model are exact in each of the types.
            let values = original.tensor(name).unwrap().to_f32();
            assert_eq!(tensor.to_f32(), values, "{name}");
        }
        // What is there is not written over.
        let line = machine.run(&arguments).one_error(1).to_owned();
        assert!(line.contains(target.to_str().unwrap()), "{line}");
    }
    // Nothing half-made lies about.
    assert_eq!(files(machine.folder.path()).len(), 4);
}

#[test]
fn a_broken_tokenizer_is_not_written() {
    let machine = Machine::alone();
    let source = source_on(&machine);
    let target = machine.path("target");
    let arguments = convert(&source, &target);
    for (tokenizer, wanted) in [
        (r#"{"model": {"#, "is no byte-level BPE tokenizer"),
        (
            r#"{"model": {"vocab": {"a": 99}, "merges": []}}"#,
            "another model's",
        ),
        (
            r#"{"model": {"vocab": {"a": 0}, "merges": ["a a"]}}"#,
            "merge 0",
        ),
    ] {
        fs::write(source.join("tokenizer.json"), tokenizer).unwrap();
        let line = machine.run(&arguments).one_error(1).to_owned();
        assert!(
            line.contains("tokenizer.json") && line.contains(wanted),
            "{line}"
        );
        assert_eq!(files(machine.folder.path()), std::slice::from_ref(&source));
    }
}

#[cfg(unix)]
#[test]
fn a_conversion_that_the_disk_has_no_room_for_leaves_nothing() {
    let machine = Machine::alone();
    let source = source_on(&machine);
    let target = machine.path("target");
    let arguments = convert(&source, &target);
    let run = machine.run_in(2, &arguments);
    let line = run.one_error(1);
    let told = format!("not enough disk space in {}", target.display());
    assert!(line.contains(&told), "{line}");
    assert_eq!(files(machine.folder.path()), [source]);
}

#[test]
fn a_folder_that_cannot_be_written_is_one_line() {
    let machine = Machine::alone();
    let source = source_on(&machine);
    fs::write(machine.path("file"), "").unwrap();
    let target = machine.path("file/target");
    let arguments = convert(&source, &target);
    let line = machine.run(&arguments).one_error(1).to_owned();
    assert!(line.contains("cannot"), "{line}");
}
