//! `whisper-rs bench network`: encoder and decoder alone, on features of noise and forced tokens.

use burn::tensor::{DType, Device, Distribution, Int, Tensor, TensorData};
use clap::Args;
use serde::Serialize;
use whisper_kernels::{Progress, Repeated, most_probable, record};
use whisper_rs::device::{ChosenDevice, is_gpu};
use whisper_rs::measure::{self, Timer};
use whisper_rs::model::{RepeatedEncoder, WhisperModel};
use whisper_rs::{ComputeType, Error, Numbers, device};
use whisper_weights::{Checkpoint, ModelDims};

use super::counted::{self, Counted};
use super::report::{Lines, Seconds, peaks, time};
use super::room::Room;
use super::sync;
use crate::cli::chosen_device;
use crate::cli::feedback::waiting::Waiting;
use crate::cli::models::{Models, StoreArguments};
use crate::cli::output_lines;

/// The arguments of `bench network`.
#[derive(Debug, Args)]
pub struct NetworkArguments {
    /// Model: a name such as tiny.en or base, or the path of a file or folder with weights
    #[arg(long, default_value = "base")]
    pub model: String,

    /// Random weights of the true shapes of a model, instead of --model: tiny, base, small, medium, large-v3, large-v3-turbo
    #[arg(
        long = "random_weights",
        value_name = "MODEL",
        conflicts_with = "model"
    )]
    pub random_weights: Option<String>,

    /// Device to run on
    #[arg(long, default_value = "auto", help = format!("Device to run on: {}", device::AVAILABLE.join(", ")))]
    pub device: String,

    /// Number format of the weights
    #[arg(long = "compute_type", default_value = "auto")]
    pub compute_type: ComputeType,

    /// Windows encoded, and sequences decoded, at a time: as many as the memory holds, and at most 1024
    #[arg(long, num_args = 1.., default_values_t = [1])]
    pub batch: Vec<usize>,

    /// Tokens decoded after a prompt of four
    #[arg(long, default_value_t = 50)]
    pub tokens: usize,

    /// Measured runs of each
    #[arg(long, default_value_t = 5, value_name = "N")]
    pub runs: usize,

    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub store: StoreArguments,
}

/// What the benchmark found.
#[derive(Debug, Serialize)]
struct Report {
    model: String,
    random_weights: bool,
    device: String,
    device_description: Option<String>,
    compute_type: String,
    parameters: usize,
    /// From the first operation to the end of the first encoder pass and of the first token: memory taken, and on a GPU
    /// kernels compiled.
    first_window_seconds: f64,
    first_token_seconds: f64,
    batches: Vec<Batch>,
    peak_device_bytes: Option<u64>,
    peak_host_bytes: Option<u64>,
}

/// What one size of batch took.
#[derive(Debug, Serialize)]
struct Batch {
    size: usize,
    encoder: Stage,
    /// One step of all sequences, their most probable tokens read.
    step: Stage,
}

#[derive(Debug, Serialize)]
struct Stage {
    time: Seconds,
    /// What the runtime counted in one run.
    #[serde(flatten)]
    counted: Counted,
}

pub fn run(arguments: &NetworkArguments) -> Result<(), Error> {
    if arguments.runs == 0 {
        return Err(Error::Option("--runs: at least 1 is needed".to_owned()));
    }
    let chosen = chosen_device::open(&arguments.device)?;
    let device = &chosen.device;
    let numbers = arguments.compute_type.numbers_on(device)?;
    let source = Source::of(arguments)?;
    let dims = source.dims();
    check(arguments, &dims, numbers, device)?;
    let waiting = Waiting::for_model(device);
    let model = source.model(device, numbers)?;
    drop(waiting);
    if !model.decoder.has_newest() {
        return Err(Error::Option(
            "the decoder is measured by heads of 64, as all of Whisper's models have".to_owned(),
        ));
    }
    let bench = Bench {
        device,
        timer: Timer::on(device).warm_up(1).repetitions(arguments.runs),
        model: &model,
        dims,
        tokens: arguments.tokens,
        runs: arguments.runs,
    };
    let waiting = Waiting::for_first_work(device);
    let begin = std::time::Instant::now();
    let features = model.encode(bench.features(1));
    sync(device)?;
    let first_window_seconds = begin.elapsed().as_secs_f64();
    bench.decode(features, 1)?;
    let first_token_seconds = begin.elapsed().as_secs_f64();
    drop(waiting);
    let batches = arguments.batch.iter().map(|&size| bench.batch(size));
    let batches = batches.collect::<Result<Vec<_>, _>>()?;
    let report = Report {
        model: (arguments.random_weights.clone()).unwrap_or_else(|| arguments.model.clone()),
        random_weights: arguments.random_weights.is_some(),
        device: chosen.name.clone(),
        device_description: chosen.description.clone(),
        compute_type: numbers.to_string(),
        parameters: model.parameters(),
        first_window_seconds,
        first_token_seconds,
        batches,
        peak_device_bytes: measure::device_memory(device).map(|memory| memory.peak_reserved),
        peak_host_bytes: measure::host_memory().map(|memory| memory.peak),
    };
    if arguments.json {
        output_lines::print_json(&report)
    } else {
        output_lines::print(&describe(&report, &chosen))
    }
}

/// Where the model comes from.
enum Source {
    Random(ModelDims),
    Checkpoint(Box<Checkpoint>),
}

impl Source {
    fn of(arguments: &NetworkArguments) -> Result<Self, Error> {
        let Some(name) = &arguments.random_weights else {
            let path = Models::open(&arguments.store)?.fetch(&arguments.model)?;
            return Ok(Self::Checkpoint(Box::new(Checkpoint::open(path)?)));
        };
        let dims = ModelDims::of(name).ok_or_else(|| {
            let known = ModelDims::NAMES.join(", ");
            Error::Option(format!("--random_weights {name}: use one of {known}"))
        })?;
        Ok(Self::Random(dims))
    }

    fn dims(&self) -> ModelDims {
        match self {
            Self::Random(dims) => *dims,
            Self::Checkpoint(checkpoint) => *checkpoint.dims(),
        }
    }

    fn model(self, device: &Device, numbers: Numbers) -> Result<WhisperModel, Error> {
        match self {
            Self::Random(dims) => Ok(WhisperModel::random_as(&dims, device, numbers)),
            Self::Checkpoint(checkpoint) => {
                WhisperModel::from_checkpoint(&checkpoint, device, numbers)
            }
        }
    }
}

/// Refuses what the model, or the memory, cannot hold, before anything is loaded.
fn check(
    arguments: &NetworkArguments,
    dims: &ModelDims,
    numbers: Numbers,
    device: &Device,
) -> Result<(), Error> {
    let most = dims.n_text_ctx.saturating_sub(PROMPT.len() + WARM_UP);
    if !(1..=most).contains(&arguments.tokens) {
        return Err(Error::Option(format!(
            "--tokens {}: between 1 and {most} can be decoded",
            arguments.tokens
        )));
    }
    let room = Room::on(device, dims, numbers);
    arguments
        .batch
        .iter()
        .try_for_each(|&size| room.check(size))
}

/// Steps before those that are timed: the one that is counted, and those until the device has recorded one.
const WARM_UP: usize = 5;

fn failed(error: &dyn std::fmt::Display) -> Error {
    Error::Device(format!("the work failed: {error}"))
}

/// Any tokens will do: none is chosen by what the model says.
const PROMPT: [i64; 4] = [11, 12, 13, 14];

struct Bench<'a> {
    device: &'a Device,
    timer: Timer,
    model: &'a WhisperModel,
    dims: ModelDims,
    tokens: usize,
    runs: usize,
}

impl Bench<'_> {
    /// Noise in the range of log-Mel features.
    fn features(&self, batch: usize) -> Tensor<3> {
        let shape = [batch, self.dims.n_mels, 2 * self.dims.n_audio_ctx];
        let noise = Distribution::Uniform(-1.0, 1.0);
        Tensor::<3>::random(shape, noise, self.device).cast(self.model.dtype())
    }

    fn tokens(&self, ids: &[i64], batch: usize) -> Tensor<2, Int> {
        let data = TensorData::new(ids.repeat(batch), [batch, ids.len()]);
        Tensor::from_data(data, self.device)
    }

    /// Seconds of a step, one after the other, from the first token after the prompt on.
    fn decode(&self, features: Tensor<3>, tokens: usize) -> Result<(f64, Counted), Error> {
        let [batch, ..] = features.dims();
        let decoder = &self.model.decoder;
        let mut state = decoder.start(features, batch);
        let prompt = decoder.forward(self.tokens(&PROMPT, batch), &mut state);
        let logits = decoder.logits(prompt.narrow(1, PROMPT.len() - 1, 1));
        let first = most_probable(logits.squeeze_dim(1)).report;
        let sampled = Tensor::zeros([batch, tokens + WARM_UP], (self.device, DType::I32));
        let progress = Progress::new(PROMPT.len() - 1, 0, self.device);
        let mut place = record(sampled, progress, first);
        let mut steps = Repeated::new(self.device, || {
            let (sampled, progress) = place.clone();
            let hidden = decoder.forward_newest(sampled.clone(), &progress, &mut state);
            let report = most_probable(decoder.logits(hidden).squeeze_dim(1)).report;
            place = record(sampled, progress, report.clone());
            report
        });
        // Tokens are read, as in decoding: a step's have to be known before the next step begins.
        let mut step = || {
            let report = steps.run().map_err(|error| failed(&error))?.clone();
            let read = report.try_into_data().map_err(|error| failed(&error))?;
            // The data alone may be a promise.
            std::hint::black_box(read.iter::<i32>().max());
            Ok::<_, Error>(())
        };
        let mut counting = Ok(());
        let counted = counted::count(self.device, || counting = step())?;
        counting?;
        for _ in 1..WARM_UP {
            step()?;
        }
        let begin = std::time::Instant::now();
        for _ in 0..tokens {
            step()?;
        }
        Ok((begin.elapsed().as_secs_f64() / tokens as f64, counted))
    }

    fn batch(&self, size: usize) -> Result<Batch, Error> {
        let mel = self.features(size);
        let features = self.model.encode(mel.clone());
        let counted = counted::count(self.device, || self.model.encode(mel.clone()))?;
        let mut repeated = RepeatedEncoder::new(self.model, self.device);
        for _ in 0..WARM_UP {
            repeated.encode(mel.clone())?;
        }
        let encoder = self.timer.time(|| repeated.encode(mel.clone()))?;
        let mut steps = Vec::new();
        let mut of_step = Counted::default();
        for _ in 0..=self.runs {
            let (seconds, counted) = self.decode(features.clone(), self.tokens)?;
            steps.push(seconds);
            of_step = counted;
        }
        // The first run compiles what this size needs.
        steps.remove(0);
        let steps = measure::Series::new(steps)
            .ok_or_else(|| Error::Device("the clock gave no number".to_owned()))?;
        Ok(Batch {
            size,
            encoder: Stage::new(&encoder, counted),
            step: Stage::new(&steps, of_step),
        })
    }
}

impl Stage {
    fn new(series: &measure::Series, counted: Counted) -> Self {
        Stage {
            time: Seconds::from(series),
            counted,
        }
    }
}

fn describe(report: &Report, chosen: &ChosenDevice) -> String {
    let mut lines = Lines::default();
    lines.add(format!(
        "{}{}, {:.0} million parameters, {} on {}",
        report.model,
        if report.random_weights {
            " with random weights"
        } else {
            ""
        },
        report.parameters as f64 / 1e6,
        report.compute_type,
        chosen_device::title(chosen)
    ));
    let on_gpu = is_gpu(&chosen.device);
    lines.add(format!(
        "first window after {}, first token after {} ({})",
        time(report.first_window_seconds),
        time(report.first_token_seconds),
        match on_gpu {
            true => "kernels compiled, memory taken",
            false => "memory taken",
        }
    ));
    for batch in &report.batches {
        lines.add(format!("\nbatch of {}", batch.size));
        for (name, stage, of) in [
            ("encoder", &batch.encoder, "window"),
            ("decoder", &batch.step, "step"),
        ] {
            let each = stage.time.median / batch.size as f64;
            lines.add(format!(
                "  {name}  {} a {of}, {} for each of the batch, spread {:.0} %",
                time(stage.time.median),
                time(each),
                stage.time.relative_spread * 100.0
            ));
            stage.counted.describe("           ", &mut lines);
        }
    }
    let (host, device) = (report.peak_host_bytes, report.peak_device_bytes);
    lines.add(format!("\nmemory   {}", peaks(host, device, on_gpu)));
    lines.text()
}
