//! The files that a run writes: where, under which names, in which formats.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use whisper_rs::Transcript;
use whisper_rs::output::{self, Writer};

use super::arguments::OutputFormat;

/// The name of standard input on the command line.
pub const STANDARD_INPUT: &str = "-";

/// Where transcripts go as files.
pub struct Outputs {
    folder: PathBuf,
    writers: Vec<&'static dyn Writer>,
}

impl Outputs {
    /// Readies the folder, or returns None when no file was asked for.
    ///
    /// # Errors
    ///
    /// A message when nothing can be written there, so that this is known before the long work.
    pub fn open(
        folder: Option<&Path>,
        format: Option<OutputFormat>,
    ) -> Result<Option<Self>, String> {
        if folder.is_none() && format.is_none() {
            return Ok(None);
        }
        let folder = folder.unwrap_or(Path::new("."));
        let writers = format.unwrap_or(OutputFormat::All).writers()?;
        if folder.exists() && !folder.is_dir() {
            let folder = folder.display();
            return Err(format!(
                "{folder}: is not a folder; choose another --output_dir"
            ));
        }
        fs::create_dir_all(folder)
            .and_then(|()| tempfile::tempfile_in(folder))
            .map_err(|error| {
                let folder = folder.display();
                format!("{folder}: cannot write here: {error}; choose another --output_dir")
            })?;
        Ok(Some(Outputs {
            folder: folder.to_owned(),
            writers,
        }))
    }

    /// Pairs of inputs whose output files have the same names, as `a/talk.mp3` and `b/talk.wav`.
    pub fn collisions<'a>(&self, inputs: &'a [PathBuf]) -> Vec<(&'a Path, &'a Path)> {
        let mut first_with_stem: HashMap<OsString, &Path> = HashMap::new();
        let mut collisions = Vec::new();
        for input in inputs {
            let named = named_after(input);
            let stem = named.file_stem().unwrap_or(named.as_os_str());
            let first = *first_with_stem.entry(stem.to_owned()).or_insert(input);
            if first != input.as_path() {
                collisions.push((first, input.as_path()));
            }
        }
        collisions
    }

    /// Writes the transcript of `input` in each format asked for, each file whole or not at all.
    pub fn write(&self, input: &Path, transcript: &Transcript) -> Result<(), String> {
        for &writer in &self.writers {
            output::save(transcript, writer, named_after(input), &self.folder)
                .map_err(|error| format!("{error}; choose another --output_dir"))?;
        }
        Ok(())
    }
}

/// The path whose name the output files take.
fn named_after(input: &Path) -> &Path {
    if input == Path::new(STANDARD_INPUT) {
        return Path::new("stdin");
    }
    input
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_unless_asked_for() {
        assert!(Outputs::open(None, None).unwrap().is_none());
    }

    #[test]
    fn a_folder_alone_means_all_formats() {
        let folder = tempfile::tempdir().unwrap();
        let outputs = Outputs::open(Some(folder.path()), None).unwrap().unwrap();
        let extensions: Vec<_> = outputs.writers.iter().map(|w| w.extension()).collect();
        assert_eq!(extensions, ["txt", "json"]);
    }

    #[test]
    fn inputs_of_the_same_name_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let outputs = Outputs::open(Some(folder.path()), None).unwrap().unwrap();
        let inputs = ["a/talk.wav", "b/talk.mp3", "b/other.wav", "a/talk.wav"].map(PathBuf::from);
        let (first, second) = (Path::new("a/talk.wav"), Path::new("b/talk.mp3"));
        assert_eq!(outputs.collisions(&inputs), [(first, second)]);
    }

    #[test]
    fn a_folder_is_made_and_one_that_cannot_be_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("new/deep");
        assert!(Outputs::open(Some(&made), None).unwrap().is_some());
        assert!(made.is_dir());
        assert_eq!(
            fs::read_dir(&made).unwrap().count(),
            0,
            "the trial leaves nothing behind"
        );

        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        for (path, says) in [
            (file.clone(), "is not a folder"),
            (file.join("below"), "cannot write"),
        ] {
            let message = Outputs::open(Some(&path), None).err().unwrap();
            assert!(message.contains(says), "{message}");
        }
    }
}
