//! Transcripts as files and lines of text, in the formats of openai/whisper and others.

mod ass;
mod atomic;
mod centiseconds;
mod csv;
mod json;
mod json_full;
mod jsonl;
mod lrc;
mod python_json;
mod srt;
mod subtitles;
#[cfg(test)]
mod testing;
mod timestamp;
mod tsv;
mod txt;
mod vtt;

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub use ass::Ass;
pub use atomic::{GrowingFile, PARTIAL, Unfinished, partial_path, write_atomically};
pub use csv::Csv;
pub use json::Json;
pub use json_full::JsonFull;
pub use jsonl::Jsonl;
pub use lrc::Lrc;
pub use srt::Srt;
pub use subtitles::SubtitleOptions;
pub use timestamp::{format_timestamp, segment_line};
pub use tsv::Tsv;
pub use txt::Txt;
pub use vtt::Vtt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::transcribe::{Segment, Transcript};

/// Writes transcripts in one format.
pub trait Writer: Send + Sync {
    /// The format's name on the command line: `"srt"`.
    fn name(&self) -> &'static str;

    /// The ending of the format's files, which is its name for most.
    fn extension(&self) -> &'static str {
        self.name()
    }

    /// Writes the whole transcript.
    ///
    /// # Errors
    ///
    /// What `out` fails with.
    fn write(&self, transcript: &Transcript, out: &mut dyn Write) -> io::Result<()>;

    /// The format as one that is nothing but its segments one after the other, if it is: such a one can be written
    /// while the segments come.
    fn by_segment(&self) -> Option<&dyn SegmentWriter> {
        None
    }
}

/// Writes the segments of a transcript one by one.
pub trait SegmentWriter {
    /// Writes the next segment.
    ///
    /// # Errors
    ///
    /// What `out` fails with.
    fn write_segment(&self, segment: &Segment, out: &mut dyn Write) -> io::Result<()>;
}

/// How formats write what can be written in more than one way.
///
/// More fields may come: begin with the default one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct FormatOptions {
    /// Which words and lines make up a subtitle, in srt, vtt, lrc and ass.
    pub subtitles: SubtitleOptions,
    /// Break lines and indent in json and json-full.
    pub pretty_json: bool,
    /// Number that the numbers of subtitles in srt begin behind.
    pub offset_n: usize,
}

/// The names of all formats, in the order in which messages list them.
pub const FORMATS: [&str; 10] = [
    "txt",
    "vtt",
    "srt",
    "tsv",
    "json",
    "json-full",
    "jsonl",
    "csv",
    "lrc",
    "ass",
];

/// The formats that openai/whisper has, and writes when asked for all.
pub const OPENAI_FORMATS: [&str; 5] = ["txt", "vtt", "srt", "tsv", "json"];

/// The writer of a format given by its name.
///
/// # Errors
///
/// [`Error::Option`] that lists the formats there are.
pub fn writer(format: &str, options: &FormatOptions) -> Result<Box<dyn Writer>> {
    let (subtitles, pretty) = (options.subtitles, options.pretty_json);
    Ok(match format {
        "txt" => Box::new(Txt),
        "vtt" => Box::new(Vtt(subtitles)),
        "srt" => Box::new(Srt {
            subtitles,
            offset_n: options.offset_n,
        }),
        "tsv" => Box::new(Tsv),
        "json" => Box::new(Json { pretty }),
        "json-full" => Box::new(JsonFull { pretty }),
        "jsonl" => Box::new(Jsonl),
        "csv" => Box::new(Csv),
        "lrc" => Box::new(Lrc(subtitles)),
        "ass" => Box::new(Ass(subtitles)),
        _ => {
            return Err(Error::Option(format!(
                "output format '{format}' is not known; give one of {}",
                FORMATS.join(", ")
            )));
        }
    })
}

/// Writes the transcript of `audio` into `folder`, which is made if need be, as `folder/audio.txt` for `audio.wav`
/// (openai/whisper utils.py:80-93), and returns the file's path.
///
/// # Errors
///
/// [`Error::Io`] with the file or folder that could not be written; what was there before is then left as it was.
pub fn save(
    transcript: &Transcript,
    writer: &dyn Writer,
    audio: &Path,
    folder: &Path,
) -> Result<PathBuf> {
    std::fs::create_dir_all(folder).map_err(|source| Error::Io {
        path: folder.to_owned(),
        source,
    })?;
    let stem = audio.file_stem().unwrap_or(audio.as_os_str());
    let path = folder.join(file_name(stem, writer.extension()));
    write_atomically(&path, |out| writer.write(transcript, out))?;
    Ok(path)
}

/// Bytes that a file's name may have on the usual file systems.
const LONGEST_NAME: usize = 255;

/// `stem.extension`, the stem cut where the name would be too long for a file.
pub fn file_name(stem: &OsStr, extension: &str) -> OsString {
    let room = LONGEST_NAME - 1 - extension.len().min(LONGEST_NAME - 1);
    let mut name = match stem.to_str() {
        Some(text) if text.len() > room => OsString::from(&text[..text.floor_char_boundary(room)]),
        _ => stem.to_owned(),
    };
    name.push(".");
    name.push(extension);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_by_name() {
        let options = FormatOptions::default();
        let mut extensions = Vec::new();
        for format in FORMATS {
            let writer = writer(format, &options).unwrap();
            assert_eq!(writer.name(), format);
            extensions.push(writer.extension());
        }
        extensions.sort_unstable();
        extensions.dedup();
        assert_eq!(
            extensions.len(),
            FORMATS.len(),
            "no two write the same file"
        );
        let message = writer("docx", &options).err().unwrap().to_string();
        assert_eq!(
            message,
            "output format 'docx' is not known; give one of txt, vtt, srt, tsv, json, json-full, jsonl, csv, lrc, ass"
        );
    }

    #[test]
    fn a_segment_at_a_time_gives_the_same_file() {
        let transcript = testing::spoken();
        for format in FORMATS {
            let writer = writer(format, &FormatOptions::default()).unwrap();
            let Some(by_segment) = writer.by_segment() else {
                continue;
            };
            let mut out = Vec::new();
            for segment in &transcript.segments {
                by_segment.write_segment(segment, &mut out).unwrap();
            }
            assert_eq!(
                String::from_utf8(out).unwrap(),
                testing::written(writer.as_ref(), &transcript)
            );
        }
    }

    #[test]
    fn options_are_read_as_they_are_written() {
        let mut options = FormatOptions::default();
        options.subtitles.max_line_width = Some(42);
        options.offset_n = 7;
        let text = serde_json::to_string(&options).unwrap();
        assert_eq!(
            serde_json::from_str::<FormatOptions>(&text).unwrap(),
            options
        );
        let partly = r#"{"subtitles": {"max_line_width": 42}, "offset_n": 7}"#;
        assert_eq!(
            serde_json::from_str::<FormatOptions>(partly).unwrap(),
            options
        );
        assert!(serde_json::from_str::<FormatOptions>(r#"{"pretty": true}"#).is_err());
    }

    #[test]
    fn names_are_no_longer_than_a_file_system_takes() {
        assert_eq!(
            file_name(OsStr::new("talk.of.1961"), "txt"),
            "talk.of.1961.txt"
        );
        let long = file_name(OsStr::new(&"é".repeat(200)), "full.json");
        assert_eq!(long.len(), 254, "no letter is cut in two");
        assert!(long.to_str().unwrap().ends_with("é.full.json"));
    }
}
