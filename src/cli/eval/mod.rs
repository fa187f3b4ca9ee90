//! `whisper-rs eval`: errors, speed and memory of a model on clips with known transcripts.

mod clips;
mod identity;
mod page;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use whisper_rs::Error;
use whisper_rs::evaluate::{EvaluatedClip, Evaluation, Manifest, RecordFile, References, Speech};
use whisper_rs::output::write_atomically;

use super::engine::Engine;
use super::feedback::interrupt::Interrupt;
use super::feedback::messages;
use super::flags::engine::EngineFlags;
use super::models::Models;
use super::{FAILED, INTERRUPTED, USAGE, chosen_device, output_lines, threads};

use clips::{Outcome, Run};
use identity::Identity;
use page::Page;
use table::Table;

/// What `eval` is asked to do.
#[derive(Debug, clap::Args)]
#[command(rename_all = "snake_case")]
pub struct EvalArguments {
    /// List of clips: lines with tabs between the columns file, transcript and language, which the first line names
    pub manifest: PathBuf,

    /// Write everything to a file as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Write a page for a browser: each clip's waveform, features and both transcripts, the worst ones first
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,

    /// Compare with transcripts that openai/whisper wrote as JSON, as talk.json or talk.wav.json for talk.wav
    #[arg(long, value_name = "FOLDER")]
    pub against: Option<PathBuf>,

    /// With --against: the member of each file that is the transcript, where it holds several
    #[arg(
        long,
        value_name = "NAME",
        requires = "against",
        hide_short_help = true
    )]
    pub against_member: Option<String>,

    /// Leave out the clips in other languages than these, by their codes with commas between; none is where nobody speaks
    #[arg(long, value_name = "LANGUAGES", value_delimiter = ',')]
    pub only: Vec<String>,

    /// Tell the model each clip's language by the manifest, instead of --language or detecting it
    #[arg(long)]
    pub known_languages: bool,

    /// Go on where a run of the same command was stopped: its clips are not transcribed again
    #[arg(long)]
    pub resume: bool,

    #[command(flatten)]
    pub engine: EngineFlags,
}

impl EvalArguments {
    /// Refuses, by a line, values that make no sense together.
    pub fn check(&self) -> Result<(), String> {
        self.engine.check()
    }
}

/// Transcribes the clips and prints, and writes, what came of it.
pub fn run(arguments: &EvalArguments) -> ExitCode {
    match evaluate(arguments) {
        Ok(code) => code,
        Err(Failure::Usage(message)) => fail(USAGE, message),
        Err(Failure::Run(message)) => fail(FAILED, message),
        Err(Failure::Interrupted(message)) => fail(INTERRUPTED, message),
    }
}

fn fail(code: u8, message: String) -> ExitCode {
    messages::error(message);
    ExitCode::from(code)
}

/// Why there is no evaluation.
enum Failure {
    Usage(String),
    Run(String),
    Interrupted(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match &error {
            Error::Weights(whisper_weights::Error::UnknownModel { .. }) => {
                Failure::Usage(error.to_string())
            }
            _ => Failure::Run(error.to_string()),
        }
    }
}

/// The clips that are meant.
fn manifest(arguments: &EvalArguments) -> Result<Manifest, Failure> {
    let mut manifest = Manifest::read(&arguments.manifest)?;
    if !arguments.only.is_empty() {
        let only: Vec<Speech> = arguments.only.iter().map(|name| Speech::of(name)).collect();
        manifest.clips.retain(|clip| only.contains(&clip.speech));
    }
    if manifest.clips.is_empty() {
        let (only, path) = (arguments.only.join(","), arguments.manifest.display());
        return Err(Failure::Usage(format!(
            "--only {only}: no clip of {path} is in that"
        )));
    }
    Ok(manifest)
}

fn evaluate(arguments: &EvalArguments) -> Result<ExitCode, Failure> {
    let manifest = manifest(arguments)?;
    let references = (arguments.against.as_ref())
        .map(|folder| References::open(folder, arguments.against_member.clone()))
        .transpose()?;
    let interrupt = Interrupt::watch(|| {
        messages::error("interrupted: the same command with --resume does what is not done");
    })
    .map_err(|error| Failure::Run(format!("cannot watch for Ctrl-C: {error}")))?;
    let flags = &arguments.engine;
    threads::configure(flags.model.threads)?;
    let chosen = chosen_device::open(&flags.model.device_name())
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let device = &chosen.device;
    (flags.model.warning(device).into_iter()).for_each(messages::warning);
    let models = Models::open(&flags.model.store).map_err(Error::from)?;
    let engine = Engine::load(flags, &models, device)?;
    engine.warm_up()?;

    let identity = Identity::of(arguments, &engine, &models, chosen_device::title(&chosen))?;
    let folder = models.fetcher.cache_folder().join("evaluations");
    let records = RecordFile::open(identity.file_in(&folder), identity.text(), arguments.resume)?;
    let mut table = Table::new(&manifest, references.is_some());
    output_lines::print(&table.heading())?;
    let mut page = Page::default();
    let mut evaluated = Vec::new();
    let mut run = Run::new(&engine, &interrupt, arguments.known_languages, records);
    let outcome = run.all_clips(&manifest, |clip, record| {
        let reference = match &references {
            Some(references) => references.find(&clip.path)?,
            None => None,
        };
        let result = EvaluatedClip::new(clip, record, reference.as_ref());
        output_lines::print(&table.line(&result))?;
        if arguments.html.is_some() {
            page.add(clip, &result, &record.transcript);
        }
        evaluated.push(result);
        Ok(())
    })?;
    let failed = match outcome {
        Outcome::Done { failed } => failed,
        Outcome::Stopped { done } => {
            let of = manifest.clips.len();
            return Err(Failure::Interrupted(format!(
                "interrupted after {done} of {of} clips: the same command with --resume goes on"
            )));
        }
    };
    if evaluated.is_empty() {
        return Err(Failure::Run("no clip could be transcribed".to_owned()));
    }
    let evaluation = Evaluation::new(evaluated);
    output_lines::print(&table.summary(&evaluation))?;
    if let Some(path) = &arguments.json {
        let report = identity.report(&engine, &evaluation, failed);
        write_atomically(path, |out| {
            serde_json::to_writer_pretty(&mut *out, &report)?;
            writeln!(out)
        })?;
    }
    if let Some(path) = &arguments.html {
        page.write(path, &manifest, identity.facts(), device)?;
    }
    run.finish(failed)?;
    Ok(match failed {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(FAILED),
    })
}
