//! The flags about what is written: where, in which formats, and how subtitles break their lines.

use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use whisper_rs::output::{self, FormatOptions, SubtitleOptions, Writer};

use super::heading;
use super::values::{self, Optional};

/// The name of standard output on the command line.
const STANDARD_OUTPUT: &str = "-";
/// What `--output_format` takes for all formats of openai/whisper.
const ALL: &str = "all";

/// Where transcripts go.
#[derive(Debug, clap::Args)]
#[command(rename_all = "snake_case")]
pub struct OutputFlags {
    /// Folder for the output files, or - for standard output; without it and --output_format no file is written
    #[arg(short, long, value_name = "DIR", help_heading = heading::OUTPUT)]
    pub output_dir: Option<PathBuf>,

    /// Formats to write, with commas between; all is txt, vtt, srt, tsv and json [default with --output_dir: all]
    #[arg(
        short = 'f',
        long,
        value_parser = PossibleValuesParser::new(output::FORMATS.into_iter().chain([ALL])),
        value_delimiter = ',',
        value_name = "FORMATS",
        help_heading = heading::OUTPUT,
    )]
    pub output_format: Vec<String>,

    /// Indent json and json-full, and write letters beyond ASCII as they are
    #[arg(
        short = 'p',
        long,
        value_parser = values::boolean,
        num_args = 0..=1,
        default_value = "False",
        default_missing_value = "True",
        value_name = values::BOOLEAN,
        help_heading = heading::OUTPUT,
        hide_short_help = true,
    )]
    pub pretty_json: bool,

    /// With --word_timestamps: underline each word while it is spoken in srt and vtt, and give each its time in lrc
    #[arg(
        long,
        value_parser = values::boolean,
        num_args = 0..=1,
        default_value = "False",
        default_missing_value = "True",
        value_name = values::BOOLEAN,
        help_heading = heading::OUTPUT,
    )]
    pub highlight_words: bool,

    /// With --word_timestamps: characters in a line of a subtitle
    #[arg(
        long,
        value_parser = values::optional_whole_number,
        default_value = "None",
        value_name = "N",
        allow_hyphen_values = true,
        help_heading = heading::OUTPUT,
    )]
    pub max_line_width: Optional<usize>,

    /// With --word_timestamps and --max_line_width: lines in a subtitle
    #[arg(
        long,
        value_parser = values::optional_whole_number,
        default_value = "None",
        value_name = "N",
        allow_hyphen_values = true,
        help_heading = heading::OUTPUT,
    )]
    pub max_line_count: Optional<usize>,

    /// With --word_timestamps and without --max_line_width: words in a subtitle
    #[arg(
        long,
        value_parser = values::optional_whole_number,
        default_value = "None",
        value_name = "N",
        allow_hyphen_values = true,
        help_heading = heading::OUTPUT,
        hide_short_help = true,
    )]
    pub max_words_per_line: Optional<usize>,
}

/// A place that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    Folder(&'a Path),
    StandardOutput,
}

impl OutputFlags {
    /// Refuses what needs words when there are none (openai/whisper transcribe.py, `cli`), and what one stream cannot
    /// hold.
    pub fn check(&self, word_timestamps: bool) -> Result<(), clap::Error> {
        let refuse = |message: String| Err(clap::Error::raw(ErrorKind::ValueValidation, message));
        if !word_timestamps && let Some(flag) = self.word_flags().next() {
            return refuse(format!("--{flag} requires --word_timestamps True"));
        }
        let formats = self.formats();
        if self.place() == Some(Place::StandardOutput) && formats.len() != 1 {
            return refuse(format!(
                "--output_dir - writes one format to standard output; give --output_format one of {}",
                output::FORMATS.join(", ")
            ));
        }
        Ok(())
    }

    /// The flags that are set and have no effect without words, in the order in which openai/whisper looks at them.
    fn word_flags(&self) -> impl Iterator<Item = &'static str> {
        let set = |limit: Optional<usize>| limit.0.is_some_and(|limit| limit > 0);
        [
            ("highlight_words", self.highlight_words),
            ("max_line_count", set(self.max_line_count)),
            ("max_line_width", set(self.max_line_width)),
            ("max_words_per_line", set(self.max_words_per_line)),
        ]
        .into_iter()
        .filter_map(|(flag, set)| set.then_some(flag))
    }

    /// What flags will not do as they seem to (openai/whisper transcribe.py, `cli`).
    pub fn warnings(&self) -> impl Iterator<Item = &'static str> {
        let set: Vec<_> = self.word_flags().collect();
        let width = set.contains(&"max_line_width");
        let count = !width && set.contains(&"max_line_count");
        let words = width && set.contains(&"max_words_per_line");
        [
            count.then_some("--max_line_count has no effect without --max_line_width"),
            words.then_some("--max_words_per_line has no effect with --max_line_width"),
        ]
        .into_iter()
        .flatten()
    }

    /// Where to write, if anywhere.
    pub fn place(&self) -> Option<Place<'_>> {
        match &self.output_dir {
            Some(folder) if folder == Path::new(STANDARD_OUTPUT) => Some(Place::StandardOutput),
            Some(folder) => Some(Place::Folder(folder)),
            None if self.output_format.is_empty() => None,
            None => Some(Place::Folder(Path::new("."))),
        }
    }

    /// The formats asked for, each once.
    fn formats(&self) -> Vec<&str> {
        let asked = self.output_format.iter().map(String::as_str);
        // A folder alone asks for all.
        let asked = asked.chain(self.output_format.is_empty().then_some(ALL));
        let mut formats: Vec<&str> = Vec::new();
        for format in asked {
            let one = [format];
            let meant = match format {
                ALL => output::OPENAI_FORMATS.as_slice(),
                _ => &one,
            };
            for format in meant {
                if !formats.contains(format) {
                    formats.push(format);
                }
            }
        }
        formats
    }

    /// The writers of the formats asked for.
    pub fn writers(&self) -> Result<Vec<Box<dyn Writer>>, whisper_rs::Error> {
        let options = FormatOptions {
            subtitles: SubtitleOptions {
                max_line_width: self.max_line_width.0,
                max_line_count: self.max_line_count.0,
                max_words_per_line: self.max_words_per_line.0,
                highlight_words: self.highlight_words,
            },
            pretty_json: self.pretty_json,
        };
        (self.formats().into_iter())
            .map(|format| output::writer(format, &options))
            .collect()
    }
}
