//! `whisper-rs compare`: what transcripts are worth beside their references.

mod aligned_lines;
mod json;
mod pairs;
mod summary;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use whisper_rs::compare::{Comparison, Normalizer};
use whisper_rs::report::{AudioPicture, ClipReport, Report};
use whisper_rs::{Audio, Error, device};

use self::aligned_lines::AlignedLines;
use self::pairs::{Pair, pairs};
use super::feedback::reports::about;
use super::feedback::{colours, messages};
use super::flags::values::{self, Choice, Optional};
use super::models::StoreArguments;
use super::transcriber::Transcriber;
use super::{FAILED, USAGE, chosen_device, output_lines};

/// The arguments of `compare`.
#[derive(Debug, clap::Args)]
#[command(rename_all = "snake_case")]
pub struct CompareArguments {
    /// What was said: a transcript (json, jsonl, tsv, srt, vtt, txt), a folder of them, or a manifest of clips
    #[arg(value_name = "REFERENCE")]
    reference: PathBuf,

    /// What is compared with it: a transcript, a folder of them, or a manifest; with --model a recording or a folder of them
    #[arg(value_name = "HYPOTHESIS")]
    hypothesis: PathBuf,

    /// Transcribe HYPOTHESIS, which is audio, by this model first: greedily, with fallback and word timestamps
    #[arg(short, long, value_name = "MODEL")]
    model: Option<String>,

    #[command(flatten)]
    store: StoreArguments,

    /// Device to run on
    #[arg(long, default_value = "auto", help = format!("Device to run on: {}", device::AVAILABLE.join(", ")))]
    device: String,

    /// Language of the texts, which chooses the normalizer [default: what the files say]
    #[arg(short, long, value_parser = values::language, value_name = "LANGUAGE")]
    language: Option<Optional<&'static str>>,

    /// How texts are made comparable: Whisper's normalizer for English, the basic one, or not at all; auto goes by the language
    #[arg(long, alias = "normaliser", value_enum, default_value = "auto")]
    normalizer: NormalizerKind,

    /// Print everything as JSON
    #[arg(long)]
    json: bool,

    /// Write a page for the browser: both transcripts on one time axis, differences marked, worst clips first
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Recording, or folder of recordings, whose waveform and log-Mel features the page shows; manifests and --model know theirs
    #[arg(long, value_name = "AUDIO", requires = "html")]
    audio: Option<PathBuf>,

    /// Clips, the worst ones, whose words are printed, and whose audio the page shows
    #[arg(long, value_name = "N", default_value_t = 20)]
    worst: usize,

    /// Colour the differences; auto: on a terminal
    #[arg(
        long,
        value_parser = values::choice,
        num_args = 0..=1,
        default_value = "auto",
        default_missing_value = "True",
        value_name = "auto|True|False",
    )]
    print_colors: Choice,
}

/// What `--normalizer` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum NormalizerKind {
    Auto,
    English,
    Basic,
    None,
}

impl NormalizerKind {
    fn of_language(self, language: Option<&str>) -> Normalizer {
        match self {
            Self::Auto => Normalizer::for_language(language),
            Self::English => Normalizer::English,
            Self::Basic => Normalizer::basic(language),
            Self::None => Normalizer::None,
        }
    }
}

/// A clip that was compared.
struct Compared {
    name: String,
    audio: Option<PathBuf>,
    comparison: Comparison,
}

/// Compares, prints and writes what came of it.
pub fn run(arguments: &CompareArguments) -> ExitCode {
    let device = match chosen_device(arguments) {
        Ok(device) => device,
        Err(error) => {
            messages::error(error);
            return ExitCode::from(USAGE);
        }
    };
    match compare(arguments, device.as_ref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            messages::error(error);
            ExitCode::from(FAILED)
        }
    }
}

/// The device, where there is something to compute.
fn chosen_device(arguments: &CompareArguments) -> Result<Option<burn::tensor::Device>, Error> {
    match arguments.model.is_some() || arguments.html.is_some() {
        true => chosen_device::open(&arguments.device).map(|chosen| Some(chosen.device)),
        false => Ok(None),
    }
}

fn compare(
    arguments: &CompareArguments,
    device: Option<&burn::tensor::Device>,
) -> Result<(), Error> {
    let language = arguments.language.and_then(|language| language.0);
    spare_inputs(arguments)?;
    let pairs = pairs(arguments)?;
    let transcriber = match (&arguments.model, device) {
        (Some(model), Some(device)) => {
            Some(Transcriber::new(model, &arguments.store, device, language)?)
        }
        _ => None,
    };
    let mut compared = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let mut reference = pair.reference()?;
        let mut hypothesis = match &transcriber {
            Some(transcriber) => {
                let audio = open(&pair.hypothesis)?;
                transcriber.transcribe(&audio, &pair.hypothesis)?
            }
            None => pair.hypothesis()?,
        };
        // What the user says holds for texts that do not know their language.
        for text in [&mut reference, &mut hypothesis] {
            text.language = text.language.take().or(language.map(str::to_owned));
        }
        let spoken = language
            .or(reference.language.as_deref())
            .or(hypothesis.language.as_deref());
        let normalizer = arguments.normalizer.of_language(spoken);
        let Pair { name, audio, .. } = pair;
        compared.push(Compared {
            name,
            audio,
            comparison: Comparison::new(&reference, &hypothesis, normalizer),
        });
    }
    compared.sort_by(|a, b| {
        let order = b.comparison.badness().total_cmp(&a.comparison.badness());
        order.then_with(|| a.name.cmp(&b.name))
    });
    if let (Some(path), Some(device)) = (&arguments.html, device) {
        report(arguments, &compared, device)?.write(path)?;
        messages::note(format!("wrote {}", path.display()));
    }
    if arguments.json {
        return output_lines::print_json(&json::of(&compared));
    }
    let lines = AlignedLines::new(colours::wanted(arguments.print_colors));
    output_lines::print(summary::of(&compared, arguments.worst, &lines).trim_end())
}

/// Refuses a page that would be written over what is compared.
fn spare_inputs(arguments: &CompareArguments) -> Result<(), Error> {
    let Some(page) = arguments
        .html
        .as_ref()
        .and_then(|page| page.canonicalize().ok())
    else {
        return Ok(());
    };
    let inputs = [&arguments.reference, &arguments.hypothesis];
    match inputs
        .into_iter()
        .find(|input| input.canonicalize().is_ok_and(|input| input == page))
    {
        Some(input) => Err(Error::Option(format!(
            "--html would overwrite {}; give another name",
            input.display()
        ))),
        None => Ok(()),
    }
}

fn open(path: &Path) -> Result<Audio, Error> {
    let audio = Audio::open(path)?;
    for warning in audio.warnings() {
        messages::warning(format!("{}: {warning}", path.display()));
    }
    Ok(audio)
}

/// The page: the clips, the worst ones with what can be seen of their audio.
fn report(
    arguments: &CompareArguments,
    compared: &[Compared],
    device: &burn::tensor::Device,
) -> Result<Report, Error> {
    let mut report = Report::new(format!(
        "{} beside {}",
        arguments.hypothesis.display(),
        arguments.reference.display()
    ));
    if let Some(model) = &arguments.model {
        report.facts.push(("model".to_owned(), model.clone()));
    }
    for (index, clip) in compared.iter().enumerate() {
        let mut shown = ClipReport::new(&clip.name, clip.comparison.clone());
        if let (true, Some(path)) = (index < arguments.worst, &clip.audio) {
            let picture = Audio::open(path).and_then(|audio| AudioPicture::new(&audio, device));
            match picture {
                Ok(picture) => shown.audio = Some(picture),
                Err(error) => messages::warning(about(path, &error)),
            }
        }
        report.clips.push(shown);
    }
    Ok(report)
}
