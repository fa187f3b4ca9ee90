//! Transcripts as files and lines of text, as openai/whisper writes them.

mod atomic;
mod json;
mod python_json;
mod timestamp;
mod txt;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub use atomic::write_atomically;
pub use json::Json;
pub use timestamp::{format_timestamp, segment_line};
pub use txt::Txt;

use crate::error::{Error, Result};
use crate::transcribe::Transcript;

/// Writes transcripts in one format.
pub trait Writer {
    /// The ending of the format's files, and its name on the command line: `"txt"`.
    fn extension(&self) -> &'static str;

    /// Writes the whole transcript.
    ///
    /// # Errors
    ///
    /// What `out` fails with.
    fn write(&self, transcript: &Transcript, out: &mut dyn Write) -> io::Result<()>;
}

/// All formats, in the order in which messages list them.
const WRITERS: [&(dyn Writer + Sync); 2] = [&Txt, &Json];

/// The writer of a format given by its name.
///
/// # Errors
///
/// [`Error::Option`] that lists the formats there are.
pub fn writer(format: &str) -> Result<&'static dyn Writer> {
    match WRITERS
        .into_iter()
        .find(|writer| writer.extension() == format)
    {
        Some(writer) => Ok(writer),
        None => {
            let known: Vec<&str> = formats().collect();
            Err(Error::Option(format!(
                "output format '{format}' is not known; give one of {}",
                known.join(", ")
            )))
        }
    }
}

/// The names of all formats.
pub fn formats() -> impl Iterator<Item = &'static str> {
    WRITERS.into_iter().map(Writer::extension)
}

/// Writes the transcript of `audio` into `folder`, which is made if need be, as `folder/audio.txt` for `audio.wav`
/// (openai/whisper utils.py:88-99), and returns the file's path.
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
    let mut name = audio.file_stem().unwrap_or(audio.as_os_str()).to_owned();
    name.push(".");
    name.push(writer.extension());
    let path = folder.join(name);
    write_atomically(&path, |out| writer.write(transcript, out))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_by_name() {
        for format in formats() {
            assert_eq!(writer(format).unwrap().extension(), format);
        }
        let message = writer("docx").err().unwrap().to_string();
        assert_eq!(
            message,
            "output format 'docx' is not known; give one of txt, json"
        );
    }
}
