//! The stages of one window, each on its own: `cargo bench --bench engine -- [NAME]`.
//!
//! Models are fetched on first use. Set `RAYON_NUM_THREADS` to fix the number of threads.

use std::sync::OnceLock;

use burn::tensor::{Int, Tensor, TensorData};
use divan::Bencher;
use whisper_rs::decoding::{DecodingOptions, DecodingTask};
use whisper_rs::frontend::{LogMel, N_FRAMES};
use whisper_rs::{Audio, TranscribeOptions, Whisper, device};

const MODELS: [&str; 2] = ["tiny.en", "base"];
const CLIP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/jfk.wav");

fn main() {
    divan::main();
}

fn clip() -> Audio {
    Audio::open(CLIP).expect("the clip is in tests/data")
}

/// The models stay loaded from one benchmark to the next.
fn whisper(model: &str) -> &'static Whisper {
    static LOADED: [OnceLock<Whisper>; MODELS.len()] = [const { OnceLock::new() }; MODELS.len()];
    let index = MODELS.iter().position(|&known| known == model);
    let slot = &LOADED[index.expect("one of the models above")];
    slot.get_or_init(|| {
        let device = device::open("cpu").expect("the CPU is always there");
        Whisper::load(model, &device).expect("the model is cached or fetched")
    })
}

fn encoded(whisper: &Whisper) -> Tensor<3> {
    whisper.model().encode(mel(whisper.log_mel(), whisper))
}

fn mel(log_mel: &LogMel, whisper: &Whisper) -> Tensor<3> {
    let audio = clip();
    let features = log_mel.features(&audio).expect("the samples are in memory");
    let window = features.window(0, N_FRAMES, whisper.device());
    window.expect("the samples are in memory")
}

#[divan::bench]
fn audio() -> Audio {
    clip()
}

#[divan::bench]
fn frontend(bencher: Bencher) {
    let whisper = whisper("tiny.en");
    bencher.bench(|| mel(whisper.log_mel(), whisper));
}

#[divan::bench(args = MODELS, sample_count = 10)]
fn encoder(bencher: Bencher, model: &str) {
    let whisper = whisper(model);
    let mel = mel(whisper.log_mel(), whisper);
    bencher.bench(|| whisper.model().encode(mel.clone()).into_data());
}

/// The keys and values of the cross-attention, once per window.
#[divan::bench(args = MODELS, sample_count = 10)]
fn begin_window(bencher: Bencher, model: &str) {
    let whisper = whisper(model);
    let encoded = encoded(whisper);
    bencher.bench(|| whisper.model().decoder.start(encoded.clone(), 1));
}

#[divan::bench(args = MODELS)]
fn decoder_step(bencher: Bencher, model: &str) {
    let whisper = whisper(model);
    let decoder = &whisper.model().decoder;
    let mut state = decoder.start(encoded(whisper), 1);
    let sot = TensorData::new(vec![i64::from(whisper.tokenizer().sot())], [1, 1]);
    let sot = Tensor::<2, Int>::from_data(sot, whisper.device());
    bencher.bench_local(|| {
        if state.len() == decoder.n_ctx() {
            state.rewind();
        }
        let hidden = decoder.forward(sot.clone(), &mut state);
        decoder.logits(hidden).into_data()
    });
}

/// All tokens of a window, without the encoder: greedily, and with a beam of 5.
#[divan::bench(args = [("tiny.en", None), ("tiny.en", Some(5)), ("base", None), ("base", Some(5))], sample_count = 10)]
fn decode_window(bencher: Bencher, (model, beam_size): (&str, Option<usize>)) {
    let whisper = whisper(model);
    let options = DecodingOptions {
        language: Some("en".to_owned()),
        beam_size,
        ..DecodingOptions::default()
    };
    let (model, device) = (whisper.model(), whisper.device());
    let task = DecodingTask::new(model, whisper.tokenizer(), device, &options);
    let task = task.expect("the options make sense");
    let mut state = (model.decoder).start(encoded(whisper), beam_size.unwrap_or(1));
    bencher.bench_local(|| task.decode(&[], 0.0, 0, &mut state));
}

#[divan::bench(args = MODELS, sample_count = 10)]
fn transcribe(bencher: Bencher, model: &str) {
    let whisper = whisper(model);
    let audio = clip();
    let mut options = TranscribeOptions::default();
    options.language = Some("en".to_owned());
    bencher.bench(|| whisper.transcribe(&audio, &options));
}
