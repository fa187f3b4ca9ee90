//! The parity ladder: what openai/whisper computes on the way from a clip to its transcript, rung by rung.
//!
//! A test fails on the first rung that is off and names it, so that the stage to look at is known: the rungs above it follow from it.
//! `tests/data/README.md` describes the references.
#![cfg(all(feature = "audio-files", feature = "fetch"))]

mod clips;
mod options;
mod reference;
mod rungs;

use std::sync::OnceLock;

use burn::tensor::{Int, Tensor};
use serde_json::Value;
use whisper_rs::frontend::{Features, N_FRAMES};
use whisper_rs::{Audio, Whisper, device};

use clips::Clip;
use options::options;
use reference::{Reference, Stages, Transcript};
use rungs::{Rung, largest_difference, relative_error};

/// The reference is computed in f32 and lies itself up to 1.1e-5 from the exact features of this clip; ours
/// lie within 3e-6 of them (`docs/audio.md`), and 2 of 240,000 values are 1.03e-5 from the reference.
const MEL: f64 = 1.1e-5;
/// Errors of the convolution stem and of the encoder, as the norm of the difference over the norm of the reference.
const ENCODER: f64 = 1e-4;
/// Largest absolute error of the logits after the start sequence.
const LOGITS: f64 = 1e-3;

#[test]
fn tiny_en_climbs_the_ladder() {
    climb("tiny.en", tiny_en()).unwrap_or_else(|rung| panic!("tiny.en, jfk: {rung}"));
}

#[test]
fn base_climbs_the_ladder() {
    climb("base", base()).unwrap_or_else(|rung| panic!("base, jfk: {rung}"));
}

#[test]
fn tiny_en_transcribes_every_clip_as_openai_whisper_does() {
    // The clips in English and those without speech.
    transcribe_every_clip("tiny.en", tiny_en(), 11);
}

#[test]
fn base_transcribes_every_clip_as_openai_whisper_does() {
    transcribe_every_clip("base", base(), 15);
}

#[test]
fn tiny_en_times_every_word_as_openai_whisper_does() {
    transcribe_with_words("tiny.en", tiny_en(), 6);
}

#[test]
fn base_times_every_word_as_openai_whisper_does() {
    transcribe_with_words("base", base(), 7);
}

#[test]
fn tiny_en_takes_every_option_as_openai_whisper_does() {
    transcribe_with_every_set_of_options("tiny.en", tiny_en(), 19);
}

#[test]
fn base_takes_every_option_as_openai_whisper_does() {
    transcribe_with_every_set_of_options("base", base(), 9);
}

fn tiny_en() -> &'static Whisper {
    static MODEL: OnceLock<Whisper> = OnceLock::new();
    MODEL.get_or_init(|| load("tiny.en"))
}

fn base() -> &'static Whisper {
    static MODEL: OnceLock<Whisper> = OnceLock::new();
    MODEL.get_or_init(|| load("base"))
}

fn load(model: &str) -> Whisper {
    let device = device::open("cpu").expect("the cpu device is always there");
    Whisper::load(model, &device).unwrap_or_else(|error| panic!("{model}: {error}"))
}

/// jfk through every stage: features, stem, encoder, first logits, transcript.
fn climb(model: &str, whisper: &Whisper) -> Result<(), Rung> {
    let audio = Audio::open(reference::data("jfk.wav")).expect("the clip is in tests/data");
    let mel = mel(&audio, whisper)?;
    let stages = Stages::read(model);

    let stem = values(whisper.model().encoder.conv_stem(mel.clone()));
    let reference = stages.values("stem");
    Rung::within(
        "convolution stem",
        relative_error(&stem[..reference.len()], &reference),
        ENCODER,
    )?;

    let features = whisper.model().encode(mel);
    let [kept, channels] = stages.shape("encoder");
    let encoded = values(features.clone());
    let stride = (encoded.len() / channels).div_ceil(kept);
    let sampled: Vec<f32> = encoded
        .chunks(channels)
        .step_by(stride)
        .flatten()
        .copied()
        .collect();
    Rung::within(
        "encoder",
        relative_error(&sampled, &stages.values("encoder")),
        ENCODER,
    )?;

    let prompt = stages.tokens("prompt");
    let logits = values(logits(whisper, &prompt, features));
    for (row, name, label) in [
        (0, "logits_at_start", "logits at the start of transcript"),
        (prompt.len() - 1, "logits", "first logits"),
    ] {
        let reference = stages.values(name);
        let ours = &logits[row * reference.len()..(row + 1) * reference.len()];
        Rung::within(label, largest_difference(ours, &reference), LOGITS)?;
    }

    let ours = whisper
        .transcribe(&audio, &options(&Value::Null))
        .expect("jfk can be transcribed");
    rungs::compare(&Transcript::from(ours), &Reference::read(model, "jfk"))
}

/// The features of jfk and the silence after it, checked against the reference.
fn mel(audio: &Audio, whisper: &Whisper) -> Result<Tensor<3>, Rung> {
    let mut features = Features::new(whisper.log_mel().clone(), audio).expect("jfk can be read");
    let window = features
        .window(0, N_FRAMES)
        .expect("the first window is there");
    let stages = Stages::read_mel();
    let [_, n_mels] = stages.shape("mel");
    let ours = frames_first(&values(window.clone()), n_mels);
    let reference = stages.values("mel");
    let (clip, silence) = ours.split_at(reference.len());
    Rung::within(
        "log-Mel features",
        largest_difference(clip, &reference),
        MEL,
    )?;
    // What follows the clip is silence: every further frame equals the last one of the reference.
    let last = reference[reference.len() - n_mels..].repeat(silence.len() / n_mels);
    Rung::within(
        "log-Mel features of the silence after the clip",
        largest_difference(silence, &last),
        MEL,
    )?;
    Ok(window)
}

/// Logits of every position of a prompt.
fn logits(whisper: &Whisper, prompt: &[i32], features: Tensor<3>) -> Tensor<3> {
    let decoder = &whisper.model().decoder;
    let mut state = decoder.start(features, 1);
    let tokens = Tensor::<1, Int>::from_ints(prompt, whisper.device()).unsqueeze();
    decoder.logits(decoder.forward(tokens, &mut state))
}

/// Every clip of `tests/data/clips.tsv` that has a reference for the model, `clips` of them.
fn transcribe_every_clip(model: &str, whisper: &Whisper, clips: usize) {
    compare_all(model, whisper, clips, named_by_clip(model, str::to_owned));
}

/// Those that have a reference with words as well.
fn transcribe_with_words(model: &str, whisper: &Whisper, clips: usize) {
    let references = named_by_clip(model, |clip| format!("{clip}-words"));
    compare_all(model, whisper, clips, references);
}

/// Every set of options that has a reference for the model, `sets` of them.
fn transcribe_with_every_set_of_options(model: &str, whisper: &Whisper, sets: usize) {
    let clips = || clips::all().into_iter();
    let references = Reference::option_sets(model).into_iter().map(|name| {
        let clip = Reference::read(model, &name).clip.expect("the clip's name");
        let clip = clips().find(|known| known.name == clip);
        (clip.expect("a clip of clips.tsv"), name)
    });
    compare_all(model, whisper, sets, references.collect());
}

/// The clips that the model has a reference for, each with the reference's name.
fn named_by_clip(model: &str, name: impl Fn(&str) -> String) -> Vec<(Clip, String)> {
    let clips = clips::all().into_iter();
    let named = clips.map(|clip| {
        let name = name(&clip.name);
        (clip, name)
    });
    named
        .filter(|(_, name)| Reference::exists(model, name))
        .collect()
}

/// Compares clips with references, of which there are `count`; all failures are listed at the end.
fn compare_all(model: &str, whisper: &Whisper, count: usize, references: Vec<(Clip, String)>) {
    assert_eq!(references.len(), count, "references for {model}");
    let failures: Vec<String> = (references.iter())
        .filter_map(|(clip, name)| {
            let reference = Reference::read(model, name);
            let outcome = whisper
                .transcribe(&clip.audio(), &options(&reference.options))
                .map_err(|error| format!("transcription failed: {error}"))
                .and_then(|ours| {
                    rungs::compare(&Transcript::from(ours), &reference)
                        .map_err(|rung| rung.to_string())
                });
            let message = outcome.err()?;
            Some(format!("{model}, {name}, {}: {message}", clip.name))
        })
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {count} differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// A tensor's values on the host, in row-major order.
fn values(tensor: Tensor<3>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// `[n_mels, frames]` as `[frames, n_mels]`.
fn frames_first(mel: &[f32], n_mels: usize) -> Vec<f32> {
    let frames = mel.len() / n_mels;
    (0..frames)
        .flat_map(|frame| (0..n_mels).map(move |bin| mel[bin * frames + frame]))
        .collect()
}
