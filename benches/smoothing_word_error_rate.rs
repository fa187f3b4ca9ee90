//! Word error rates with and without smoothed features:
//! `cargo bench --bench smoothing_word_error_rate -- MANIFEST.tsv --models tiny.en,base`.
//!
//! The manifest has a line of column names, among them `file`, `language` and `transcript`, with tabs between; files are
//! looked for beside it. Lines without a transcript are passed over. English-only models are given the English clips.
//! Decoding is greedy, without fallback, in the language that the manifest names.
//!
//! Texts are compared after Whisper's normalisers: the English one for English, the basic one for other languages.
//! Where words are not parted by spaces (Chinese, Japanese, Thai, Lao, Burmese, Cantonese) letters are counted instead of words.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;

use clap::Parser;
use whisper_rs::compare::{Comparison, ErrorCounts, Normalizer, TimedText};
use whisper_rs::evaluate::{Clip, Manifest};
use whisper_rs::frontend::Smoothing;
use whisper_rs::{Audio, TranscribeOptions, Whisper, device};

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
    /// Cargo says so
    #[arg(long, hide = true)]
    bench: bool,
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
    let mut clips = Manifest::read(&arguments.manifest)?.clips;
    clips.retain(|clip| clip.transcript.is_some());
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
            if clip.speech.code() != Some("en") && !plain.is_multilingual() {
                continue;
            }
            let audio = Audio::open(&clip.path)?;
            let [before, after] = [&plain, &smoothed].map(|whisper| errors(whisper, &audio, clip));
            let (before, after) = (before?, after?);
            if arguments.clips {
                eprintln!(
                    "{model} {}: {} of {}, {} smoothed",
                    clip.name,
                    before.errors(),
                    before.reference_len(),
                    after.errors()
                );
            }
            let normalizer = Normalizer::for_language(clip.speech.code());
            let (english, other) = match normalizer {
                Normalizer::English => (true, "en"),
                _ if normalizer.splits_letters() => (false, "others, letters"),
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

/// The errors of one clip, greedily decoded.
fn errors(whisper: &Whisper, audio: &Audio, clip: &Clip) -> whisper_rs::Result<ErrorCounts> {
    let mut options = TranscribeOptions::default();
    options.language = clip.speech.code().map(str::to_owned);
    options.temperatures = vec![0.0];
    let heard = TimedText::from(&whisper.transcribe(audio, &options)?);
    let normalizer = Normalizer::for_language(clip.speech.code());
    let said = TimedText::plain(clip.transcript.clone().unwrap_or_default(), None);
    Ok(Comparison::new(&said, &heard, normalizer).words)
}
