//! The flags about what is said: task, language, which parts of a recording, and how loud they are.

use clap::ValueEnum;
use whisper_rs::frontend::{Normalisation, Smoothing};
use whisper_rs::{Task, TranscribeOptions};

use super::heading;
use super::values::{self, List, Optional};

/// What is listened to, and for what.
#[derive(Debug, clap::Args)]
#[command(rename_all = "snake_case", next_help_heading = heading::SPEECH)]
pub struct SpeechFlags {
    /// Transcribe in the language spoken, or translate to English
    #[arg(long, value_enum, default_value = "transcribe")]
    task: TaskName,

    /// Language spoken, by code or English name; None detects it
    #[arg(short, long, value_parser = values::language, default_value = "None")]
    language: Optional<&'static str>,

    /// Print the language that is spoken, by its first 30 s, and transcribe nothing
    #[arg(long, hide_short_help = true)]
    pub detect_language: bool,

    /// Starts and ends in seconds of the parts to transcribe, with commas between; a last start without an end lasts to the end
    #[arg(long, value_parser = values::times, default_value = "0", value_name = "TIMES")]
    clip_timestamps: List<f64>,

    /// Where to begin, in milliseconds; in the place of --clip_timestamps
    #[arg(
        long,
        default_value = "None",
        value_name = "MS",
        hide_short_help = true
    )]
    offset_t: Optional<usize>,

    /// How much to transcribe, in milliseconds; in the place of --clip_timestamps; 0 is all
    #[arg(
        short = 'd',
        long,
        default_value = "None",
        value_name = "MS",
        hide_short_help = true
    )]
    duration: Optional<usize>,

    /// Average the log-Mel features over 3x3 neighbours; OpenAI's transcripts are made without
    #[arg(long, value_enum, default_value = "none", hide_short_help = true)]
    pub smoothing: SmoothingKind,

    /// Make the samples louder or softer before they are heard: their largest to full scale, or their
    /// root mean square to -20 dB; OpenAI's transcripts are made without
    #[arg(
        long,
        alias = "normalize",
        value_enum,
        default_value = "none",
        hide_short_help = true
    )]
    pub normalise: NormaliseKind,

    /// Detect the language of every window, and decode each as its own
    #[arg(long, hide_short_help = true)]
    multilingual: bool,

    /// The first window whose language is more probable than this decides; None looks at all
    /// --language_detection_segments
    #[arg(
        long,
        default_value = "0.5",
        value_name = "PROBABILITY",
        hide_short_help = true
    )]
    language_detection_threshold: Optional<f64>,

    /// Windows of 30 s to detect the language from; where none is sure, the language of most of them is taken
    #[arg(
        long,
        value_parser = values::whole_number,
        default_value = "1",
        value_name = "N",
        hide_short_help = true,
    )]
    language_detection_segments: usize,
}

/// openai/whisper's names of the two tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TaskName {
    /// Speech to text in the same language
    Transcribe,
    /// Speech to English text
    Translate,
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

impl SpeechFlags {
    /// Refuses two ways to say what is to be transcribed. (By their values: defaults may be written out.)
    pub fn check(&self) -> Result<(), String> {
        let by_milliseconds = self.offset_t.0.is_some() || self.duration.0.is_some();
        match by_milliseconds && self.clip_timestamps.0 != [0.0] {
            true => Err("give --offset_t and --duration, or --clip_timestamps".to_owned()),
            false => Ok(()),
        }
    }

    /// Puts the flags into the library's options.
    pub fn apply(&self, options: &mut TranscribeOptions) {
        options.task = match self.task {
            TaskName::Transcribe => Task::Transcribe,
            TaskName::Translate => Task::Translate,
        };
        options.language = self.language.0.map(str::to_owned);
        options.clip_timestamps = self.clips();
        options.multilingual = self.multilingual;
        options.language_detection_threshold = self.language_detection_threshold.0;
        options.language_detection_segments = self.language_detection_segments;
    }

    /// Starts and ends of the parts to transcribe, in seconds.
    fn clips(&self) -> Vec<f64> {
        let duration = self.duration.0.filter(|&duration| duration > 0);
        if self.offset_t.0.is_none() && duration.is_none() {
            return self.clip_timestamps.0.clone();
        }
        let seconds = |milliseconds: usize| milliseconds as f64 / 1000.0;
        let start = self.offset_t.0.unwrap_or(0);
        let end = duration.map(|duration| start.saturating_add(duration));
        [Some(start), end]
            .into_iter()
            .flatten()
            .map(seconds)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::transcribe;

    #[test]
    fn an_offset_and_a_duration_are_a_clip() {
        let clips = |flags: &[&str]| transcribe(flags).unwrap().options().clip_timestamps;
        assert_eq!(clips(&["-ot", "1500", "-d", "2000"]), [1.5, 3.5]);
        assert_eq!(clips(&["-ot", "1500"]), [1.5]);
        assert_eq!(clips(&["-d", "2000"]), [0.0, 2.0]);
        assert_eq!(clips(&["-d", "0"]), [0.0]);
        assert_eq!(
            clips(&["-ot", "1500", "--clip_timestamps", "0", "-d", "None"]),
            [1.5]
        );
        let message = transcribe(&["-ot", "1", "--clip_timestamps", "1"]).unwrap_err();
        assert!(message.contains("or --clip_timestamps"), "{message}");
    }

    #[test]
    fn smoothing_is_off_unless_asked_for() {
        let smoothing =
            |flags: &[&str]| Smoothing::from(transcribe(flags).unwrap().engine.speech.smoothing);
        assert_eq!(smoothing(&[]), Smoothing::Off);
        assert_eq!(smoothing(&["--smoothing", "none"]), Smoothing::Off);
        let average = smoothing(&["--smoothing", "average3x3"]);
        assert_eq!(average, Smoothing::Average3x3);
        let message = transcribe(&["--smoothing", "gauss"]).unwrap_err();
        assert!(message.contains("average3x3"), "{message}");
    }

    #[test]
    fn samples_are_left_as_they_are_unless_asked_for() {
        let normalisation = |flags: &[&str]| {
            Normalisation::from(transcribe(flags).unwrap().engine.speech.normalise)
        };
        assert_eq!(normalisation(&[]), Normalisation::Off);
        assert_eq!(normalisation(&["--normalise", "peak"]), Normalisation::Peak);
        assert_eq!(normalisation(&["--normalize", "rms"]), Normalisation::Rms);
    }
}
