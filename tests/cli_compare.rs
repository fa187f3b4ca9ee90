//! `whisper-rs compare`: what a user learns of transcripts beside their references.
#![cfg(feature = "cli")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{data, model, run};
use serde_json::Value;

/// The transcript of a model with words.
fn words(model: &str, clip: &str) -> PathBuf {
    data(&format!("reference/{model}/{clip}-words.json"))
}

fn compare(reference: &Path, hypothesis: &Path, flags: &[&str]) -> common::Run {
    let [reference, hypothesis] = [reference, hypothesis].map(|path| path.to_str().unwrap());
    run(&[&["compare", reference, hypothesis], flags].concat())
}

fn json(reference: &Path, hypothesis: &Path, flags: &[&str]) -> Value {
    let run = compare(reference, hypothesis, &[flags, &["--json"]].concat());
    serde_json::from_str(&run.succeeded().stdout).unwrap()
}

#[test]
fn two_transcripts_with_words_and_tokens() {
    let found = json(&words("base", "jfk"), &words("tiny.en", "jfk"), &[]);
    let clip = &found["clips"][0];
    assert_eq!(clip["normalizer"], "english");
    assert_eq!(clip["words"]["rate"], 0.0);
    assert_eq!(clip["words"]["hits"], 22);
    // Times lie on a grid of 0.02 s, and models differ by a few steps of it.
    let times = &clip["word_times"];
    assert_eq!(
        (times["matched"].as_u64(), times["of"].as_u64()),
        (Some(22), Some(22))
    );
    let [mean, most] = ["mean", "max"].map(|name| times[name].as_f64().unwrap());
    assert!(mean > 0.0 && mean <= most && most < 1.0, "{times}");
    // The tokens of an English-only model have other numbers.
    assert!(clip["tokens"]["substitutions"].as_u64() > Some(0));
    let row = &clip["alignment"][0];
    assert_eq!(
        (row["edit"].as_str(), row["reference"]["word"].as_str()),
        (Some("hit"), Some("and"))
    );
    assert!(row["hypothesis"]["end"].as_f64() > row["hypothesis"]["start"].as_f64());
}

#[test]
fn what_differs_stands_below_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let [said, heard] = ["said.txt", "heard.txt"].map(|name| folder.path().join(name));
    fs::write(&said, "Mr. Smith's colour,\nit goes on.\n").unwrap();
    fs::write(&heard, "mister smith is color he goes on and\n").unwrap();
    let plain = compare(&said, &heard, &["--language", "en"]);
    assert_eq!(
        plain.succeeded().stdout,
        "heard.txt (en)\n\
         REF  mister smith is color it goes on ***\n\
         HYP  mister smith is color he goes on and\n\
         \x20                          S          I\n\n\
         words       WER 28.57 %: 2 errors in 7, 1 substituted, 0 deleted, 1 inserted\n\
         characters  CER 18.75 %: 6 errors in 32, 2 substituted, 0 deleted, 4 inserted\n\
         normalizer  english\n"
    );
    let coloured = compare(&said, &heard, &["-l", "English", "--print_colors"]);
    assert!(
        coloured.stdout.contains("\x1b[33mhe\x1b[0m"),
        "{}",
        coloured.stdout
    );
    let basic = compare(&said, &heard, &["-l", "en", "--normalizer", "basic"]);
    assert!(basic.stdout.contains("mr"), "{}", basic.stdout);
    let table = compare(&said, &heard, &["-l", "en", "--worst", "0"]);
    assert!(
        table.succeeded().stdout.starts_with("clip "),
        "{}",
        table.stdout
    );
    let none = json(&said, &said, &["--normalizer", "none"]);
    assert_eq!(none["clips"][0]["alignment"][0]["reference"]["word"], "Mr.");
}

#[test]
fn the_same_transcript_in_other_formats_has_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let clip = data("jfk.wav");
    let arguments = [
        "transcribe",
        clip.to_str().unwrap(),
        "--model",
        model("tiny.en"),
        "-o",
    ];
    let more = [
        folder.path().to_str().unwrap(),
        "-f",
        "all,jsonl,json-full",
        "--language",
        "en",
    ];
    run(&[&arguments[..], &more].concat()).succeeded();
    let reference = folder.path().join("jfk.json");
    for name in [
        "jfk.full.json",
        "jfk.jsonl",
        "jfk.srt",
        "jfk.vtt",
        "jfk.tsv",
        "jfk.txt",
    ] {
        let found = json(&reference, &folder.path().join(name), &[]);
        let clip = &found["clips"][0];
        assert_eq!(clip["words"]["rate"], 0.0, "{name}");
        if name != "jfk.txt" {
            assert_eq!(clip["segment_times"]["max"], 0.0, "{name}");
        }
        let has_tokens = name.contains("json");
        assert_eq!(
            clip["tokens"]["hits"].as_u64().is_some(),
            has_tokens,
            "{name}"
        );
    }
}

#[test]
fn a_recording_is_transcribed_first() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let flags = [
        "--model",
        model("tiny.en"),
        "--html",
        page.to_str().unwrap(),
    ];
    let found = json(&words("tiny.en", "jfk"), &data("jfk.wav"), &flags);
    let clip = &found["clips"][0];
    assert_eq!(clip["words"]["rate"], 0.0);
    // By the same model: nothing differs but what float arithmetic may move a word by.
    assert!(clip["word_times"]["max"].as_f64() <= Some(0.0201));
    assert_eq!(clip["tokens"]["substitutions"], 0);
    let page = fs::read_to_string(&page).unwrap();
    assert!(page.contains("data:image/png;base64,") && page.contains("class=\"waveform\""));
}

#[test]
fn manifests_and_folders() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("heard")).unwrap();
    fs::write(
        at("clips.tsv"),
        "file\tlanguage\ttranscript\na.wav\tde\tJa, so ist es.\nsub/b.wav\ten\tSo it goes.\nc.wav\ten\t\nd.wav\ten\tgone\n",
    )
    .unwrap();
    fs::write(
        at("heard/a.json"),
        r#"{"text": "Ja so is es", "language": "nl", "segments": []}"#,
    )
    .unwrap();
    fs::write(
        at("heard/b.wav.json"),
        r#"{"text": "so it goes", "language": "en", "segments": []}"#,
    )
    .unwrap();
    let run = compare(&at("clips.tsv"), &at("heard"), &["--worst", "1"]);
    assert!(
        run.stderr.contains("1 of 3 references have no transcript"),
        "{}",
        run.stderr
    );
    let printed = &run.succeeded().stdout;
    assert!(
        printed.starts_with("a.wav (de, taken for nl)\n"),
        "{printed}"
    );
    assert!(
        !printed.contains("sub/b.wav (en)") && printed.contains("\nsub/b.wav"),
        "{printed}"
    );
    assert!(
        printed.contains("1 of 2 clips taken for another"),
        "{printed}"
    );

    let found = json(&at("clips.tsv"), &at("heard"), &[]);
    assert_eq!(found["words"]["substitutions"], 1);
    assert_eq!(found["words"]["hits"], 6);
    assert_eq!(
        found["languages"][0],
        serde_json::json!({"spoken": "de", "heard": "nl", "clips": 1})
    );

    let both = json(&at("heard"), &at("heard"), &[]);
    assert_eq!(
        (
            both["clips"].as_array().unwrap().len(),
            &both["words"]["rate"]
        ),
        (2, &Value::from(0.0))
    );
    let tables = json(&at("clips.tsv"), &at("clips.tsv"), &[]);
    assert_eq!(tables["words"]["hits"], 8);
}

#[test]
fn wrong_inputs_are_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let bad = folder.path().join("bad.json");
    fs::write(&bad, "{").unwrap();
    let table = folder.path().join("clips.tsv");
    fs::write(&table, "file\ttext\na.wav\tso\n").unwrap();
    let unknown = folder.path().join("unknown.tsv");
    fs::write(&unknown, "file\ttext\na.wav\t\n").unwrap();
    let jfk = words("base", "jfk");
    let clip = data("jfk.wav");
    for (reference, hypothesis, says) in [
        (
            Path::new("no_such_file.json"),
            jfk.as_path(),
            "no_such_file.json",
        ),
        (&jfk, Path::new("no_such_file.json"), "no_such_file.json"),
        (&jfk, &clip, "cannot be read as a transcript"),
        (&bad, &jfk, "is no JSON"),
        (&jfk, &empty, "compare a file with a file"),
        (&empty, &jfk, "no transcript in this folder"),
        (&table, &jfk, "give a folder or a manifest"),
        (&jfk, &table, "is a manifest of several clips"),
        (&table, &empty, "has no transcript of a name"),
        (&unknown, &empty, "has no transcript to compare with"),
    ] {
        let run = compare(reference, hypothesis, &[]);
        let line = run.one_error(1);
        assert!(line.contains(says), "{line}");
    }
    let run = compare(&jfk, &table, &["--html", table.to_str().unwrap()]);
    assert!(run.one_error(1).contains("would overwrite"));
    for (flags, code, says) in [
        (&["--language", "klingon"][..], 2, "klingon"),
        (&["--normalizer", "french"], 2, "english"),
        (&["--audio", "a.wav"], 2, "--html"),
        (&["--html", "page.html", "--device", "abacus"], 2, "abacus"),
        (
            &["--html", "/no/such/folder/page.html"],
            1,
            "/no/such/folder",
        ),
        (
            &["--html", "page.html", "--audio", "no_such.wav"],
            1,
            "no_such.wav",
        ),
    ] {
        let run = compare(&jfk, &jfk, flags);
        let line = run.one_error(code);
        assert!(line.contains(says), "{line}");
    }
}
