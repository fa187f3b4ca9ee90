//! Inputs that cannot be used: each gives one line that says what is wrong, exit code 1, and no panic.
#![cfg(feature = "cli")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{data, model, run, wav};
use whisper_weights::Silent;

/// Runs on one clip that is no use and returns the error line, which names the clip.
#[track_caller]
fn refusal_of(clip: &Path) -> String {
    let run = run(&["transcribe".as_ref(), clip.as_os_str()]);
    let line = run.one_error(1);
    assert!(
        line.contains(clip.to_str().unwrap()),
        "the line does not name its file: {line}"
    );
    line.to_owned()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }
}

#[test]
fn a_missing_file() {
    let line = refusal_of(Path::new("no_such_file.wav"));
    assert!(line.to_lowercase().contains("no such file"), "{line}");
}

#[test]
fn a_folder() {
    let line = refusal_of(Folder::new().0.path());
    assert!(
        line.contains("folder") || line.contains("directory"),
        "{line}"
    );
}

#[test]
fn an_empty_file() {
    let line = refusal_of(&Folder::new().file("empty.wav", b""));
    assert!(line.contains("empty"), "{line}");
}

#[test]
fn a_text_called_wav() {
    refusal_of(
        &Folder::new().file(
            "notes.wav",
            "Ask not what your country can do for you.\n"
                .repeat(99)
                .as_bytes(),
        ),
    );
}

#[test]
fn an_mp3_that_breaks_off() {
    let folder = Folder::new();
    let mp3 = fs::read(data("audio/lame.mp3")).unwrap();

    // In the first frame there is nothing to decode yet.
    refusal_of(&folder.file("at_once.mp3", &mp3[..60]));

    // Later, what is there is transcribed, as openai/whisper does, and the break is told.
    let half = folder.file("half.mp3", &mp3[..mp3.len() / 2]);
    let run = run(&[
        "transcribe",
        "--model",
        model("tiny.en"),
        half.to_str().unwrap(),
    ]);
    run.succeeded();
    assert!(!run.stderr.contains("panicked"), "{run:?}");
    let warned = |line: &str| line.starts_with("warning: ") && line.contains("cut off");
    assert!(run.stderr.lines().any(warned), "{run:?}");
}

#[test]
fn samples_that_are_no_numbers() {
    let samples: Vec<u8> = (0..16_000)
        .flat_map(|n| {
            if n == 8_000 {
                f32::NAN
            } else {
                (n as f32 * 0.1).sin() * 0.1
            }
            .to_le_bytes()
        })
        .collect();
    let line =
        refusal_of(&Folder::new().file("nan.wav", &wav::file(wav::FLOAT, 1, 16_000, 32, &samples)));
    assert!(
        line.contains("NaN") || line.contains("not a number"),
        "{line}"
    );
}

#[test]
fn wav_headers_that_make_no_sense() {
    let folder = Folder::new();
    for (name, bytes) in [
        (
            "no_channels.wav",
            wav::file(wav::PCM, 0, 16_000, 16, &[0; 64]),
        ),
        ("no_rate.wav", wav::file(wav::PCM, 1, 0, 16, &[0; 64])),
        ("no_bits.wav", wav::file(wav::PCM, 1, 16_000, 0, &[0; 64])),
        (
            "half_a_header.wav",
            wav::pcm16(1, 16_000, &[0; 64])[..30].to_vec(),
        ),
    ] {
        refusal_of(&folder.file(name, &bytes));
    }
}

#[test]
fn an_output_folder_that_cannot_be_written() {
    let folder = Folder::new();
    let file = folder.file("file", b"");
    let mut places = vec![file.clone(), file.join("below")];
    if cfg!(target_os = "linux") {
        // Not even root makes folders there.
        places.push("/proc/whisper-rs".into());
    }
    for place in places {
        let place = place.to_str().unwrap();
        // Neither the model nor the audio is there: the folder is looked at before any work.
        let run = run(&[
            "transcribe",
            "--model",
            "no/such/model",
            "-o",
            place,
            "no_such_file.wav",
        ]);
        let line = run.one_error(1);
        assert!(
            line.starts_with(place) && line.contains("--output_dir"),
            "{line}"
        );
    }
    assert!(file.is_file());
}

/// Runs with a model that is no use and returns the error line.
#[track_caller]
fn refusal_of_model(model: &Path) -> String {
    refusal_with_code(1, model)
}

#[track_caller]
fn refusal_with_code(code: i32, model: &Path) -> String {
    let clip = data("jfk.wav");
    let run = run(&[
        "transcribe",
        "--model",
        model.to_str().unwrap(),
        clip.to_str().unwrap(),
    ]);
    let line = run.one_error(code);
    assert!(
        line.contains(model.to_str().unwrap()),
        "the line does not name the model: {line}"
    );
    line.to_owned()
}

#[test]
fn a_mistyped_model_name_suggests_the_nearest() {
    for (mistyped, meant) in [
        ("bas", "base"),
        ("tinyen", "tiny.en"),
        ("large-v4", "large-v3"),
    ] {
        let line = refusal_with_code(2, Path::new(mistyped));
        assert!(line.contains(&format!("did you mean \"{meant}")), "{line}");
    }
}

#[test]
fn a_model_path_that_is_not_there() {
    refusal_of_model(Path::new("no/such/folder"));
    refusal_of_model(Path::new("./model.safetensors"));
}

#[test]
fn a_model_folder_without_weights() {
    let folder = Folder::new();
    folder.file("readme.txt", b"nothing here");
    refusal_of_model(folder.0.path());
}

#[test]
fn a_file_that_is_no_model() {
    let folder = Folder::new();
    refusal_of_model(&folder.file("empty.bin", b""));
    refusal_of_model(&folder.file("model.bin", b"short"));
    refusal_of_model(&folder.file("model.safetensors", &[0xA5; 4096]));
    refusal_of_model(&data("jfk.wav"));
}

#[test]
fn a_safetensors_header_that_claims_a_terabyte() {
    let mut bytes = 1_000_000_000_000u64.to_le_bytes().to_vec();
    bytes.extend(b"{}");
    let folder = Folder::new();
    refusal_of_model(&folder.file("alone.safetensors", &bytes));
    folder.file("model/config.json", b"{}");
    folder.file("model/model.safetensors", &bytes);
    refusal_of_model(&folder.path("model"));
}

#[test]
fn weights_that_were_cut_off_or_overwritten() {
    let whole = whisper_weights::fetch("tiny.en", &Silent).unwrap();
    let folder = Folder::new();
    for entry in fs::read_dir(whole).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(
            &path,
            folder.path(path.file_name().unwrap().to_str().unwrap()),
        )
        .unwrap();
    }
    let files = fs::read_dir(&folder.0)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let weights = files
        .max_by_key(|path| path.metadata().unwrap().len())
        .unwrap();
    let bytes = fs::read(&weights).unwrap();

    for length in [bytes.len() - 1, bytes.len() / 2, 1000, 9, 1, 0] {
        fs::write(&weights, &bytes[..length]).unwrap();
        refusal_of_model(folder.0.path());
    }
    let mut overwritten = bytes;
    overwritten[10..2000].fill(0xA5);
    fs::write(&weights, overwritten).unwrap();
    refusal_of_model(folder.0.path());
}
