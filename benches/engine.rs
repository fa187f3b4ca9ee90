//! The stages of one window, each on its own: `cargo bench --bench engine -- [BEGINNING OF A STAGE'S NAME]`.
//!
//! Models are fetched on first use. Set `RAYON_NUM_THREADS` to fix the number of threads.

use std::time::Duration;

use burn::tensor::{Device, Int, Tensor, TensorData};
use whisper_rs::decoding::{DecodingOptions, DecodingTask};
use whisper_rs::frontend::{self, Features, LogMel, N_FRAMES};
use whisper_rs::measure::{Timer, device_memory, host_memory, reset_host_peak};
use whisper_rs::{Audio, Result, TranscribeOptions, Whisper, device};

const MODELS: [&str; 2] = ["tiny.en", "base"];
const CLIP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/jfk.wav");
const MIB: f64 = (1 << 20) as f64;

fn main() -> Result<()> {
    let filter = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    let device = device::open("cpu")?;
    let stages = Stages {
        filter: filter.unwrap_or_default(),
        timer: Timer::on(&device)
            .repetitions(10)
            .at_least(Duration::from_secs(1)),
        device: device.clone(),
    };
    println!(
        "{:<22} {:>6} {:>9} {:>9} {:>9} {:>9} {:>9} {:>11}",
        "milliseconds", "calls", "median", "least", "90 %", "greatest", "spread %", "peak MiB"
    );

    let audio = Audio::open(CLIP)?;
    stages.time("audio", || Audio::open(CLIP))?;
    let log_mel = frontend::log_mel(80, &device)?;
    let mel = |log_mel: &LogMel| Features::new(log_mel.clone(), &audio)?.window(0, N_FRAMES);
    stages.time("frontend", || mel(&log_mel))?;

    for name in MODELS {
        if !stages.any_of(name) {
            continue;
        }
        let whisper = Whisper::load(name, &device)?;
        let model = whisper.model();
        let mel = mel(whisper.log_mel())?;
        stages.time(&format!("encoder {name}"), || {
            model.encode(mel.clone()).into_data()
        })?;

        // The keys and values of the cross-attention, once per window.
        let encoded = model.encode(mel);
        let decoder = &model.decoder;
        stages.time(&format!("begin_window {name}"), || {
            decoder.start(encoded.clone(), 1)
        })?;

        let mut state = decoder.start(encoded.clone(), 1);
        let sot = TensorData::new(vec![i64::from(whisper.tokenizer().sot())], [1, 1]);
        let sot = Tensor::<2, Int>::from_data(sot, &device);
        stages.time(&format!("decoder_step {name}"), || {
            if state.len() == decoder.n_ctx() {
                state.rewind();
            }
            let hidden = decoder.forward(sot.clone(), &mut state);
            decoder.logits(hidden).into_data()
        })?;

        // All tokens of a window, without the encoder.
        for (way, beam_size) in [("greedy", None), ("beams", Some(5))] {
            let mut options = DecodingOptions::default();
            options.language = Some("en".to_owned());
            options.beam_size = beam_size;
            let task = DecodingTask::new(model, whisper.tokenizer(), &device, &options)?;
            let mut state = decoder.start(encoded.clone(), beam_size.unwrap_or(1));
            stages.time(&format!("{way} {name}"), || {
                task.decode(&[], 0.0, 0, &mut state)
            })?;
        }

        let mut options = TranscribeOptions::default();
        options.language = Some("en".to_owned());
        stages.time(&format!("transcribe {name}"), || {
            whisper.transcribe(&audio, &options)
        })?;
    }
    Ok(())
}

struct Stages {
    /// Beginning of the names that are run.
    filter: String,
    timer: Timer,
    device: Device,
}

impl Stages {
    /// Times a stage and prints its line. The peak is that of the whole process while the stage ran, model and all.
    fn time<T>(&self, name: &str, stage: impl FnMut() -> T) -> Result<()> {
        if !name.starts_with(&self.filter) {
            return Ok(());
        }
        reset_host_peak();
        let milliseconds = |seconds: f64| seconds * 1e3;
        let seconds = self.timer.time(stage)?;
        let host = host_memory().map_or("-".to_owned(), |memory| {
            format!("{:.0}", memory.peak as f64 / MIB)
        });
        let on_device = device_memory(&self.device).map_or(String::new(), |memory| {
            format!(", device {:.0}", memory.peak_reserved as f64 / MIB)
        });
        println!(
            "{name:<22} {:>6} {:>9.3} {:>9.3} {:>9.3} {:>9.3} {:>9.1} {:>11}",
            seconds.len(),
            milliseconds(seconds.median()),
            milliseconds(seconds.min()),
            milliseconds(seconds.percentile(90.0)),
            milliseconds(seconds.max()),
            seconds.relative_spread() * 100.0,
            host + &on_device,
        );
        Ok(())
    }

    /// Whether a stage of this model is to run.
    fn any_of(&self, model: &str) -> bool {
        [
            "encoder",
            "begin_window",
            "decoder_step",
            "greedy",
            "beams",
            "transcribe",
        ]
        .iter()
        .any(|stage| format!("{stage} {model}").starts_with(&self.filter))
    }
}
