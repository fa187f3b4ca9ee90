//! The flags of `transcribe`: the one table of their names, defaults and help.
//!
//! Names, values and defaults are those of openai/whisper's command (`transcribe.py`, `cli`),
//! except that files are written only when asked for and that the default model is `base`.

use std::path::PathBuf;

use clap::ValueEnum;
use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use whisper_rs::frontend::{Normalisation, Smoothing};
use whisper_rs::{ComputeType, Task, TranscribeOptions, device};

use super::decoding_flags::DecodingFlags;
use super::feedback_flags::FeedbackFlags;
use super::heading;
use super::input_flags::InputFlags;
use super::later::Later;
use super::models::StoreArguments;
use super::output_flags::{OutputFlags, Place};
use super::precision;
use super::values::{self, List, Optional};

/// What `transcribe` is asked to do.
#[derive(Debug, clap::Args)]
#[command(rename_all = "snake_case")]
pub struct TranscribeArguments {
    /// Audio files, folders of them or globs; - is standard input
    #[arg(value_name = "FILES")]
    pub files: Vec<PathBuf>,

    /// What is read.
    #[command(flatten)]
    pub input: InputFlags,

    /// Model: a name such as tiny.en or base, or the path of a file or folder with weights
    #[arg(short, long, default_value = "base", help_heading = heading::MODEL)]
    pub model: String,

    /// Folder or file of a model, in the place of --model
    #[arg(long, value_name = "PATH", help_heading = heading::MODEL, hide_short_help = true)]
    pub model_directory: Option<String>,

    #[command(flatten)]
    pub store: StoreArguments,

    // The help names what this build can open.
    #[arg(
        long,
        default_value = "auto",
        help = format!("Device to run on: {}", device::AVAILABLE.join(", ")),
        help_heading = heading::MODEL,
    )]
    pub device: String,

    /// Which of several GPUs to use, counted from 0
    #[arg(
        long,
        value_parser = values::whole_number,
        default_value = "0",
        value_name = "N",
        allow_hyphen_values = true,
        help_heading = heading::MODEL,
        hide_short_help = true,
    )]
    pub device_index: usize,

    /// Numbers that the model computes in: float32, or on a GPU float16 or bfloat16; auto is the best that is proven
    #[arg(
        long,
        value_parser = PossibleValuesParser::new(precision::KNOWN),
        default_value = "auto",
        value_name = "TYPE",
        hide_possible_values = true,
        help_heading = heading::MODEL,
        hide_short_help = true,
    )]
    pub compute_type: String,

    /// --compute_type as openai/whisper has it: False is float32, True is float16 on a GPU
    #[arg(
        long,
        value_parser = values::boolean,
        num_args = 0..=1,
        default_missing_value = "True",
        value_name = values::BOOLEAN,
        help_heading = heading::MODEL,
        hide_short_help = true,
    )]
    pub fp16: Option<bool>,

    /// Transcribe in the language spoken, or translate to English
    #[arg(long, value_enum, default_value = "transcribe", help_heading = heading::SPEECH)]
    pub task: TaskName,

    /// Language spoken, by code or English name; None detects it
    #[arg(
        short,
        long,
        value_parser = values::language,
        default_value = "None",
        help_heading = heading::SPEECH,
    )]
    pub language: Optional<&'static str>,

    /// Temperature to decode at; 0 takes the likeliest token
    #[arg(
        long,
        value_parser = values::temperature,
        default_value = "0",
        allow_hyphen_values = true,
        help_heading = heading::DECODING,
    )]
    pub temperature: f64,

    /// Candidates when sampling at a temperature above 0
    #[arg(
        long,
        value_parser = values::count,
        default_value = "5",
        value_name = "N",
        allow_hyphen_values = true,
        help_heading = heading::DECODING,
        hide_short_help = true,
    )]
    pub best_of: Optional<usize>,

    /// Beams in beam search at temperature 0; None is greedy
    #[arg(
        long,
        value_parser = values::count,
        default_value = "5",
        value_name = "N",
        allow_hyphen_values = true,
        help_heading = heading::DECODING,
    )]
    pub beam_size: Optional<usize>,

    /// Beam search ends at --beam_size times this many finished hypotheses; None is 1
    #[arg(
        long,
        value_parser = values::threshold,
        default_value = "None",
        value_name = "FACTOR",
        allow_hyphen_values = true,
        help_heading = heading::DECODING,
        hide_short_help = true,
    )]
    pub patience: Optional<f64>,

    /// Exponent of the length penalty, from 0 to 1; None ranks by the mean log probability
    #[arg(
        long,
        value_parser = values::threshold,
        default_value = "None",
        value_name = "ALPHA",
        allow_hyphen_values = true,
        help_heading = heading::DECODING,
        hide_short_help = true,
    )]
    pub length_penalty: Optional<f64>,

    /// Seed of the draws at temperatures above 0: the same seed gives the same text
    #[arg(
        long,
        value_parser = values::seed,
        default_value = "0",
        value_name = "N",
        allow_hyphen_values = true,
        help_heading = heading::DECODING,
        hide_short_help = true,
    )]
    pub seed: u64,

    /// Token ids never to sample, with commas between; -1 stands for most symbols, "" for none
    #[arg(
        long,
        value_parser = values::token_ids,
        default_value = "-1",
        value_name = "IDS",
        allow_hyphen_values = true,
        help_heading = heading::DECODING,
        hide_short_help = true,
    )]
    pub suppress_tokens: List<i64>,

    /// Starts and ends in seconds of the parts to transcribe, with commas between; a last start without an end lasts to the end
    #[arg(
        long,
        value_parser = values::times,
        default_value = "0",
        value_name = "TIMES",
        allow_hyphen_values = true,
        help_heading = heading::SPEECH,
    )]
    pub clip_timestamps: List<f64>,

    /// Where to begin, in milliseconds; in the place of --clip_timestamps
    #[arg(
        long,
        value_parser = values::whole_number,
        value_name = "MS",
        allow_hyphen_values = true,
        conflicts_with = "clip_timestamps",
        help_heading = heading::SPEECH,
        hide_short_help = true,
    )]
    pub offset_t: Option<usize>,

    /// How much to transcribe, in milliseconds; in the place of --clip_timestamps; 0 is all
    #[arg(
        short = 'd',
        long,
        value_parser = values::whole_number,
        value_name = "MS",
        allow_hyphen_values = true,
        conflicts_with = "clip_timestamps",
        help_heading = heading::SPEECH,
        hide_short_help = true,
    )]
    pub duration: Option<usize>,

    /// Text to put before the first window, as if it had been said before
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, help_heading = heading::CONTEXT)]
    pub initial_prompt: Option<String>,

    /// Put the initial prompt before every window, not only the first
    #[arg(
        long,
        value_parser = values::boolean,
        num_args = 0..=1,
        default_value = "False",
        default_missing_value = "True",
        value_name = values::BOOLEAN,
        help_heading = heading::CONTEXT,
        hide_short_help = true,
    )]
    pub carry_initial_prompt: bool,

    /// Give the text of each window to the next one as a prompt
    #[arg(
        long,
        value_parser = values::boolean,
        num_args = 0..=1,
        default_value = "True",
        default_missing_value = "True",
        value_name = values::BOOLEAN,
        help_heading = heading::CONTEXT,
        hide_short_help = true,
    )]
    pub condition_on_previous_text: bool,

    /// Temperature step when decoding fails a threshold and is done again; None decodes once
    #[arg(
        long,
        value_parser = values::temperature_increment,
        default_value = "0.2",
        value_name = "STEP",
        allow_hyphen_values = true,
        help_heading = heading::DECODING,
        hide_short_help = true,
    )]
    pub temperature_increment_on_fallback: Optional<f64>,

    /// Decoding has failed when its text compresses better than this
    #[arg(
        long,
        value_parser = values::threshold,
        default_value = "2.4",
        value_name = "RATIO",
        allow_hyphen_values = true,
        help_heading = heading::DECODING,
        hide_short_help = true,
    )]
    pub compression_ratio_threshold: Optional<f64>,

    /// Decoding has failed when its average log probability is lower than this
    #[arg(
        long,
        value_parser = values::threshold,
        default_value = "-1.0",
        value_name = "LOGPROB",
        allow_hyphen_values = true,
        help_heading = heading::DECODING,
        hide_short_help = true,
    )]
    pub logprob_threshold: Optional<f64>,

    /// A window is silence when its no-speech probability is higher than this and
    /// --logprob_threshold is not reached
    #[arg(
        long,
        value_parser = values::threshold,
        default_value = "0.6",
        value_name = "PROBABILITY",
        allow_hyphen_values = true,
        help_heading = heading::DECODING,
        hide_short_help = true,
    )]
    pub no_speech_threshold: Optional<f64>,

    /// Give each word its times, in the json output, and cut windows and segments by them
    #[arg(
        long,
        value_parser = values::boolean,
        num_args = 0..=1,
        default_value = "False",
        default_missing_value = "True",
        value_name = values::BOOLEAN,
        help_heading = heading::WORDS,
    )]
    pub word_timestamps: bool,

    /// With --word_timestamps: marks to join to the word after them
    #[arg(
        long,
        default_value_t = TranscribeOptions::default().prepend_punctuations,
        value_name = "MARKS",
        allow_hyphen_values = true,
        help_heading = heading::WORDS,
        hide_short_help = true,
    )]
    pub prepend_punctuations: String,

    /// With --word_timestamps: marks to join to the word before them
    #[arg(
        long,
        default_value_t = TranscribeOptions::default().append_punctuations,
        value_name = "MARKS",
        allow_hyphen_values = true,
        help_heading = heading::WORDS,
        hide_short_help = true,
    )]
    pub append_punctuations: String,

    /// With --word_timestamps: skip silences longer than this around what was probably not said
    #[arg(
        long,
        value_parser = values::threshold,
        default_value = "None",
        value_name = "SECONDS",
        allow_hyphen_values = true,
        help_heading = heading::WORDS,
        hide_short_help = true,
    )]
    pub hallucination_silence_threshold: Optional<f64>,

    /// Average the log-Mel features over 3x3 neighbours; OpenAI's transcripts are made without
    #[arg(
        long,
        value_enum,
        default_value = "none",
        help_heading = heading::SPEECH,
        hide_short_help = true,
    )]
    pub smoothing: SmoothingKind,

    /// Make the samples louder or softer before they are heard: their largest to full scale, or their
    /// root mean square to -20 dB; OpenAI's transcripts are made without
    #[arg(
        long,
        alias = "normalize",
        value_enum,
        default_value = "none",
        help_heading = heading::SPEECH,
        hide_short_help = true,
    )]
    pub normalise: NormaliseKind,

    /// Threads for work on the CPU; 0 or None is one for each physical core
    #[arg(
        short,
        long,
        default_value = "0",
        value_name = "N",
        allow_hyphen_values = true,
        value_parser = values::threads,
        help_heading = heading::MODEL,
    )]
    pub threads: usize,

    /// How much is told meanwhile.
    #[command(flatten)]
    pub feedback: FeedbackFlags,

    /// File with defaults for these flags [default: whisper-rs/config.toml in the user's folder of settings]
    #[arg(long, value_name = "FILE", help_heading = heading::SETTINGS)]
    pub config: Option<PathBuf>,

    /// Print the flags in force and where each comes from, as a config file, and do nothing else
    #[arg(long, help_heading = heading::SETTINGS)]
    pub print_config: bool,

    /// Where transcripts go.
    #[command(flatten)]
    pub output: OutputFlags,

    /// What openai/whisper's command has no flags for.
    #[command(flatten)]
    pub decoding: DecodingFlags,

    #[command(flatten)]
    later: Later,
}

/// What `--smoothing` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SmoothingKind {
    None,
    #[value(name = "average3x3")]
    Average3x3,
}

/// What `--normalise` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NormaliseKind {
    None,
    Peak,
    Rms,
}

impl From<NormaliseKind> for Normalisation {
    fn from(kind: NormaliseKind) -> Self {
        match kind {
            NormaliseKind::None => Normalisation::Off,
            NormaliseKind::Peak => Normalisation::Peak,
            NormaliseKind::Rms => Normalisation::Rms,
        }
    }
}

impl From<SmoothingKind> for Smoothing {
    fn from(kind: SmoothingKind) -> Self {
        match kind {
            SmoothingKind::None => Smoothing::Off,
            SmoothingKind::Average3x3 => Smoothing::Average3x3,
        }
    }
}

/// openai/whisper's names of the two tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TaskName {
    /// Speech to text in the same language
    Transcribe,
    /// Speech to English text
    Translate,
}

impl TranscribeArguments {
    /// Refuses what is known but not there yet, and values that make no sense together. (The defaults are and do, so
    /// what is refused was given.)
    pub fn check(&self) -> Result<(), clap::Error> {
        let refuse = |message: String| clap::Error::raw(ErrorKind::ValueValidation, message);
        if self.files.is_empty() && self.input.files_from.is_none() {
            let message = "no FILES: give the audio files to transcribe, or - for standard input";
            return Err(clap::Error::raw(
                ErrorKind::MissingRequiredArgument,
                message,
            ));
        }
        precision::compute_type(&self.compute_type).map_err(refuse)?;
        let options = self.options();
        options
            .check()
            .map_err(|error| clap::Error::raw(ErrorKind::ValueValidation, error))?;
        if self.input.resume && !matches!(self.output.place(), Some(Place::Folder(_))) {
            let message = "--resume skips files whose outputs are there; give --output_dir or --output_format";
            return Err(refuse(message.to_owned()));
        }
        self.output.check(options.word_timestamps)
    }

    /// What flags will not do as they seem to.
    pub fn warnings(&self) -> impl Iterator<Item = &'static str> {
        let fp16 = self.numbers().1;
        fp16.into_iter().chain(self.output.warnings())
    }

    /// The numbers to compute in.
    pub fn compute_type(&self) -> ComputeType {
        self.numbers().0
    }

    /// The numbers to compute in, and what should be told of them.
    fn numbers(&self) -> (ComputeType, Option<&'static str>) {
        match (precision::compute_type(&self.compute_type), self.fp16) {
            (Ok(ComputeType::Auto), Some(fp16)) => precision::of_fp16(fp16, &self.device),
            (Ok(compute_type), _) => (compute_type, None),
            // Refused by `check`.
            (Err(_), _) => (ComputeType::Auto, None),
        }
    }

    /// The model's name or path.
    pub fn model(&self) -> &str {
        self.model_directory.as_deref().unwrap_or(&self.model)
    }

    /// The device's name: which of several is meant stands behind a colon.
    pub fn device_name(&self) -> String {
        match self.device_index {
            0 => self.device.clone(),
            index => format!("{}:{index}", self.device),
        }
    }

    /// Starts and ends of the parts to transcribe, in seconds.
    fn clips(&self) -> Vec<f64> {
        let duration = self.duration.filter(|&duration| duration > 0);
        if self.offset_t.is_none() && duration.is_none() {
            return self.clip_timestamps.0.clone();
        }
        let seconds = |milliseconds: usize| milliseconds as f64 / 1000.0;
        let start = self.offset_t.unwrap_or(0);
        let end = duration.map(|duration| start.saturating_add(duration));
        [Some(start), end]
            .into_iter()
            .flatten()
            .map(seconds)
            .collect()
    }

    /// The library's options for these flags.
    pub fn options(&self) -> TranscribeOptions {
        let mut options = TranscribeOptions::default();
        options.language = self.language.0.map(str::to_owned);
        options.task = match self.task {
            TaskName::Transcribe => Task::Transcribe,
            TaskName::Translate => Task::Translate,
        };
        options.temperatures =
            temperatures(self.temperature, self.temperature_increment_on_fallback.0);
        options.beam_size = self.beam_size.0;
        options.best_of = self.best_of.0;
        options.patience = self.patience.0;
        options.length_penalty = self.length_penalty.0;
        options.seed = self.seed;
        options.suppress_tokens = self.suppress_tokens.0.clone();
        options.clip_timestamps = self.clips();
        options.carry_initial_prompt = self.carry_initial_prompt;
        options.compression_ratio_threshold = self.compression_ratio_threshold.0;
        options.logprob_threshold = self.logprob_threshold.0;
        options.no_speech_threshold = self.no_speech_threshold.0;
        options.condition_on_previous_text = self.condition_on_previous_text;
        options.initial_prompt = self.initial_prompt.clone();
        options.word_timestamps = self.word_timestamps;
        options.prepend_punctuations = self.prepend_punctuations.clone();
        options.append_punctuations = self.append_punctuations.clone();
        options.hallucination_silence_threshold = self.hallucination_silence_threshold.0;
        self.decoding.apply(&mut options);
        options
    }
}

/// The temperatures from the first one up to 1, as numpy's `arange(first, 1.0 + 1e-6, increment)` gives them.
fn temperatures(first: f64, increment: Option<f64>) -> Vec<f64> {
    let Some(increment) = increment.filter(|&increment| increment > 0.0) else {
        return vec![first];
    };
    let count = ((1.0 + 1e-6 - first) / increment).ceil().max(1.0) as usize;
    (0..count)
        .map(|step| first + step as f64 * increment)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temperatures_are_numpys() {
        let expected = [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0];
        assert_eq!(temperatures(0.0, Some(0.2)), expected);
        assert_eq!(temperatures(0.0, None), [0.0]);
        assert_eq!(temperatures(0.5, Some(0.3)), [0.5, 0.8]);
        assert_eq!(temperatures(1.0, Some(0.2)), [1.0]);
    }

    #[test]
    fn the_smallest_step_gives_as_many_temperatures_as_the_library_takes() {
        let smallest = temperatures(0.0, Some(0.01));
        assert_eq!(smallest.len(), TranscribeOptions::MAX_TEMPERATURES);
    }
}
