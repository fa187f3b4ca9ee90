//! What transcribing the clips of a manifest gave, kept clip by clip, so that a run that was stopped can go on.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::Clip;
use crate::error::{Error, Result};
use crate::transcribe::Transcript;

/// What transcribing a clip took and gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// The clip's name in its manifest.
    pub file: String,
    /// Length of the audio, in seconds.
    pub audio_seconds: f64,
    /// Time from the file to the transcript, in seconds.
    pub seconds: f64,
    /// Most memory of the process meanwhile, the model's among it; where the system tells.
    pub peak_host_bytes: Option<u64>,
    /// The transcript.
    pub transcript: Transcript,
}

impl Record {
    /// Of the clip that its manifest calls `file`, without a figure of memory; both times in seconds.
    pub fn new(
        file: impl Into<String>,
        audio_seconds: f64,
        seconds: f64,
        transcript: Transcript,
    ) -> Self {
        Self {
            file: file.into(),
            audio_seconds,
            seconds,
            peak_host_bytes: None,
            transcript,
        }
    }
}

/// A line of a [`RecordFile`].
#[derive(Serialize, Deserialize)]
struct Line {
    /// What the record was made with.
    run: String,
    /// What the clip's file was: its length in bytes, and when it was last written to.
    version: (u64, u64),
    record: Record,
}

/// A file of records, a line of JSON each, that grows with every clip. A line counts for the run that wrote it and for the clip as it
/// was then: other models and options, and files that have changed, are no matter.
#[derive(Debug)]
pub struct RecordFile {
    path: PathBuf,
    file: File,
    /// Names what the records are made with.
    run: String,
    known: HashMap<String, ((u64, u64), Record)>,
}

impl RecordFile {
    /// Opens the file, or makes it and its folder, for records of `run`, which names all that a transcript depends on but the
    /// clip. With `resume` what is in it is kept, and what of it is of this run is found again; a last line that was cut off is
    /// removed.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when it cannot be read or written.
    pub fn open(path: impl Into<PathBuf>, run: &str, resume: bool) -> Result<Self> {
        let path = path.into();
        let failed = |source: io::Error| Error::Io {
            path: path.clone(),
            source,
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut file = File::options()
            .create(true)
            .read(true)
            .write(true)
            .truncate(!resume)
            .open(&path)
            .map_err(failed)?;
        let mut text = Vec::new();
        io::Read::read_to_end(&mut file, &mut text).map_err(failed)?;
        let whole = text
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        file.set_len(whole as u64)
            .and_then(|()| file.seek(SeekFrom::End(0)))
            .map_err(failed)?;
        let lines = text[..whole].split(|&byte| byte == b'\n');
        // What is no line of this version of the program is none of this run.
        let lines = lines.filter_map(|line| serde_json::from_slice::<Line>(line).ok());
        let known = lines
            .filter(|line| line.run == run)
            .map(|line| (line.record.file.clone(), (line.version, line.record)));
        Ok(Self {
            known: known.collect(),
            run: run.to_owned(),
            path,
            file,
        })
    }

    /// The record of a clip whose file is as it was.
    pub fn find(&self, clip: &Clip) -> Option<&Record> {
        let (version, record) = self.known.get(&clip.name)?;
        (file_version(&clip.path)? == *version).then_some(record)
    }

    /// Adds the record of a clip. When this returns, it is on the disk.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when it cannot be written.
    pub fn add(&mut self, clip: &Clip, record: &Record) -> Result<()> {
        let Some(version) = file_version(&clip.path) else {
            return Ok(());
        };
        let line = Line {
            run: self.run.clone(),
            version,
            record: record.clone(),
        };
        let mut json = serde_json::to_vec(&line).map_err(|error| self.failed(error.into()))?;
        json.push(b'\n');
        let written = self.file.write_all(&json);
        written
            .and_then(|()| self.file.sync_data())
            .map_err(|error| self.failed(error))
    }

    /// Removes the file: every clip is done.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when it cannot be removed.
    pub fn remove(self) -> Result<()> {
        fs::remove_file(&self.path).map_err(|error| self.failed(error))
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Io {
            path: self.path.clone(),
            source,
        }
    }
}

/// Length and time of last change, in nanoseconds, by which a file is known to be the same; none where it is not there.
fn file_version(path: &Path) -> Option<(u64, u64)> {
    let metadata = fs::metadata(path).ok()?;
    let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some((metadata.len(), modified.as_nanos() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Speech;

    fn clip(folder: &Path, name: &str) -> Clip {
        let path = folder.join(name);
        fs::write(&path, name).unwrap();
        Clip {
            name: name.to_owned(),
            path,
            transcript: None,
            speech: Speech::Unknown,
        }
    }

    fn record(clip: &Clip, text: &str) -> Record {
        Record {
            file: clip.name.clone(),
            audio_seconds: 1.0,
            seconds: 0.1,
            peak_host_bytes: Some(3),
            transcript: Transcript::new(text.to_owned(), Vec::new(), "en".to_owned()),
        }
    }

    #[test]
    fn a_run_goes_on_with_what_it_had_done_and_no_other_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/records.jsonl");
        let [a, b] = ["a.wav", "b.wav"].map(|name| clip(folder.path(), name));
        let mut file = RecordFile::open(&path, "base", true).unwrap();
        assert_eq!(file.find(&a), None);
        file.add(&a, &record(&a, " one")).unwrap();
        file.add(&b, &record(&b, " two")).unwrap();
        drop(file);
        let whole = fs::read(&path).unwrap();
        // Killed while the second line was written.
        fs::write(&path, &whole[..whole.len() - 9]).unwrap();

        let mut file = RecordFile::open(&path, "base", true).unwrap();
        assert_eq!(file.find(&a), Some(&record(&a, " one")));
        assert_eq!(file.find(&b), None);
        file.add(&b, &record(&b, " two")).unwrap();
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), whole);

        let other = RecordFile::open(&path, "base, beam of 5", true).unwrap();
        assert_eq!(other.find(&a), None);
        fs::write(&b.path, "another recording").unwrap();
        let file = RecordFile::open(&path, "base", true).unwrap();
        assert!(file.find(&a).is_some() && file.find(&b).is_none());
        file.remove().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_run_that_does_not_go_on_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records.jsonl");
        let a = clip(folder.path(), "a.wav");
        let mut file = RecordFile::open(&path, "base", false).unwrap();
        file.add(&a, &record(&a, " one")).unwrap();
        let file = RecordFile::open(&path, "base", false).unwrap();
        assert_eq!(file.find(&a), None);
        assert_eq!(fs::read(&path).unwrap(), b"");
        let error = RecordFile::open(a.path.join("x"), "base", false).unwrap_err();
        assert!(error.to_string().contains("a.wav"));
    }
}
