//! Word error rates with and without smoothed features:
//! `cargo run --release --example smoothing_word_error_rate -- MANIFEST.tsv --models tiny.en,base`.
//!
//! The manifest has a line of column names, among them `file`, `language` and `transcript`, with tabs between; files are
//! looked for beside it. Lines without a transcript are passed over. English-only models are given the English clips.
//! Decoding is greedy, without fallback, in the language that the manifest names.
//!
//! Texts are compared after Whisper's normalisers: the English one for English, the basic one for other languages.
//! Where words are not parted by spaces (Chinese, Japanese, Thai, Lao, Burmese, Cantonese) letters are counted instead of words.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use clap::Parser;
use whisper_rs::compare::{BasicTextNormalizer, EnglishTextNormalizer, ErrorCounts, word_errors};
use whisper_rs::frontend::Smoothing;
use whisper_rs::{Audio, TranscribeOptions, Whisper, device};

const WITHOUT_SPACES: [&str; 6] = ["zh", "ja", "th", "lo", "my", "yue"];

#[derive(Parser)]
struct Arguments {
    /// Table of clips with their transcripts
    manifest: PathBuf,
    /// Models to compare, with commas between
    #[arg(long, value_delimiter = ',', default_value = "tiny.en,base")]
    models: Vec<String>,
    /// Device to run on
    #[arg(long, default_value = "auto")]
    device: String,
    /// Print what each clip gives
    #[arg(long)]
    clips: bool,
}

struct Clip {
    file: PathBuf,
    language: String,
    transcript: String,
}

/// What a group of clips gives.
#[derive(Default)]
struct Group {
    clips: usize,
    plain: ErrorCounts,
    smoothed: ErrorCounts,
    better: usize,
    worse: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let clips = read_manifest(&arguments.manifest)?;
    println!(
        "| model | language | clips | units | none | average3x3 | none: sub, del, ins | average3x3 | clips better, worse |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for model in &arguments.models {
        let load = || Whisper::load(model, &device::open(&arguments.device)?);
        let plain = load()?;
        let smoothed = load()?.with_smoothing(Smoothing::Average3x3);
        let mut groups = BTreeMap::<_, Group>::new();
        for clip in &clips {
            if clip.language != "en" && !plain.is_multilingual() {
                continue;
            }
            let audio = Audio::open(&clip.file)?;
            let [before, after] = [&plain, &smoothed].map(|whisper| errors(whisper, &audio, clip));
            let (before, after) = (before?, after?);
            if arguments.clips {
                let name = clip.file.file_name().unwrap_or_default().to_string_lossy();
                eprintln!(
                    "{model} {name}: {} of {}, {} smoothed",
                    before.errors(),
                    before.reference_len(),
                    after.errors()
                );
            }
            let (english, other) = match clip.language.as_str() {
                "en" => (true, "en"),
                language if WITHOUT_SPACES.contains(&language) => (false, "others, letters"),
                _ => (false, "others, words"),
            };
            let group = groups.entry((!english, other)).or_default();
            group.clips += 1;
            group.plain += before;
            group.smoothed += after;
            group.better += usize::from(after.errors() < before.errors());
            group.worse += usize::from(after.errors() > before.errors());
        }
        for ((_, language), group) in groups {
            let percent = |counts: &ErrorCounts| {
                format!("{:.2} %", counts.rate().unwrap_or(f64::NAN) * 100.0)
            };
            let kinds = |counts: &ErrorCounts| {
                format!(
                    "{}, {}, {}",
                    counts.substitutions, counts.deletions, counts.insertions
                )
            };
            println!(
                "| {model} | {language} | {} | {} | {} | {} | {} | {} | {}, {} |",
                group.clips,
                group.plain.reference_len(),
                percent(&group.plain),
                percent(&group.smoothed),
                kinds(&group.plain),
                kinds(&group.smoothed),
                group.better,
                group.worse,
            );
        }
    }
    Ok(())
}

fn read_manifest(path: &Path) -> Result<Vec<Clip>, Box<dyn Error>> {
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut lines = text.lines();
    let names: Vec<_> = lines.next().unwrap_or_default().split('\t').collect();
    let column = |name: &str| {
        let found = names.iter().position(|&column| column == name);
        found.ok_or_else(|| {
            format!(
                "{}: there is no column '{name}' in its first line",
                path.display()
            )
        })
    };
    let (file, language, transcript) =
        (column("file")?, column("language")?, column("transcript")?);
    let mut clips = Vec::new();
    for line in lines {
        let fields: Vec<_> = line.split('\t').collect();
        let field = |index: usize| fields.get(index).copied().unwrap_or_default();
        if !field(transcript).is_empty() {
            clips.push(Clip {
                file: folder.join(field(file)),
                language: field(language).to_owned(),
                transcript: field(transcript).to_owned(),
            });
        }
    }
    Ok(clips)
}

/// The errors of one clip, greedily decoded.
fn errors(whisper: &Whisper, audio: &Audio, clip: &Clip) -> whisper_rs::Result<ErrorCounts> {
    let mut options = TranscribeOptions::default();
    options.language = Some(clip.language.clone());
    options.temperatures = vec![0.0];
    let heard = whisper.transcribe(audio, &options)?.text;
    let normalize = |text: &str| match clip.language.as_str() {
        "en" => EnglishTextNormalizer.normalize(text),
        language => {
            let basic = BasicTextNormalizer {
                split_letters: WITHOUT_SPACES.contains(&language),
                ..Default::default()
            };
            basic.normalize(text)
        }
    };
    Ok(word_errors(
        &normalize(&clip.transcript),
        &normalize(&heard),
    ))
}
