//! A user opens models in the formats and forms that they come in.

mod support;

use std::fs;
use std::sync::atomic::AtomicBool;

use support::synthetic::{Ct2Writer, DIMS, Synthetic, raw_safetensors, safetensors, stacked};
use support::{assert_same_tensors, real_model};
use whisper_weights::{Checkpoint, DType, Error};

const DTYPES: [DType; 3] = [DType::F32, DType::F16, DType::BF16];

/// Every tensor has the values that were written, under its canonical name.
fn assert_holds(checkpoint: &Checkpoint, model: &Synthetic, dtype: DType) {
    assert_eq!(*checkpoint.dims(), DIMS);
    let names: Vec<&str> = checkpoint.tensor_names().collect();
    assert_eq!(names, model.tensors.keys().collect::<Vec<_>>());
    for (name, (shape, values)) in &model.tensors {
        let tensor = checkpoint.tensor(name).unwrap();
        assert_eq!(tensor.dtype, dtype, "{name}");
        assert_eq!(tensor.shape, *shape, "{name}");
        assert_eq!(tensor.to_f32(), *values, "{name}");
    }
}

#[test]
fn a_ctranslate2_folder() {
    let model = Synthetic::new();
    for dtype in DTYPES {
        let folder = tempfile::tempdir().unwrap();
        model.write_ctranslate2_folder(folder.path(), dtype);
        let checkpoint = Checkpoint::open(folder.path()).unwrap();
        assert_eq!(checkpoint.format(), "CTranslate2");
        assert_holds(&checkpoint, &model, dtype);
        // The file itself may be given, under any name.
        fs::rename(
            folder.path().join("model.bin"),
            folder.path().join("weights"),
        )
        .unwrap();
        let checkpoint = Checkpoint::open(folder.path().join("weights")).unwrap();
        assert_holds(&checkpoint, &model, dtype);
        assert_eq!(checkpoint.suppress_tokens(), Some([1, 2].as_slice()));
    }
}

#[test]
fn a_hugging_face_folder() {
    let model = Synthetic::new();
    for dtype in DTYPES {
        let folder = tempfile::tempdir().unwrap();
        model.write_hugging_face_folder(folder.path(), dtype);
        let checkpoint = Checkpoint::open(folder.path()).unwrap();
        assert_eq!(checkpoint.format(), "safetensors");
        assert_holds(&checkpoint, &model, dtype);
        let file = Checkpoint::open(folder.path().join("model.safetensors")).unwrap();
        assert_same_tensors(&file, &checkpoint);
    }
}

#[test]
fn a_sharded_hugging_face_folder() {
    let model = Synthetic::new();
    let folder = tempfile::tempdir().unwrap();
    model.write_sharded_folder(folder.path(), DType::F16);
    assert_holds(
        &Checkpoint::open(folder.path()).unwrap(),
        &model,
        DType::F16,
    );
    let index = folder.path().join("model.safetensors.index.json");
    assert_holds(&Checkpoint::open(&index).unwrap(), &model, DType::F16);

    let shard = folder.path().join("model-00001-of-00002.safetensors");
    let message = Checkpoint::open(&shard).unwrap_err().to_string();
    assert!(message.contains("one shard of several"), "{message}");
    fs::remove_file(&shard).unwrap();
    let message = Checkpoint::open(folder.path()).unwrap_err().to_string();
    assert!(
        message.contains("model-00001-of-00002.safetensors, which is missing"),
        "{message}"
    );
    fs::write(
        &index,
        r#"{"weight_map": {"model.encoder.conv1.weight": "../secret"}}"#,
    )
    .unwrap();
    let message = Checkpoint::open(folder.path()).unwrap_err().to_string();
    assert!(message.contains("names no file beside it"), "{message}");
}

#[test]
fn safetensors_in_the_names_of_openai_and_without_the_model_prefix() {
    let model = Synthetic::new();
    let folder = tempfile::tempdir().unwrap();
    model.write_hugging_face_folder(folder.path(), DType::F32);
    let rename = |to: fn(&str) -> String| {
        let tensors = model
            .tensors
            .iter()
            .map(|(name, values)| (to(name), values));
        fs::write(
            folder.path().join("model.safetensors"),
            safetensors(tensors, DType::F32),
        )
        .unwrap();
        assert_holds(
            &Checkpoint::open(folder.path()).unwrap(),
            &model,
            DType::F32,
        );
    };
    rename(|name| name.to_string());
    rename(|name| support::synthetic::hugging_face(name)["model.".len()..].to_string());
}

#[test]
fn both_formats_give_the_same_checkpoint() {
    let model = Synthetic::new();
    let folder = tempfile::tempdir().unwrap();
    model.write_ctranslate2_folder(&folder.path().join("ct2"), DType::F16);
    model.write_hugging_face_folder(&folder.path().join("hf"), DType::F16);
    let ct2 = Checkpoint::open(folder.path().join("ct2")).unwrap();
    let hf = Checkpoint::open(folder.path().join("hf")).unwrap();
    assert_same_tensors(&ct2, &hf);
    assert_eq!(ct2.alignment_heads(), Some([(0, 1), (0, 3)].as_slice()));
    assert_eq!(ct2.alignment_heads(), hf.alignment_heads());
    assert_eq!(ct2.suppress_tokens(), hf.suppress_tokens());
    assert_eq!(ct2.begin_suppress_tokens(), Some([3].as_slice()));
    assert_eq!(ct2.begin_suppress_tokens(), hf.begin_suppress_tokens());
    assert_eq!(ct2.language_ids(), Some([7, 8].as_slice()));
    assert_eq!(ct2.language_ids(), hf.language_ids());
    assert_eq!(ct2.tokenizer_json().unwrap(), hf.tokenizer_json().unwrap());
}

#[test]
fn a_written_folder_reads_back_the_same() {
    let model = Synthetic::new();
    let folder = tempfile::tempdir().unwrap();
    model.write_ctranslate2_folder(&folder.path().join("ct2"), DType::F16);
    let ct2 = Checkpoint::open(folder.path().join("ct2")).unwrap();

    let same = folder.path().join("same");
    ct2.write_safetensors(&same, None).unwrap();
    let written = Checkpoint::open(&same).unwrap();
    assert_same_tensors(&written, &ct2);
    assert_eq!(written.alignment_heads(), ct2.alignment_heads());
    assert_eq!(written.suppress_tokens(), ct2.suppress_tokens());
    assert_eq!(written.begin_suppress_tokens(), ct2.begin_suppress_tokens());
    assert_eq!(
        written.tokenizer_json().unwrap(),
        ct2.tokenizer_json().unwrap()
    );

    for dtype in DTYPES {
        let folder = folder.path().join(dtype.to_string());
        ct2.write_safetensors(&folder, Some(dtype)).unwrap();
        assert_holds(&Checkpoint::open(&folder).unwrap(), &model, dtype);
    }

    let cancelled = AtomicBool::new(true);
    let out = folder.path().join("cancelled");
    let outcome = ct2.write_safetensors_unless(&out, None, &cancelled);
    assert!(matches!(outcome, Err(Error::Cancelled)), "{outcome:?}");

    // A folder with something in it is left alone, and no attempt leaves anything behind.
    let message = ct2.write_safetensors(&same, None).unwrap_err().to_string();
    assert!(message.contains("not empty"), "{message}");
    let left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn values_beyond_f16_are_not_written_as_infinities() {
    let mut model = Synthetic::new();
    model.tensors.get_mut("decoder.ln.bias").unwrap().1[3] = 1e5;
    let folder = tempfile::tempdir().unwrap();
    model.write_hugging_face_folder(&folder.path().join("hf"), DType::F32);
    let checkpoint = Checkpoint::open(folder.path().join("hf")).unwrap();
    let out = folder.path().join("out");
    let message = checkpoint
        .write_safetensors(&out, Some(DType::F16))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("decoder.ln.bias") && message.contains("100000"),
        "{message}"
    );
    assert!(!out.exists());
    checkpoint
        .write_safetensors(&out, Some(DType::BF16))
        .unwrap();
}

#[test]
fn a_variable_behind_an_alias() {
    let model = Synthetic::new();
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Ct2Writer::default()
        .variable("encoder/num_heads", &[], 1, &[2])
        .variable("decoder/num_heads", &[], 1, &[4])
        .alias("decoder/embeddings/weight", "decoder/projection/weight");
    for (name, (shape, values)) in stacked(&model) {
        let name = name.replace("decoder/embeddings/", "decoder/projection/");
        writer = writer.floats(&name, &shape, &values, DType::F32);
    }
    fs::write(folder.path().join("model.bin"), writer.finish()).unwrap();
    assert_holds(
        &Checkpoint::open(folder.path()).unwrap(),
        &model,
        DType::F32,
    );
}

#[test]
fn the_head_count_without_a_scalar_follows_from_the_published_width() {
    // Heads of 64: a width of 4 is none of the published ones, so that a config is needed.
    let model = Synthetic::new();
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Ct2Writer::default();
    for (name, (shape, values)) in stacked(&model) {
        writer = writer.floats(&name, &shape, &values, DType::F32);
    }
    fs::write(folder.path().join("model.bin"), writer.finish()).unwrap();
    let message = Checkpoint::open(folder.path()).unwrap_err().to_string();
    assert!(message.contains("attention heads"), "{message}");
    let config = r#"{"encoder_attention_heads": 2, "decoder_attention_heads": 4}"#;
    fs::write(folder.path().join("config.json"), config).unwrap();
    assert_holds(
        &Checkpoint::open(folder.path()).unwrap(),
        &model,
        DType::F32,
    );
}

#[test]
fn a_tensor_that_does_not_exist() {
    let folder = tempfile::tempdir().unwrap();
    Synthetic::new().write_ctranslate2_folder(folder.path(), DType::F32);
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    let name = "encoder.blocks.0.attn.key.bias";
    assert!(matches!(checkpoint.tensor(name), Err(Error::NoSuchTensor(n)) if n == name));
}

#[test]
fn a_tensor_of_no_elements_elsewhere_in_the_file_does_no_harm() {
    let model = Synthetic::new();
    let folder = tempfile::tempdir().unwrap();
    let empty = (vec![0, 3], vec![]);
    let tensors = model
        .tensors
        .iter()
        .map(|(name, values)| (name.clone(), values));
    let file = safetensors(
        tensors.chain([("extra.empty".to_string(), &empty)]),
        DType::F32,
    );
    model.write_hugging_face_folder(folder.path(), DType::F32);
    fs::write(folder.path().join("model.safetensors"), file).unwrap();
    assert_holds(
        &Checkpoint::open(folder.path()).unwrap(),
        &model,
        DType::F32,
    );
    assert_eq!(raw_safetensors("{}", b"").len(), 10);
}

/// The published models: what a Hugging Face folder of them holds is what was fetched.
#[test]
fn real_models_are_the_same_in_both_formats() {
    for (name, state, layers, n_vocab, heads) in [
        (
            "tiny.en",
            384,
            4,
            51_864,
            [
                (1, 0),
                (2, 0),
                (2, 5),
                (3, 0),
                (3, 1),
                (3, 2),
                (3, 3),
                (3, 4),
            ],
        ),
        (
            "base",
            512,
            6,
            51_865,
            [
                (3, 1),
                (4, 2),
                (4, 3),
                (4, 7),
                (5, 1),
                (5, 2),
                (5, 4),
                (5, 6),
            ],
        ),
    ] {
        let fetched = real_model(name);
        let dims = fetched.dims();
        assert_eq!((dims.n_audio_state, dims.n_text_state), (state, state));
        assert_eq!(
            (dims.n_audio_head, dims.n_text_head),
            (state / 64, state / 64)
        );
        assert_eq!((dims.n_audio_layer, dims.n_text_layer), (layers, layers));
        assert_eq!(
            (dims.n_mels, dims.n_audio_ctx, dims.n_text_ctx),
            (80, 1500, 448)
        );
        assert_eq!(dims.n_vocab, n_vocab);
        assert_eq!(fetched.alignment_heads(), Some(heads.as_slice()));

        let folder = tempfile::tempdir().unwrap();
        let hf = folder.path().join(name);
        fetched.write_safetensors(&hf, None).unwrap();
        let written = Checkpoint::open(&hf).unwrap();
        assert_eq!(written.format(), "safetensors");
        assert_same_tensors(&written, &fetched);
        assert_eq!(
            written.tokenizer_json().unwrap(),
            fetched.tokenizer_json().unwrap()
        );
    }
}
