//! The flags about what is written: where, in which formats, and how subtitles break their lines.

use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use whisper_rs::output::{self, FormatOptions, Writer};

use super::heading;
use super::values::{self, Optional};

/// The name of standard output on the command line.
const STANDARD_OUTPUT: &str = "-";
/// What `--output_format` takes for all formats of openai/whisper.
const ALL: &str = "all";

/// Where transcripts go.
#[derive(Debug, clap::Args)]
#[command(rename_all = "snake_case", next_help_heading = heading::OUTPUT)]
pub struct OutputFlags {
    /// Folder for the output files, or - for standard output; without it and --output_format no file is written
    #[arg(short, long, default_value = "None", value_name = "DIR")]
    output_dir: Optional<PathBuf>,

    /// Formats to write, with commas between; all is txt, vtt, srt, tsv and json [default with --output_dir: all]
    #[arg(
        short = 'f',
        long,
        value_parser = PossibleValuesParser::new(output::FORMATS.into_iter().chain([ALL])),
        value_delimiter = ',',
        value_name = "FORMATS",
    )]
    output_format: Vec<String>,

    /// Name of an input's output files, without their ending, in the place of its own; the n-th is the n-th input's
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    output_file: Vec<PathBuf>,

    /// Indent json and json-full, and write letters beyond ASCII as they are
    #[arg(short = 'p', long, hide_short_help = true)]
    pretty_json: bool,

    /// With --word_timestamps: underline each word while it is spoken in srt and vtt, and give each its time in lrc
    #[arg(long)]
    highlight_words: bool,

    /// With --word_timestamps: characters in a line of a subtitle
    #[arg(long, default_value = "None", value_name = "N")]
    max_line_width: Optional<usize>,

    /// With --word_timestamps and --max_line_width: lines in a subtitle
    #[arg(long, default_value = "None", value_name = "N")]
    max_line_count: Optional<usize>,

    /// With --word_timestamps and without --max_line_width: words in a subtitle
    #[arg(long, default_value = "None", value_name = "N", hide_short_help = true)]
    max_words_per_line: Optional<usize>,

    /// Number that the numbers of subtitles in srt begin behind
    #[arg(
        long,
        value_parser = values::whole_number,
        default_value = "0",
        value_name = "N",
        hide_short_help = true,
    )]
    offset_n: usize,
}

/// A place that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// Files in this folder, named after their inputs.
    Folder(&'a Path),
    /// Files of these names, one an input, in this folder unless they have one of their own.
    Names(&'a Path, &'a [PathBuf]),
    StandardOutput,
}

impl OutputFlags {
    /// Whether each input's outputs have a name of their own.
    pub fn names_each(&self) -> bool {
        !self.output_file.is_empty()
    }

    /// Refuses what needs words when there are none (openai/whisper transcribe.py, `cli`), and what one stream cannot
    /// hold.
    pub fn check(&self, word_timestamps: bool) -> Result<(), String> {
        if !word_timestamps && let Some(flag) = self.word_flags().next() {
            return Err(format!("--{flag} requires --word_timestamps True"));
        }
        let formats = self.formats();
        if self.place() == Some(Place::StandardOutput) && formats.len() != 1 {
            return Err(format!(
                "- as --output_dir or --output_file writes one format to standard output; give --output_format one of {}",
                output::FORMATS.join(", ")
            ));
        }
        let folder = self.output_dir.0.as_deref();
        if folder == Some(Path::new(STANDARD_OUTPUT)) && self.names_each() {
            return Err("--output_dir - writes to standard output, --output_file to a file; leave one of them out".to_owned());
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
        let standard_output = Path::new(STANDARD_OUTPUT);
        let folder = self.output_dir.0.as_deref();
        match (folder, self.output_file.as_slice()) {
            (Some(folder), _) if folder == standard_output => Some(Place::StandardOutput),
            (None, [name]) if name == standard_output => Some(Place::StandardOutput),
            (_, names @ [_, ..]) => Some(Place::Names(folder.unwrap_or(Path::new(".")), names)),
            (Some(folder), []) => Some(Place::Folder(folder)),
            (None, []) if self.output_format.is_empty() => None,
            (None, []) => Some(Place::Folder(Path::new("."))),
        }
    }

    /// Whether there will be files.
    pub fn writes_files(&self) -> bool {
        !matches!(self.place(), None | Some(Place::StandardOutput))
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
        let mut options = FormatOptions::default();
        options.subtitles.max_line_width = self.max_line_width.0;
        options.subtitles.max_line_count = self.max_line_count.0;
        options.subtitles.max_words_per_line = self.max_words_per_line.0;
        options.subtitles.highlight_words = self.highlight_words;
        options.pretty_json = self.pretty_json;
        options.offset_n = self.offset_n;
        (self.formats().into_iter())
            .map(|format| output::writer(format, &options))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::transcribe;

    #[test]
    fn standard_output_is_one_format_and_no_file() {
        let refusal = |flags: &str| {
            let flags: Vec<_> = flags.split(' ').collect();
            transcribe(&flags).unwrap_err()
        };
        assert!(refusal("-o -").contains("one format"));
        assert!(refusal("--output_file -").contains("--output_file writes one format"));
        assert!(refusal("-o - -f srt --output_file x").contains("leave one of them out"));
    }

    #[test]
    fn flags_for_lines_of_words_need_words() {
        for flags in [
            ["--max_line_width", "40"],
            ["--max_line_count", "2"],
            ["--max_words_per_line", "3"],
            ["--highlight_words", "True"],
        ] {
            let message = transcribe(&flags).unwrap_err();
            assert_eq!(
                message,
                format!("{} requires --word_timestamps True", flags[0])
            );
            let words = [&flags[..], &["--word_timestamps", "True"]].concat();
            assert!(transcribe(&words).is_ok(), "{flags:?}");
        }
        for flags in [
            ["--max_line_width", "None"],
            ["--max_line_count", "0"],
            ["--highlight_words", "False"],
        ] {
            assert!(transcribe(&flags).is_ok(), "{flags:?}");
        }
        let warnings = |flags: &str| -> Vec<_> {
            let flags: Vec<_> = flags.split(' ').collect();
            transcribe(&flags).unwrap().output.warnings().collect()
        };
        let told = warnings("--word_timestamps True --max_line_count 2");
        assert_eq!(
            told,
            ["--max_line_count has no effect without --max_line_width"]
        );
        let told = warnings("--word_timestamps True --max_words_per_line 2 --max_line_width 20");
        assert_eq!(
            told,
            ["--max_words_per_line has no effect with --max_line_width"]
        );
        assert!(
            warnings("--word_timestamps True --max_line_count 2 --max_line_width 20").is_empty()
        );
    }
}
