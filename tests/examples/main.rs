//! Every example, run as its user would; the first run fetches the model.
#![cfg(all(feature = "audio-files", feature = "fetch", feature = "output"))]

#[path = "custom_filter.rs"]
mod words;

#[path = "upload_page.rs"]
mod page;

#[path = "../common/browser.rs"]
mod browser;

#[allow(dead_code, reason = "a part is used")]
#[path = "../common/wav.rs"]
mod wav;

/// The examples themselves, whose `main` is not called here.
macro_rules! examples {
    ($($path:literal $name:ident),* $(,)?) => {
        $(
            #[allow(dead_code, reason = "the example's main is not called here")]
            #[path = $path]
            mod $name;
        )*
    };
}

examples! {
    "../../examples/batch_folder.rs" batch_folder,
    "../../examples/cancel_and_progress.rs" cancel_and_progress,
    "../../examples/custom_filter.rs" custom_filter,
    "../../examples/log_mel.rs" log_mel,
    "../../examples/microphone.rs" microphone,
    "../../examples/shared_model_threads.rs" shared_model_threads,
    "../../examples/subtitles.rs" subtitles,
    "../../examples/transcribe.rs" transcribe,
    "../../examples/upload_page/main.rs" upload_page,
}

use std::fs;
use std::io::Cursor;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/");

fn data(name: &str) -> String {
    format!("{DATA}{name}")
}

/// What an example writes.
fn written<E: std::fmt::Debug>(
    arguments: &[&str],
    run: impl FnOnce(&[String], &mut dyn std::io::Write) -> Result<(), E>,
) -> String {
    let arguments: Vec<String> = arguments
        .iter()
        .map(|&argument| argument.to_owned())
        .collect();
    let mut out = Vec::new();
    run(&arguments, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn segments_come_both_ways() {
    let text = written(&[&data("jfk.wav"), "tiny.en"], transcribe::run);
    assert_eq!(text.matches("fellow Americans").count(), 2, "{text}");
    assert!(text.contains("\nen: "), "{text}");
}

#[test]
fn features_are_drawn() {
    let text = written(&[&data("jfk.wav"), "cpu"], log_mel::run);
    assert!(
        text.starts_with("[80, 1100] features of 176000 samples"),
        "{text}"
    );
    assert!(text.contains("[3, 80, 100] F16, smoothed"), "{text}");
}

#[test]
fn subtitles_have_short_lines() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("jfk.srt");
    let arguments = [&data("jfk.wav"), place.to_str().unwrap(), "tiny.en"].map(str::to_owned);
    subtitles::run(&arguments).unwrap();
    let text = fs::read_to_string(place).unwrap();
    assert!(
        text.starts_with("1\n00:00:00,") && text.contains("Americans"),
        "{text}"
    );
    assert!(text.lines().all(|line| line.len() <= 42), "{text}");
    assert!(subtitles::run(&[]).is_err());
}

#[test]
fn a_folder_is_transcribed_and_what_fails_is_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(data("jfk.wav"), folder.path().join("jfk.wav")).unwrap();
    fs::write(folder.path().join("notes.txt"), "no audio").unwrap();
    let transcripts = folder.path().join("transcripts");
    let places = [folder.path(), &transcripts].map(|path| path.to_str().unwrap());
    let text = written(&[places[0], places[1], "tiny.en"], batch_folder::run);
    assert!(
        text.starts_with("jfk.wav: en\nnotes.txt: failed: "),
        "{text}"
    );
    let json = fs::read_to_string(transcripts.join("jfk.wav.json")).unwrap();
    assert!(json.contains("fellow Americans"), "{json}");
}

#[test]
fn a_key_ends_a_transcription_and_none_does_not() {
    let run = |stop: &'static [u8]| {
        written(&[&data("jfk.wav"), "tiny.en"], |arguments, out| {
            cancel_and_progress::run(arguments, Cursor::new(stop), out)
        })
    };
    let whole = run(b"");
    assert!(whole.starts_with("11.0 of 11.0 s\n"), "{whole}");
    assert!(
        whole.contains("Americans") && !whole.contains("[ended]"),
        "{whole}"
    );
    assert_eq!(run(b"\n"), " [ended]\n");
}

#[test]
fn threads_share_a_model() {
    let (jfk, none) = (data("jfk.wav"), data("none.wav"));
    let text = written(&["tiny.en", &jfk, &none], shared_model_threads::run);
    assert!(text.contains("fellow Americans"), "{text}");
    assert!(text.contains("none.wav: failed: "), "{text}");
}

#[test]
fn what_a_microphone_hears_is_written_piece_by_piece() {
    // As a device gives it: in small blocks, at its own rate, in two channels. Each sample three times is 48 kHz, near enough.
    let audio = whisper_rs::Audio::open(data("jfk.wav")).unwrap();
    let mut samples = vec![0.0; audio.len()];
    audio.read(0, &mut samples).unwrap();
    let stereo: Vec<f32> = samples.iter().flat_map(|&sample| [sample; 6]).collect();
    let blocks: Vec<Vec<f32>> = stereo.chunks(1024).map(<[f32]>::to_vec).collect();
    let source = microphone::Source {
        sample_rate: 48_000,
        channels: 2,
        blocks: Box::new(blocks.into_iter()),
    };
    let text = written(&["tiny.en"], |arguments, out| {
        microphone::listen(arguments, source, out)
    });
    assert!(text.lines().count() >= 2, "{text}");
    assert!(
        text.contains("fellow Americans") && text.contains("country"),
        "{text}"
    );
}
