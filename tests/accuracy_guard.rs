//! A guard against transcripts that become worse: errors against what is said in the clips of `tests/data/manifest.tsv`, and windows
//! with openai/whisper's tokens, held against `tests/data/guard/accuracy.tsv`. `BLESS=1` writes the file anew.
#![cfg(all(feature = "audio-files", feature = "evaluate", feature = "fetch"))]

#[path = "common/guard.rs"]
mod guard;

use std::path::{Path, PathBuf};

use guard::Guard;
use whisper_rs::evaluate::{Agreement, Manifest, References, Score};
use whisper_rs::{Audio, TranscribeOptions, Whisper, device};

/// Longer clips, in seconds, are left to the parity ladder.
const ONE_WINDOW: f64 = 30.0;

#[test]
fn errors_and_agreement_are_those_of_the_file() {
    let manifest = Manifest::read(data("manifest.tsv")).expect("the manifest can be read");
    let mut rows = Vec::new();
    for model in ["tiny.en", "base"] {
        let device = device::open("cpu").expect("the cpu device is always there");
        let whisper = Whisper::load(model, &device).expect("the model can be loaded");
        let references = References::open(data("reference").join(model), None);
        let references = references.expect("the references are in tests/data");
        for (decoding, beam_size) in [("greedy", None), ("beam of 5", Some(5))] {
            let mut options = TranscribeOptions::default();
            options.beam_size = beam_size;
            // Draws would differ with the last bits of what a CPU computes.
            options.temperatures = vec![0.0];
            for clip in &manifest.clips {
                let Some(said) = &clip.transcript else {
                    continue;
                };
                if clip.speech.code() != Some("en") && !whisper.is_multilingual() {
                    continue;
                }
                let audio = Audio::open(&clip.path).expect("the clip is in tests/data");
                if audio.seconds() > ONE_WINDOW {
                    continue;
                }
                let transcript = whisper.transcribe(&audio, &options);
                let transcript = transcript.expect("the clip can be transcribed");
                let language = clip.language_of(&transcript);
                let score = Score::of(said, &transcript.text, language);
                let reference = references.find(&clip.path).expect("references can be read");
                // They are of greedy decoding.
                let agreement = reference
                    .filter(|_| beam_size.is_none())
                    .map(|reference| Agreement::of(&transcript, &reference))
                    .unwrap_or_default();
                let numbers = [
                    score.words.reference_len(),
                    score.words.errors(),
                    score.characters.reference_len(),
                    score.characters.errors(),
                    agreement.windows,
                    agreement.windows_equal,
                ];
                let name = format!("{model}, {decoding}, {}", clip.name);
                rows.push((name, numbers.map(|number| number as u64).to_vec()));
            }
        }
    }
    Guard {
        file: "accuracy.tsv",
        columns: &[
            "case",
            "words",
            "word errors",
            "characters",
            "character errors",
            "windows with a reference",
            "windows equal",
        ],
        tolerance: 0.0,
    }
    .check(rows);
}

/// A file or folder of `tests/data`.
fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}
