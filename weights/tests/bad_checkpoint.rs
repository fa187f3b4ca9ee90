//! A user gives something that is not a whole Whisper model: one clear line, never a panic, and no
//! memory taken on the word of a header.

mod support;

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use support::synthetic::{Ct2Writer, Synthetic, raw_safetensors, safetensors, stacked};
use whisper_weights::{Checkpoint, DType, Error};

/// Opens a file of these bytes and gives the error as its one line.
fn refuse(name: &str, bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    one_line(
        Checkpoint::open(&path).expect_err("this is no checkpoint"),
        &path,
    )
}

fn one_line(error: Error, path: &Path) -> String {
    let line = error.to_string();
    assert!(!line.contains('\n'), "{line}");
    assert!(line.contains(&*path.to_string_lossy()), "{line}");
    line
}

#[test]
fn a_header_that_claims_a_terabyte() {
    let mut file = 1_000_000_000_000u64.to_le_bytes().to_vec();
    file.extend(br#"{"model.encoder.conv1.weight":{"dtype":"F32"}}"#);
    let line = refuse("model.safetensors", &file);
    assert!(
        line.contains("claims 1000000000000 bytes, but the whole file has 54"),
        "{line}"
    );
    assert!(line.contains("fetch or copy it again"), "{line}");
    // Without anything after it only the name tells what it should have been.
    let line = refuse("model.safetensors", &file[..8]);
    assert!(line.contains("claims 1000000000000 bytes"), "{line}");
    let line = refuse("model.safetensors", &u64::MAX.to_le_bytes());
    assert!(line.contains("truncated or corrupt"), "{line}");
}

#[test]
fn lengths_in_a_safetensors_header_are_not_trusted() {
    for header in [
        r#"{"a":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}"#,
        r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,0]}}"#,
        r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[18446744073709551612,18446744073709551615]}}"#,
        r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#,
        r#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
        r#"{"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}"#,
        r#"{"a":1}"#,
        "{\"a\"",
        "{\u{0}}",
    ] {
        let line = refuse("model.safetensors", &raw_safetensors(header, &[0; 4]));
        assert!(line.contains("truncated or corrupt"), "{header}: {line}");
    }
    let line = refuse("model.safetensors", &raw_safetensors("{}", b""));
    assert!(
        line.contains("encoder.conv1.weight") && line.contains("missing"),
        "{line}"
    );
}

#[test]
fn lengths_in_a_ctranslate2_file_are_not_trusted() {
    let variable = |shape: &[usize], dtype, data: &[u8]| {
        Ct2Writer::default()
            .variable("encoder/conv1/weight", shape, dtype, data)
            .finish()
    };
    for (file, what) in [
        (variable(&[u32::MAX as usize; 8], 0, b""), "claims 0 bytes"),
        (variable(&[2], 0, &[0; 4]), "claims 4 bytes"),
        (variable(&[1; 9], 0, &[0; 4]), "9 axes"),
        (variable(&[1], 77, &[0; 4]), "unknown type 77"),
    ] {
        let line = refuse("model.bin", &file);
        assert!(
            line.contains(what) && line.contains("truncated or corrupt"),
            "{line}"
        );
    }

    let whole = Synthetic::new().ctranslate2(DType::F32);
    let mut many_variables = whole.clone();
    many_variables[22..26].copy_from_slice(&u32::MAX.to_le_bytes());
    let line = refuse("model.bin", &many_variables);
    assert!(line.contains("truncated or corrupt"), "{line}");

    let mut joined_wrongly = whole.clone();
    joined_wrongly.extend(&whole[..100]);
    let line = refuse("model.bin", &joined_wrongly);
    assert!(line.contains("100 bytes follow its end"), "{line}");

    let twice = Ct2Writer::default()
        .variable("a", &[], 1, &[1])
        .variable("a", &[], 1, &[1]);
    let line = refuse("model.bin", &twice.finish());
    assert!(line.contains("a is there twice"), "{line}");
}

#[test]
fn a_file_cut_short_anywhere() {
    let model = Synthetic::new();
    let folder = tempfile::tempdir().unwrap();
    for (name, file) in [
        ("model.bin", model.ctranslate2(DType::F16)),
        ("model.safetensors", model.safetensors(DType::F16)),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, &file).unwrap();
        let cut = fs::File::options().write(true).open(&path).unwrap();
        for length in (0..file.len()).rev() {
            cut.set_len(length as u64).unwrap();
            match Checkpoint::open(&path) {
                Ok(_) => panic!("{name} was read with {length} of {} bytes", file.len()),
                Err(error) => one_line(error, &path),
            };
        }
    }
}

/// A damaged byte is an error or, in data, another value; it is never a panic, nor a tensor of
/// another size.
#[test]
fn a_damaged_byte_anywhere() {
    let model = Synthetic::new();
    let folder = tempfile::tempdir().unwrap();
    for (name, file) in [
        ("model.bin", model.ctranslate2(DType::F16)),
        ("model.safetensors", model.safetensors(DType::F16)),
    ] {
        let path = folder.path().join(name);
        let config = r#"{"encoder_attention_heads": 2, "decoder_attention_heads": 4}"#;
        fs::write(folder.path().join("config.json"), config).unwrap();
        let mut refused = 0;
        fs::write(&path, &file).unwrap();
        let mut damage = fs::File::options().write(true).open(&path).unwrap();
        let mut write = |position: usize, byte: u8| {
            damage.seek(SeekFrom::Start(position as u64)).unwrap();
            damage.write_all(&[byte]).unwrap();
        };
        for (position, &byte) in file.iter().enumerate() {
            write(position, byte ^ (1 << (position % 8)));
            match Checkpoint::open(&path) {
                Ok(checkpoint) => {
                    for tensor in checkpoint.tensor_names() {
                        let tensor = checkpoint.tensor(tensor).unwrap();
                        assert_eq!(
                            tensor.to_f32().len(),
                            tensor.shape.iter().product::<usize>()
                        );
                    }
                }
                Err(error) => {
                    one_line(error, folder.path());
                    refused += 1;
                }
            }
            write(position, byte);
        }
        assert!(
            refused > 1000,
            "{name}: {refused} of {} damages were found",
            file.len()
        );
    }
}

#[test]
fn files_of_other_kinds() {
    for (name, bytes, what) in [
        ("model.bin", &b""[..], "it is empty"),
        ("model.safetensors", b"", "it is empty"),
        ("model.bin", b"This is a text file.\n", "it is a text file"),
        (
            "model.safetensors",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:12\n",
            "claims",
        ),
        (
            "model.bin",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:12\n",
            "Git LFS pointer",
        ),
        (
            "audio.wav",
            b"RIFF\x24\x08\x00\x00WAVEfmt \x10\x00\x00\x00",
            "no known weight format",
        ),
        (
            "tiny.pt",
            b"PK\x03\x04\x00\x00\x08\x08",
            "not a whole zip archive",
        ),
        (
            "pytorch_model.bin",
            b"\x80\x02\x8a\nl\xfc\x9cF",
            "truncated or corrupt",
        ),
        (
            "ggml-tiny.bin",
            b"lmgg\x98\xca\x00\x00\xdc\x05\x00\x00",
            "truncated or corrupt",
        ),
        (
            "model.gguf",
            b"GGUF\x03\x00\x00\x00",
            "truncated or corrupt",
        ),
        (
            "model.gguf",
            b"GGUF\x01\x00\x00\x00",
            "GGUF file of version 1",
        ),
    ] {
        let line = refuse(name, bytes);
        assert!(line.contains(what), "{name}: {line}");
    }
}

#[test]
fn ctranslate2_files_that_are_not_read() {
    let spec = Ct2Writer {
        spec: Some("TransformerSpec"),
        ..Default::default()
    };
    let line = refuse("model.bin", &spec.finish());
    assert!(
        line.contains("TransformerSpec") && line.contains("Whisper"),
        "{line}"
    );

    let version = Ct2Writer {
        version: Some(5),
        ..Default::default()
    };
    let line = refuse("model.bin", &version.finish());
    assert!(line.contains("version 5"), "{line}");
}

#[test]
fn integers_of_ctranslate2_without_the_scales_that_they_need() {
    let model = Synthetic::new();
    let write = |scales: Option<(usize, DType)>| {
        let mut writer = Ct2Writer::default()
            .variable("encoder/num_heads", &[], 1, &[2])
            .variable("decoder/num_heads", &[], 1, &[4]);
        for (name, (shape, values)) in stacked(&model) {
            if name != "decoder/embeddings/weight" {
                writer = writer.floats(&name, &shape, &values, DType::F32);
                continue;
            }
            writer = writer.variable(&name, &shape, 1, &vec![1; values.len()]);
            if let Some((count, dtype)) = scales {
                let scale = format!("{name}_scale");
                writer = writer.floats(&scale, &[count], &vec![0.5; count], dtype);
            }
        }
        writer.finish()
    };
    let line = refuse("model.bin", &write(None));
    assert!(
        line.contains("decoder/embeddings/weight") && line.contains("no scales"),
        "{line}"
    );
    let line = refuse("model.bin", &write(Some((10, DType::F32))));
    assert!(
        line.contains("10 scales of type f32, expected 11"),
        "{line}"
    );
}

#[test]
fn a_bias_of_the_keys_that_is_not_zero() {
    let model = Synthetic::new();
    let mut writer = Ct2Writer::default().variable("encoder/num_heads", &[], 1, &[2]);
    for (name, (shape, mut values)) in stacked(&model) {
        if name == "encoder/layer_1/self_attention/linear_0/bias" {
            values[4] = 0.25;
        }
        writer = writer.floats(&name, &shape, &values, DType::F16);
    }
    let line = refuse("model.bin", &writer.finish());
    assert!(
        line.contains("encoder/layer_1/self_attention/linear_0/bias"),
        "{line}"
    );
}

#[test]
fn a_tensor_that_is_missing_or_of_another_shape() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    Synthetic::new().write_hugging_face_folder(folder.path(), DType::F32);
    let mut names: Vec<String> = Synthetic::new().tensors.into_keys().collect();
    names.retain(|name| !name.contains("ln"));
    for name in names {
        let mut model = Synthetic::new();
        let removed = model.tensors.remove(&name).unwrap();
        fs::write(&path, model.safetensors(DType::F32)).unwrap();
        let line = one_line(Checkpoint::open(&path).unwrap_err(), &path);
        assert!(line.contains(&format!("{name}: is missing")), "{line}");

        // One row less: the shape of every tensor is checked, or the dimensions disagree.
        let (mut shape, mut values) = removed;
        values.truncate(values.len() / shape[0] * (shape[0] - 1));
        shape[0] -= 1;
        let found = format!("{shape:?}");
        model.tensors.insert(name.clone(), (shape, values));
        fs::write(&path, model.safetensors(DType::F32)).unwrap();
        let line = Checkpoint::open(&path).unwrap_err().to_string();
        let by_shape = line.contains(&name) && line.contains(&found) && line.contains("expected");
        let by_dimension = ["positional", "token_embedding", "conv1.weight"];
        assert!(
            by_shape || by_dimension.iter().any(|part| name.contains(part)),
            "{line}"
        );
    }
}

#[test]
fn weights_of_a_type_that_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    Synthetic::new().write_hugging_face_folder(folder.path(), DType::F32);
    let path = folder.path().join("model.safetensors");
    let file = fs::read(&path).unwrap();
    // As many bytes, in another type: the name of the type in the header is all that changes.
    let at = file
        .windows(5)
        .position(|window| window == b"\"F32\"")
        .unwrap();
    let changed = [&file[..at], b"\"I32\"", &file[at + 5..]].concat();
    fs::write(&path, changed).unwrap();
    let line = one_line(Checkpoint::open(&path).unwrap_err(), &path);
    assert!(
        line.contains("I32 weights") && line.contains("f32, f16 or bf16"),
        "{line}"
    );
}

#[test]
fn a_config_that_does_not_fit_the_weights() {
    let folder = tempfile::tempdir().unwrap();
    Synthetic::new().write_hugging_face_folder(folder.path(), DType::F32);
    let config = folder.path().join("config.json");
    let text = fs::read_to_string(&config).unwrap();
    for (from, to, what) in [
        (
            "\"d_model\":4",
            "\"d_model\":16",
            "says d_model 16, but the weights have 4",
        ),
        (
            "\"decoder_layers\":1",
            "\"decoder_layers\":2",
            "says decoder_layers 2",
        ),
        (
            "\"encoder_attention_heads\":2",
            "\"encoder_attention_heads\":3",
            "do not divide",
        ),
        (
            "\"encoder_attention_heads\":2",
            "\"encoder_attention_heads\":0",
            "do not divide",
        ),
        ("\"gelu\"", "\"relu\"", "relu"),
        (
            "\"scale_embedding\":false",
            "\"scale_embedding\":true",
            "scaled embeddings",
        ),
        ("{", "[", "not valid JSON"),
    ] {
        assert!(text.contains(from), "{text}");
        fs::write(&config, text.replacen(from, to, 1)).unwrap();
        let line = one_line(Checkpoint::open(folder.path()).unwrap_err(), folder.path());
        assert!(line.contains(what), "{line}");
    }
    fs::write(&config, text).unwrap();
    let generation = folder.path().join("generation_config.json");
    fs::write(&generation, r#"{"alignment_heads": [[1, 0]]}"#).unwrap();
    let line = one_line(Checkpoint::open(folder.path()).unwrap_err(), folder.path());
    assert!(line.contains("head 0 of layer 1"), "{line}");
}

#[test]
fn folders_without_a_model_and_paths_that_do_not_exist() {
    let folder = tempfile::tempdir().unwrap();
    let line = one_line(Checkpoint::open(folder.path()).unwrap_err(), folder.path());
    assert!(
        line.contains("holds no weights") && line.contains("model.safetensors"),
        "{line}"
    );
    fs::write(folder.path().join("config.json"), "{}").unwrap();
    assert!(matches!(
        Checkpoint::open(folder.path()),
        Err(Error::NoWeights(_))
    ));
    let missing = folder.path().join("nothing");
    assert!(matches!(Checkpoint::open(&missing), Err(Error::NotFound(path)) if path == missing));
}

#[test]
fn a_model_without_its_tokenizer() {
    let folder = tempfile::tempdir().unwrap();
    Synthetic::new().write_ctranslate2_folder(folder.path(), DType::F32);
    fs::remove_file(folder.path().join("tokenizer.json")).unwrap();
    // The weights alone are still of use.
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    let line = one_line(checkpoint.tokenizer_json().unwrap_err(), folder.path());
    assert!(line.contains("tokenizer.json"), "{line}");
}

#[test]
fn names_of_layers_that_are_absurd() {
    let model = Synthetic::new();
    let extra = (vec![1], vec![0.0]);
    let name = "model.encoder.layers.99999999999999999999.fc1.weight".to_string();
    let tensors = model
        .tensors
        .iter()
        .map(|(name, values)| (support::synthetic::hugging_face(name), values))
        .chain([(name, &extra)]);
    let line = refuse("model.safetensors", &safetensors(tensors, DType::F32));
    assert!(
        line.contains("heads") || line.contains("encoder.blocks.2"),
        "{line}"
    );
}
