//! `whisper-rs bench FILE`: transcribing a file, stage by stage.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Instant;

use burn::tensor::Device;
use clap::ArgMatches;
use serde::Serialize;
use whisper_rs::device::{ChosenDevice, is_gpu};
use whisper_rs::measure::{self, Series};
use whisper_rs::transcribe::StageTimes;
use whisper_rs::{Audio, Error};

use super::counted::{self, Counted};
use super::profile::Profile;
use super::report::{Lines, Seconds, peaks, time};
use super::sync;
use super::versus::{self, Versus};
use crate::cli::engine::Engine;
use crate::cli::feedback::messages;
use crate::cli::feedback::waiting::Waiting;
use crate::cli::flags::engine::EngineFlags;
use crate::cli::flags::input::decoded_by_ffmpeg_too;
use crate::cli::models::Models;
use crate::cli::{chosen_device, output_lines, threads};

/// The arguments of `bench transcribe`.
#[derive(Debug, clap::Args)]
#[command(rename_all = "snake_case")]
pub struct TranscribeBenchArguments {
    /// Audio file
    pub file: PathBuf,

    /// Measured runs, after one that is not measured
    #[arg(long, default_value_t = 5, value_name = "N")]
    pub runs: usize,

    /// Run another program as well, by a command of the shell, in turns with `transcribe` and these flags: whole processes
    #[arg(long, value_name = "COMMAND")]
    pub vs: Option<String>,

    /// Also tell what each operation of each stage takes on the CPU, and its share of what the chip can do, in one more run
    #[arg(long)]
    pub profile: bool,

    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub engine: EngineFlags,

    /// The flags of `transcribe` that were given.
    #[arg(skip)]
    given: Vec<OsString>,
}

impl TranscribeBenchArguments {
    /// Refuses, by a line, values that make no sense together.
    pub fn check(&self) -> Result<(), String> {
        if self.runs == 0 {
            return Err("--runs: at least 1 is needed".to_owned());
        }
        self.engine.check()
    }

    /// Keeps the words of the flags that `transcribe` has as well.
    pub fn keep_given(&mut self, transcribe: &clap::Command, matches: &ArgMatches) {
        for arg in transcribe.get_arguments() {
            let (id, Some(long)) = (arg.get_id().as_str(), arg.get_long()) else {
                continue;
            };
            let on_command_line = matches.try_contains_id(id).is_ok()
                && matches.value_source(id) == Some(clap::parser::ValueSource::CommandLine);
            if !on_command_line {
                continue;
            }
            for value in matches.get_raw(id).into_iter().flatten() {
                let mut word = OsString::from(format!("--{long}="));
                word.push(value);
                self.given.push(word);
            }
        }
    }
}

/// What the benchmark found.
#[derive(Debug, Serialize)]
struct Report {
    file: PathBuf,
    audio_seconds: f64,
    model: String,
    device: String,
    device_description: Option<String>,
    compute_type: String,
    /// Threads of the CPU.
    threads: usize,
    stages: Stages,
    /// Length of the audio over the time from the file to the transcript.
    times_real_time: f64,
    windows: usize,
    tokens: usize,
    /// Tokens over the time of the decoder.
    tokens_per_second: Option<f64>,
    /// What the runtime counted in one transcription.
    #[serde(flatten)]
    counted: Counted,
    peak_host_bytes: Option<u64>,
    peak_device_bytes: Option<u64>,
    versus: Option<Versus>,
    profile: Option<Profile>,
}

/// Seconds of each part, over the runs.
#[derive(Debug, Serialize)]
struct Stages {
    /// From the weights' file to a model on the device.
    load: Seconds,
    /// From the file to samples.
    audio: Seconds,
    frontend: Seconds,
    encoder: Seconds,
    decoder: Seconds,
    /// Only where words were asked for.
    words: Option<Seconds>,
    /// From the file to the transcript: all but the load, and what is between the stages.
    all: Seconds,
}

pub fn run(arguments: &TranscribeBenchArguments) -> Result<(), Error> {
    let flags = &arguments.engine;
    // Before anything is loaded: a process begins with the peak of the one that starts it.
    let versus = (arguments.vs.as_ref())
        .map(|command| versus::run(&arguments.file, &arguments.given, command, arguments.runs))
        .transpose()?;
    threads::configure(flags.model.threads)?;
    let chosen = chosen_device::open(&flags.model.device_name())?;
    let device = &chosen.device;
    (flags.model.warning(device).into_iter()).for_each(messages::warning);
    if arguments.profile && *device != Device::flex() {
        return Err(Error::Option(
            "--profile: only operations of the device cpu can be profiled".to_owned(),
        ));
    }
    let audio = open(arguments)?;
    if audio.is_empty() {
        return Err(Error::Audio {
            name: arguments.file.display().to_string(),
            reason: "has no samples to transcribe".to_owned(),
        });
    }
    let models = Models::open(&flags.model.store)?;
    models.fetch(flags.model.name())?;
    measure::reset_host_peak();
    let (engine, load) = load(arguments, &models, device)?;
    let (whisper, options) = (&engine.whisper, &engine.options);

    // The run that is not measured is the one that is counted.
    let mut first = Ok(());
    let waiting = Waiting::for_first_work(device);
    let counted = counted::count(device, || {
        first = whisper.transcribe(&audio, options).map(drop);
    })?;
    drop(waiting);
    first?;
    let runs = (0..arguments.runs)
        .map(|_| Run::of(arguments, &engine))
        .collect::<Result<Vec<_>, _>>()?;
    let last = runs.last().map(|run| run.stages).unwrap_or_default();
    let stages = Stages::new(load, &runs, options.word_timestamps)?;
    let (peak_host_bytes, peak_device_bytes) = (
        measure::host_memory().map(|memory| memory.peak),
        measure::device_memory(device).map(|memory| memory.peak_reserved),
    );
    let profile = (arguments.profile)
        .then(|| Profile::of(&engine, &audio))
        .transpose()?;
    let report = Report {
        file: arguments.file.clone(),
        audio_seconds: audio.seconds(),
        model: flags.model.name().to_owned(),
        device: chosen.name.clone(),
        device_description: chosen.description.clone(),
        compute_type: whisper.numbers().to_string(),
        threads: rayon::current_num_threads(),
        times_real_time: audio.seconds() / stages.all.median,
        windows: last.windows,
        tokens: last.tokens,
        tokens_per_second: Some(last.tokens as f64 / stages.decoder.median)
            .filter(|speed| speed.is_finite()),
        stages,
        counted,
        peak_host_bytes,
        peak_device_bytes,
        versus,
        profile,
    };
    if arguments.json {
        output_lines::print_json(&report)
    } else {
        output_lines::print(&describe(&report, &chosen))
    }
}

fn open(arguments: &TranscribeBenchArguments) -> Result<Audio, Error> {
    Audio::open_with(&arguments.file, &decoded_by_ffmpeg_too())
}

/// Loads the model once for each run; the last one stays.
fn load(
    arguments: &TranscribeBenchArguments,
    models: &Models,
    device: &Device,
) -> Result<(Engine, Vec<f64>), Error> {
    let mut seconds = Vec::new();
    loop {
        let begin = Instant::now();
        let engine = Engine::load(&arguments.engine, models, device)?;
        sync(device)?;
        seconds.push(begin.elapsed().as_secs_f64());
        if seconds.len() >= arguments.runs {
            return Ok((engine, seconds));
        }
    }
}

/// One transcription.
struct Run {
    audio: f64,
    all: f64,
    stages: StageTimes,
}

impl Run {
    fn of(arguments: &TranscribeBenchArguments, engine: &Engine) -> Result<Self, Error> {
        let begin = Instant::now();
        let audio = open(arguments)?;
        let opened = begin.elapsed().as_secs_f64();
        let (_, stages) = engine.whisper.transcribe_timed(&audio, &engine.options)?;
        Ok(Self {
            audio: opened,
            all: begin.elapsed().as_secs_f64(),
            stages,
        })
    }
}

impl Stages {
    fn new(load: Vec<f64>, runs: &[Run], words: bool) -> Result<Self, Error> {
        let seconds = |of: fn(&Run) -> f64| summary(runs.iter().map(of).collect());
        Ok(Self {
            load: summary(load)?,
            audio: seconds(|run| run.audio)?,
            frontend: seconds(|run| run.stages.frontend.as_secs_f64())?,
            encoder: seconds(|run| run.stages.encoder.as_secs_f64())?,
            decoder: seconds(|run| run.stages.decoder.as_secs_f64())?,
            words: (words.then(|| seconds(|run| run.stages.words.as_secs_f64()))).transpose()?,
            all: seconds(|run| run.all)?,
        })
    }
}

fn summary(seconds: Vec<f64>) -> Result<Seconds, Error> {
    let series = Series::new(seconds);
    let series = series.ok_or_else(|| Error::Device("nothing was timed".to_owned()))?;
    Ok(Seconds::from(&series))
}

fn describe(report: &Report, chosen: &ChosenDevice) -> String {
    let mut lines = Lines::default();
    lines.add(format!(
        "{}, {:.2} s, with {} in {} on {}, {} threads; {} windows, {} tokens",
        report.file.display(),
        report.audio_seconds,
        report.model,
        report.compute_type,
        chosen_device::title(chosen),
        report.threads,
        report.windows,
        report.tokens,
    ));
    let stages = &report.stages;
    let rows = [
        ("load", Some(&stages.load), String::new()),
        ("audio", Some(&stages.audio), String::new()),
        ("frontend", Some(&stages.frontend), String::new()),
        ("encoder", Some(&stages.encoder), String::new()),
        (
            "decoder",
            Some(&stages.decoder),
            (report.tokens_per_second)
                .map_or(String::new(), |speed| format!("   {speed:.1} tokens/s")),
        ),
        ("words", stages.words.as_ref(), String::new()),
        (
            "all but load",
            Some(&stages.all),
            format!("   {:.2} x real time", report.times_real_time),
        ),
    ];
    for (name, seconds, more) in rows {
        let Some(seconds) = seconds else { continue };
        lines.add(format!(
            "  {name:<12} {:>10}   spread {:>3.0} %{more}",
            time(seconds.median),
            100.0 * seconds.relative_spread
        ));
    }
    report.counted.describe("  ", &mut lines);
    let (host, device) = (report.peak_host_bytes, report.peak_device_bytes);
    let peaks = peaks(host, device, is_gpu(&chosen.device));
    lines.add(format!("  memory        {peaks}"));
    if let Some(versus) = &report.versus {
        versus.describe(&mut lines);
    }
    if let Some(profile) = &report.profile {
        profile.describe(&mut lines);
    }
    lines.text()
}
