//! Against a folder of reference clips and openai/whisper's results for them, which is too large for this repository.
//!
//! `WHISPER_REFERENCE` names the folder; run the tests with
//! `WHISPER_REFERENCE=PATH cargo test --workspace --test reference_folder -- --ignored`. They need ffmpeg, which decoded the
//! clips for the reference. In the folder are `audio/CLIP`, `golden/MODEL/CLIP.json` with the probabilities of languages,
//! `golden/jfk.json` with tokens of single windows, and `golden/jfk-MODEL.safetensors` with the samples that they are of.
#![cfg(feature = "fetch")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use safetensors::SafeTensors;
use serde_json::Value;
use whisper_rs::decoding::{
    DecodingOptions, DecodingResult, DecodingTask, LanguageDetection, detect_language,
};
use whisper_rs::frontend::{Features, N_FRAMES, N_SAMPLES};
use whisper_rs::{Audio, Whisper, device};

/// Greatest difference of a probability, and of a mean log-probability.
const TOLERANCE: f64 = 1e-3;

/// From which probability on a language is taken that is told from the window as it is decoded.
const SURE: f64 = 0.9;

#[test]
#[ignore = "needs the reference folder; `WHISPER_REFERENCE=PATH cargo test --workspace --test reference_folder -- --ignored`"]
fn languages_are_as_probable_as_to_openai_whisper() {
    let folder = folder();
    let whisper = load("base");
    let mut failures = Vec::new();
    let mut compared = 0;
    let mut sure = 0;
    println!("clip, language as openai/whisper hears it, and as it is decoded");
    for path in sorted(&folder.join("golden/base")) {
        let reference = json(&path);
        let Some(expected) = reference["lang_probs"].as_object() else {
            continue;
        };
        compared += 1;
        let clip = path.file_stem().unwrap();
        // The reference heard the first 30 s alone: the features' maximum is not that of a longer recording.
        let audio = decoded_by_ffmpeg(&folder.join("audio").join(clip), N_SAMPLES);
        let found = whisper.detect_language(&audio).unwrap();
        if Some(found.language) != reference["lang_detected"].as_str() {
            failures.push(format!("{clip:?}: {} is detected", found.language));
        }
        for (language, probability) in expected {
            let expected = probability.as_f64().unwrap();
            let ours = found
                .probabilities
                .iter()
                .find(|(code, _)| code == language);
            let ours = ours.unwrap_or_else(|| panic!("{language} is a language")).1;
            if (ours - expected).abs() > TOLERANCE {
                failures.push(format!("{clip:?}: {language} is {ours} for {expected}"));
            }
        }
        // A short clip's language is told from the window that is decoded, where this is sure (`src/transcribe/language.rs`).
        if let Some(decoded) = language_of_short(&whisper, &audio) {
            let probabilities = (found.probability(), decoded.probability());
            let languages = (found.language, decoded.language);
            println!("{clip:?} {languages:?} {probabilities:.3?}");
            if decoded.probability() >= SURE {
                sure += 1;
                if decoded.language != found.language {
                    failures.push(format!("{clip:?}: {languages:?} {probabilities:?}"));
                }
            }
        }
    }
    assert!(compared > 0, "no clip has probabilities of languages");
    assert!(sure > 0, "no short clip has a language that is sure");
    assert!(
        failures.is_empty(),
        "{compared} clips:\n{}",
        failures.join("\n")
    );
    println!("{compared} clips, {sure} short ones whose language is sure");
}

/// The language of a clip shorter than a window, told from its window as it is decoded: padded with zeros, where openai/whisper hears
/// silence.
fn language_of_short(whisper: &Whisper, audio: &Audio) -> Option<LanguageDetection> {
    let mut features = Features::new(whisper.log_mel().clone(), audio).unwrap();
    let frames = features.content_frames();
    if frames >= N_FRAMES {
        return None;
    }
    let (model, mel) = (whisper.model(), features.window(0, frames).unwrap());
    let mut state = model.decoder.start(model.encode(mel), 1);
    Some(detect_language(model, whisper.tokenizer(), &mut state, whisper.device()).unwrap())
}

#[test]
#[ignore = "needs the reference folder; `WHISPER_REFERENCE=PATH cargo test --workspace --test reference_folder -- --ignored`"]
fn tiny_en_decodes_a_window_to_the_same_tokens() {
    decode_jfk("tiny.en");
}

#[test]
#[ignore = "needs the reference folder; `WHISPER_REFERENCE=PATH cargo test --workspace --test reference_folder -- --ignored`"]
fn base_decodes_a_window_to_the_same_tokens() {
    decode_jfk("base");
}

/// jfk as one window: greedily, with a beam of 5, and without timestamps.
fn decode_jfk(model: &str) {
    let folder = folder();
    let reference = &json(&folder.join("golden/jfk.json"))[model];
    let whisper = load(model);
    let mut greedy = DecodingOptions::default();
    greedy.language = Some("en".to_owned());
    let mut beam = greedy.clone();
    beam.beam_size = Some(5);
    let mut text_only = greedy.clone();
    text_only.without_timestamps = true;
    let samples = folder.join(format!("golden/jfk-{model}.safetensors"));
    let decode = |options: &DecodingOptions| decode(&whisper, &samples, options);

    let found = decode(&greedy);
    assert_same(&found, reference, "");
    assert_eq!(reference["text"], found.text.as_str());
    for (key, ours) in [
        ("no_speech_prob", found.no_speech_prob),
        ("compression_ratio", found.compression_ratio),
    ] {
        let expected = reference[key].as_f64().unwrap();
        assert!((ours - expected).abs() < TOLERANCE, "{key}: {ours}");
    }
    assert_same(&decode(&beam), reference, "_beam5");
    assert_same(&decode(&text_only), reference, "_notimestamps");
}

/// Asserts equal tokens and an equal mean log-probability.
#[track_caller]
fn assert_same(found: &DecodingResult, reference: &Value, kind: &str) {
    let tokens = reference[format!("tokens{kind}")].as_array().unwrap();
    let tokens: Vec<u64> = tokens.iter().map(|id| id.as_u64().unwrap()).collect();
    let ours: Vec<u64> = found.tokens.iter().map(|&id| u64::from(id)).collect();
    assert_eq!(ours, tokens, "tokens{kind}");
    let logprob = reference[format!("avg_logprob{kind}")].as_f64().unwrap();
    assert!(
        (found.avg_logprob - logprob).abs() < TOLERANCE,
        "avg_logprob{kind}: {} for {logprob}",
        found.avg_logprob
    );
}

fn decode(whisper: &Whisper, samples: &Path, options: &DecodingOptions) -> DecodingResult {
    let file = fs::read(samples).unwrap_or_else(|error| panic!("{}: {error}", samples.display()));
    let tensors = SafeTensors::deserialize(&file).unwrap();
    let pcm = tensors.tensor("pcm").unwrap();
    let pcm = (pcm.data().chunks_exact(4)).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    let audio = Audio::from_samples(pcm.collect()).unwrap();
    let mut features = Features::new(whisper.log_mel().clone(), &audio).unwrap();
    let mel = features.window(0, N_FRAMES).unwrap();
    let (model, device) = (whisper.model(), whisper.device());
    let rows = options.beam_size.unwrap_or(1);
    let mut state = model.decoder.start(model.encode(mel), rows);
    let task = DecodingTask::new(model, whisper.tokenizer(), device, options).unwrap();
    task.decode(&[], 0.0, 0, &mut state).unwrap()
}

/// At most the first `longest` of the samples that openai/whisper gets: 16 kHz, mono, 16 bit.
fn decoded_by_ffmpeg(clip: &Path, longest: usize) -> Audio {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(clip)
        .args(["-ac", "1", "-ar", "16000", "-f", "s16le", "-"])
        .output()
        .unwrap_or_else(|error| panic!("ffmpeg: {error}"));
    assert!(output.status.success(), "{}: {output:?}", clip.display());
    let samples = output.stdout.chunks_exact(2).take(longest);
    Audio::from_pcm16(samples.map(|b| i16::from_le_bytes([b[0], b[1]])).collect())
}

fn folder() -> PathBuf {
    let folder = std::env::var_os("WHISPER_REFERENCE");
    PathBuf::from(folder.expect("WHISPER_REFERENCE names the reference folder"))
}

fn load(model: &str) -> Whisper {
    Whisper::load(model, &device::open("cpu").unwrap()).unwrap()
}

fn json(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}
