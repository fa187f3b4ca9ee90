//! What a user does with `whisper-rs transcribe` on real models; the first run fetches them.
#![cfg(feature = "cli")]

mod common;

use std::fs;
use std::io::Write;
use std::process::Stdio;

use common::{Run, assert_transcript_equals, data, json, model, reference, run, wav, whisper_rs};

const JFK: &str = "And so my fellow Americans ask not what your country can do for you, ask what you can do for your country.";

/// As the references were made: one beam, and no fallback.
const GREEDY: [&str; 2] = [
    "--beam_size=None",
    "--temperature_increment_on_fallback=None",
];

#[test]
fn the_default_model_transcribes_with_times_and_writes_no_files() {
    let folder = tempfile::tempdir().unwrap();
    let output = whisper_rs(&["transcribe".as_ref(), data("jfk.wav").as_os_str()])
        .current_dir(&folder)
        .output();
    let run = Run::of(output.unwrap());
    assert_eq!(
        run.succeeded().stdout,
        "[00:00.000 --> 00:08.000]  And so, my fellow Americans, ask not what your country can do for you,\n\
         [00:08.000 --> 00:11.000]  ask what you can do for your country.\n"
    );
    assert!(run.stderr.contains("Detected language: English"), "{run:?}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn json_and_text_files_equal_openai_whisper() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("made/by/the/run");
    let run = run(&[
        "transcribe",
        "--model",
        model("base"),
        "--output_dir",
        out.to_str().unwrap(),
        "--output_format",
        "txt,json",
        GREEDY[0],
        GREEDY[1],
        "--verbose",
        "False",
        data("jfk.wav").to_str().unwrap(),
        data("clips/leopard_test_ja.flac").to_str().unwrap(),
    ]);
    assert_eq!(
        run.succeeded().stdout,
        "",
        "--verbose False prints no transcript"
    );
    for clip in ["jfk", "leopard_test_ja"] {
        assert_transcript_equals(
            &json(&out.join(format!("{clip}.json"))),
            &reference("base", clip),
        );
    }
    let raw = fs::read_to_string(out.join("leopard_test_ja.json")).unwrap();
    assert!(
        raw.is_ascii() && raw.contains("\\u"),
        "JSON is written as openai/whisper does, in ASCII"
    );
    let text = fs::read_to_string(out.join("jfk.txt")).unwrap();
    assert_eq!(text.lines().collect::<Vec<_>>().join(" "), JFK);
    assert_eq!(fs::read_dir(&out).unwrap().count(), 4);
}

/// What openai/whisper hears in a clip, greedy.
fn reference_text(model: &str, clip: &str) -> String {
    let reference = reference(model, clip);
    reference["text"].as_str().unwrap().trim().to_owned()
}

#[test]
fn every_format_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let clip = data("jfk.wav");
    let arguments = [
        "transcribe",
        "--model",
        model("tiny.en"),
        "--output_dir",
        folder.path().to_str().unwrap(),
        "--output_format",
        "all,json-full,jsonl,csv,lrc,ass",
        "--word_timestamps",
        "True",
        "--max_line_width",
        "30",
        "--max_line_count",
        "1",
        GREEDY[0],
        GREEDY[1],
        clip.to_str().unwrap(),
    ];
    run(&arguments).succeeded();
    let file = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 10);

    let srt = file("jfk.srt");
    assert!(
        srt.starts_with("1\n00:00:0") && srt.ends_with("\n\n"),
        "{srt}"
    );
    let lines: Vec<&str> = srt.lines().skip(2).step_by(4).collect();
    assert!(
        lines.len() > 3 && lines.iter().all(|line| line.len() <= 30),
        "{srt}"
    );
    assert_eq!(lines.join(" "), reference_text("tiny.en", "jfk"));
    assert!(file("jfk.vtt").starts_with("WEBVTT\n\n00:0"));
    assert!(file("jfk.ass").contains("{\\k"));
    assert!(file("jfk.lrc").contains("\n[00:0"));
    assert!(file("jfk.csv").starts_with("start,end,text\n"));
    assert!(file("jfk.tsv").starts_with("start\tend\ttext\n"));

    let plain = json(&folder.path().join("jfk.json"));
    let mut full = json(&folder.path().join("jfk.full.json"));
    let lines: Vec<serde_json::Value> = (file("jfk.jsonl").lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(plain["segments"], serde_json::Value::from(lines));
    for segment in full["segments"].as_array_mut().unwrap() {
        let details = segment.as_object_mut().unwrap().remove("token_details");
        let details = details.unwrap().as_array().unwrap().clone();
        let ids: Vec<_> = details.iter().map(|token| token["id"].clone()).collect();
        assert_eq!(segment["tokens"], serde_json::Value::from(ids));
        let text: String = (details.iter().map(|token| token["text"].as_str().unwrap()))
            .filter(|text| !text.starts_with("<|"))
            .collect();
        assert_eq!(segment["text"], text);
        let logprob = |token: &serde_json::Value| token["probability"].as_f64().unwrap().ln();
        let mean = details.iter().map(logprob).sum::<f64>() / details.len() as f64;
        let window = segment["avg_logprob"].as_f64().unwrap();
        assert!(
            (mean - window).abs() < 0.5,
            "{mean} in a window of {window}"
        );
    }
    assert_eq!(
        plain, full,
        "json-full has the fields of json and token_details"
    );
}

#[test]
fn one_format_on_standard_output() {
    let clip = data("jfk.wav");
    let clip = clip.to_str().unwrap();
    let common = ["transcribe", clip, "--model", model("tiny.en"), "-o", "-"];
    let run_with = |format| run(&[&common[..], &GREEDY, &["-f", format]].concat());
    let text = run_with("txt");
    let lines: Vec<&str> = text.succeeded().stdout.lines().collect();
    assert_eq!(lines.join(" "), reference_text("tiny.en", "jfk"));
    let lines = run_with("jsonl");
    for line in lines.succeeded().stdout.lines() {
        let segment: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(segment["text"].is_string());
    }
    let whole = run_with("json");
    let value: serde_json::Value = serde_json::from_str(&whole.succeeded().stdout).unwrap();
    assert_eq!(value["language"], "en");
    assert!(whole.stdout.ends_with("}\n"));
}

#[test]
fn an_input_is_not_overwritten_by_its_own_transcript() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("recording.txt");
    fs::copy(data("clips/gen_0.1s.wav"), &clip).unwrap();
    let run = run(&[
        "transcribe",
        "--model",
        model("tiny.en"),
        "-f",
        "txt,srt",
        "-o",
        folder.path().to_str().unwrap(),
        clip.to_str().unwrap(),
    ]);
    assert!(
        run.succeeded().stderr.contains("recording.txt.*"),
        "{run:?}"
    );
    assert_eq!(
        fs::read(&clip).unwrap(),
        fs::read(data("clips/gen_0.1s.wav")).unwrap()
    );
    assert!(folder.path().join("recording.txt.txt").is_file());
    assert!(folder.path().join("recording.txt.srt").is_file());
}

#[test]
fn a_transcript_that_goes_nowhere_is_told() {
    let clip = data("clips/gen_0.1s.wav");
    let clip = clip.to_str().unwrap();
    let run = run(&[
        "transcribe",
        "--verbose",
        "False",
        "--model",
        model("tiny.en"),
        clip,
    ]);
    assert_eq!(run.succeeded().stdout, "");
    assert!(
        run.stderr.contains("warning: the transcript goes nowhere"),
        "{run:?}"
    );
}

#[test]
fn a_file_that_fails_does_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(&[
        "transcribe",
        "--model",
        model("tiny.en"),
        "--output-format=json",
        "--output-dir",
        folder.path().to_str().unwrap(),
        GREEDY[0],
        GREEDY[1],
        "no_such_file.wav",
        data("jfk.wav").to_str().unwrap(),
        "neither.mp3",
        data("clips/gen_0.1s.wav").to_str().unwrap(),
    ]);
    assert_eq!(run.code, Some(1), "{run:?}");
    for missing in ["error: no_such_file.wav: ", "error: neither.mp3: "] {
        assert_eq!(run.stderr.matches(missing).count(), 1, "{run:?}");
    }
    for clip in ["jfk", "gen_0.1s"] {
        let made = json(&folder.path().join(format!("{clip}.json")));
        assert_transcript_equals(&made, &reference("tiny.en", clip));
    }
    assert_eq!(
        fs::read_dir(&folder).unwrap().count(),
        2,
        "json alone was asked for"
    );
}

#[test]
fn an_english_model_says_so_when_another_language_is_asked_for() {
    let run = run(&[
        "transcribe",
        "--model",
        model("tiny.en"),
        "--language",
        "French",
        data("jfk.wav").to_str().unwrap(),
    ]);
    assert!(
        run.succeeded()
            .stderr
            .contains("warning: tiny.en is an English-only model"),
        "{run:?}"
    );
    assert!(
        run.stdout
            .contains("ask not what your country can do for you"),
        "{run:?}"
    );
}

#[test]
fn a_language_the_model_lacks_is_one_line() {
    // Cantonese came with large-v3.
    let line = run(&[
        "transcribe",
        "--model",
        model("base"),
        "--language",
        "yue",
        data("jfk.wav").to_str().unwrap(),
    ])
    .one_error(1)
    .to_owned();
    assert!(line.contains("jfk.wav") && line.contains("yue"), "{line}");
}

#[test]
fn the_language_alone() {
    let german = data("clips/leopard_test_de.flac");
    let english = data("jfk.wav");
    let clips = [german.to_str().unwrap(), english.to_str().unwrap()];
    let both = run(&[&["transcribe", "-dl"], &clips[..]].concat());
    let lines: Vec<&str> = both.succeeded().stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{both:?}");
    for (line, language) in lines.iter().zip(["German (de)", "English (en)"]) {
        let (_, probability) = line
            .split_once(&format!(": {language}, probability "))
            .unwrap_or_else(|| panic!("{line}"));
        assert!(probability.parse::<f64>().unwrap() > 0.9, "{line}");
    }
    let refused = run(&["transcribe", "-dl", "-m", model("tiny.en"), clips[1]]);
    assert!(refused.one_error(1).contains("English"), "{refused:?}");
}

#[test]
fn tokens_by_a_pattern_are_not_sampled() {
    let clip = data("jfk.wav");
    let common = ["transcribe", "-m", model("tiny.en"), clip.to_str().unwrap()];
    let without = run(&[&common[..], &["--suppress_regex", "(?i) ?(country|fellow)"]].concat());
    assert!(without.succeeded().stderr.contains("tokens match"));
    let text = without.stdout.to_lowercase();
    assert!(
        !text.contains("country") && !text.contains("fellow"),
        "{text}"
    );
    assert!(text.contains("americans"), "{text}");
}

#[test]
fn special_tokens_are_shown_on_demand() {
    let clip = data("jfk.wav");
    let common = ["transcribe", "-m", model("tiny.en"), clip.to_str().unwrap()];
    let shown = run(&[&common[..], &["-ps"]].concat());
    let first = shown.succeeded().stdout.lines().next().unwrap();
    assert!(
        first.contains("]  <|0.00|> And so") || first.contains("] <|0.00|> And so"),
        "{first}"
    );
}

#[test]
fn translation_and_a_language_by_name() {
    let run = run(&[
        "transcribe",
        "--task",
        "translate",
        "--language",
        "German",
        GREEDY[0],
        GREEDY[1],
        data("clips/leopard_test_de.flac").to_str().unwrap(),
    ]);
    assert!(!run.succeeded().stderr.contains("Detected"), "{run:?}");
    // openai/whisper's own translation, greedy.
    let text = "The rear of this portal is used as a light hall.";
    assert!(run.stdout.contains(text), "{run:?}");
}

#[test]
fn eight_bits_high_rates_and_many_channels_are_audio_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let samples = wav::read_pcm16(&data("jfk.wav"));

    let eight_bit: Vec<u8> = samples
        .iter()
        .map(|&sample| ((sample >> 8) + 128) as u8)
        .collect();
    let high_rate: Vec<i16> = samples
        .windows(2)
        .flat_map(|pair| between(pair[0], pair[1], 6))
        .collect();
    let seven: Vec<i16> = samples.iter().flat_map(|&sample| [sample; 7]).collect();
    let files = [
        (
            "eight_bit.wav",
            wav::file(wav::PCM, 1, 16_000, 8, &eight_bit),
        ),
        ("96_khz.wav", wav::pcm16(1, 96_000, &high_rate)),
        ("seven_channels.wav", wav::pcm16(7, 16_000, &seven)),
    ]
    .map(|(name, bytes)| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    });
    let arguments = [
        &["transcribe", "--model", model("tiny.en")],
        files.each_ref().map(String::as_str).as_slice(),
    ]
    .concat();
    let run = run(&arguments);
    assert_eq!(
        run.succeeded()
            .stdout
            .matches("what you can do for your country")
            .count(),
        3,
        "{run:?}"
    );
}

/// `count` samples on the line from one sample to the next.
fn between(from: i16, to: i16, count: i32) -> impl Iterator<Item = i16> {
    let (from, to) = (i32::from(from), i32::from(to));
    (0..count).map(move |step| (from + (to - from) * step / count) as i16)
}

#[test]
fn audio_without_samples_has_an_empty_transcript() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("nothing.wav");
    fs::write(&clip, wav::pcm16(1, 16_000, &[])).unwrap();
    let (clip, out) = (clip.to_str().unwrap(), folder.path().to_str().unwrap());
    let run = run(&["transcribe", "--model", model("tiny.en"), "-o", out, clip]);
    assert_eq!(run.succeeded().stdout, "");
    let made = json(&folder.path().join("nothing.json"));
    assert_eq!(
        made,
        serde_json::json!({"text": "", "segments": [], "language": "en"})
    );
    assert_eq!(
        fs::read_to_string(folder.path().join("nothing.txt")).unwrap(),
        ""
    );
}

#[test]
fn standard_input_is_a_file_called_dash() {
    let mut child = whisper_rs(&["transcribe", "--model", model("tiny.en"), "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(&fs::read(data("jfk.wav")).unwrap())
        .unwrap();
    let run = Run::of(child.wait_with_output().unwrap());
    assert!(
        run.succeeded()
            .stdout
            .contains("ask not what your country can do for you"),
        "{run:?}"
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let clip = data("jfk.wav");
    let clip = clip.to_str().unwrap();
    let mut child = whisper_rs(&["transcribe", "--model", model("tiny.en"), clip])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let run = Run::of(child.wait_with_output().unwrap());
    // As `| head -1` has it: nobody reads on, and nothing is wrong.
    assert_eq!(run.succeeded().stderr, "");
}
