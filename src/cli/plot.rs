//! `whisper-rs plot`: a picture of a recording.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use burn::tensor::Device;
use whisper_rs::compare::{Span, TimedText};
use whisper_rs::output::write_atomically;
use whisper_rs::plot::{Figure, FigureOptions, Fonts};
use whisper_rs::{Audio, Error, device};

use super::feedback::messages;
use super::flags::values::{self, Optional};
use super::models::StoreArguments;
use super::transcriber::Transcriber;
use super::{FAILED, USAGE, chosen_device};

/// The arguments of `plot`.
#[derive(Debug, clap::Args)]
#[command(rename_all = "snake_case")]
pub struct PlotArguments {
    /// Recording
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Picture to write, by its ending as png or svg [default: the recording's name with png, in the current folder]
    #[arg(short, long, value_name = "PICTURE")]
    output: Option<PathBuf>,

    /// First second that is shown
    #[arg(long, value_parser = values::number, value_name = "SECONDS", default_value = "0")]
    start: f64,

    /// Last second that is shown [default: the recording's end]
    #[arg(long, value_parser = values::number, value_name = "SECONDS")]
    end: Option<f64>,

    /// Transcript whose words are shown: json with word timestamps; without them, and of srt, vtt and tsv, the segments
    #[arg(long, value_name = "TRANSCRIPT")]
    transcript: Option<PathBuf>,

    /// Transcribe the recording by this model to show its words: greedily, with fallback
    #[arg(short, long, value_name = "MODEL", conflicts_with = "transcript")]
    model: Option<String>,

    #[command(flatten)]
    store: StoreArguments,

    /// Language that is spoken, for --model [default: detected]
    #[arg(short, long, value_parser = values::language, value_name = "LANGUAGE", requires = "model")]
    language: Option<Optional<&'static str>>,

    /// Device to run on
    #[arg(long, default_value = "auto", help = format!("Device to run on: {}", device::AVAILABLE.join(", ")))]
    device: String,

    /// Mel bins: 80, or 128 as the large-v3 models have
    #[arg(long, value_name = "N", default_value_t = FigureOptions::default().n_mels)]
    n_mels: usize,

    /// Width of the picture in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = FigureOptions::default().width)]
    width: u32,

    /// Font of letters in a png, before DejaVu Sans, which is built in, and the machine's own
    #[arg(long, value_name = "FONT")]
    font: Option<PathBuf>,
}

/// What the picture's ending says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Png,
    Svg,
}

impl Format {
    fn of(path: &Path) -> Result<Self, Error> {
        let ending = path
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        match ending.as_str() {
            "png" => Ok(Self::Png),
            "svg" => Ok(Self::Svg),
            _ => Err(Error::Option(format!(
                "{}: pictures are written as png or svg, and the name should end so",
                path.display()
            ))),
        }
    }
}

/// Draws the recording and writes the picture.
pub fn run(arguments: &PlotArguments) -> ExitCode {
    let device = match chosen_device::open(&arguments.device) {
        Ok(chosen) => chosen.device,
        Err(error) => {
            messages::error(error);
            return ExitCode::from(USAGE);
        }
    };
    match plot(arguments, &device) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            messages::error(error);
            ExitCode::from(FAILED)
        }
    }
}

fn plot(arguments: &PlotArguments, device: &Device) -> Result<(), Error> {
    let stem = arguments
        .file
        .file_stem()
        .unwrap_or(arguments.file.as_os_str());
    let picture = match &arguments.output {
        Some(picture) => picture.clone(),
        None => Path::new(stem).with_added_extension("png"),
    };
    let format = Format::of(&picture)?;
    let mut fonts = Fonts::new();
    if let Some(font) = &arguments.font {
        fonts = fonts.with_own(font)?;
    }
    let audio = Audio::open(&arguments.file)?;
    for warning in audio.warnings() {
        messages::warning(format!("{}: {warning}", arguments.file.display()));
    }
    let words = words(arguments, &audio, device)?;
    let mut options = FigureOptions::default();
    options.width = arguments.width;
    options.n_mels = arguments.n_mels;
    let title = arguments
        .file
        .file_name()
        .unwrap_or(arguments.file.as_os_str());
    let title = title.to_string_lossy();
    let time = arguments.start..arguments.end.unwrap_or(audio.seconds());
    let figure = Figure::new(title, &audio, time, &words, options, device)?;
    if format == Format::Png {
        tell_missing(&fonts.add_found(&figure.text()));
    }
    let unwritten = figure.unwritten(&fonts);
    if unwritten > 0 {
        messages::note(format!(
            "{unwritten} words have no room for their letters: --start and --end show less, --width makes room"
        ));
    }
    let bytes = match format {
        Format::Png => figure.png(&fonts)?,
        Format::Svg => figure.svg(&fonts)?.into_bytes(),
    };
    write_atomically(&picture, |out| out.write_all(&bytes))?;
    messages::note(format!("wrote {}", picture.display()));
    Ok(())
}

/// What is shown on the time axis: words, or segments where there are no words.
fn words(arguments: &PlotArguments, audio: &Audio, device: &Device) -> Result<Vec<Span>, Error> {
    let text = match (&arguments.transcript, &arguments.model) {
        (Some(path), _) => TimedText::read(path)?,
        (None, Some(model)) => {
            let language = arguments.language.and_then(|language| language.0);
            let transcriber = Transcriber::new(model, &arguments.store, device, language)?;
            transcriber.transcribe(audio, &arguments.file)?
        }
        (None, None) => return Ok(Vec::new()),
    };
    let spans = match text.words.is_empty() {
        true => text.segments,
        false => text.words,
    };
    if let (true, Some(path)) = (
        spans.is_empty() && !text.text.trim().is_empty(),
        &arguments.transcript,
    ) {
        messages::warning(format!(
            "{}: has no times, so nothing of it is shown",
            path.display()
        ));
    }
    Ok(spans)
}

/// Letters that the picture shows as boxes.
fn tell_missing(missing: &[char]) {
    let Some(&first) = missing.first() else {
        return;
    };
    messages::warning(format!(
        "{} letters ({} and such) are in no font here and are drawn as boxes: give a --font, or write svg",
        missing.len(),
        first.escape_debug(),
    ));
}
