//! The files that a run writes: where, under which names, in which formats.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use whisper_rs::{Transcript, output};

use super::arguments::OutputFormat;

/// The name of standard input on the command line.
pub const STANDARD_INPUT: &str = "-";

/// The formats that exist, with their file name extensions.
const FORMATS: &[(OutputFormat, &str)] =
    &[(OutputFormat::Txt, "txt"), (OutputFormat::Json, "json")];

/// Where transcripts go as files.
#[derive(Debug)]
pub struct Outputs {
    folder: PathBuf,
    format: OutputFormat,
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
        fs::create_dir_all(folder)
            .and_then(|()| tempfile::tempfile_in(folder))
            .map_err(|error| {
                format!(
                    "{}: cannot write here: {error}; choose another --output_dir",
                    folder.display()
                )
            })?;
        Ok(Some(Outputs {
            folder: folder.to_owned(),
            format: format.unwrap_or(OutputFormat::All),
        }))
    }

    /// Pairs of inputs whose output files would have the same names, such as `a/talk.mp3` and `b/talk.wav`.
    pub fn collisions<'a>(&self, inputs: &'a [PathBuf]) -> Vec<(&'a Path, &'a Path)> {
        let mut first_with_stem: HashMap<OsString, &Path> = HashMap::new();
        let mut collisions = Vec::new();
        for input in inputs {
            let first = *first_with_stem.entry(stem(input)).or_insert(input);
            if first != input.as_path() {
                collisions.push((first, input.as_path()));
            }
        }
        collisions
    }

    /// Writes the transcript of `input` in each format asked for. A file appears whole or not at all.
    pub fn write(&self, input: &Path, transcript: &Transcript) -> Result<(), String> {
        for &(format, extension) in FORMATS {
            if self.format != format && self.format != OutputFormat::All {
                continue;
            }
            let path = self.path(input, extension);
            let text = match format {
                OutputFormat::Json => output::json(transcript),
                _ => output::txt(transcript),
            };
            write_whole(&path, text.as_bytes()).map_err(|error| {
                format!(
                    "{}: cannot be written: {error}; free the name or choose another --output_dir",
                    path.display()
                )
            })?;
        }
        Ok(())
    }

    /// The input's name without its folder and extension, in the output folder (openai/whisper `utils.py`,
    /// `ResultWriter`).
    fn path(&self, input: &Path, extension: &str) -> PathBuf {
        let mut name = stem(input);
        name.push(".");
        name.push(extension);
        self.folder.join(name)
    }
}

fn stem(input: &Path) -> OsString {
    if input == Path::new(STANDARD_INPUT) {
        return "stdin".into();
    }
    input
        .file_stem()
        .unwrap_or(OsStr::new("transcript"))
        .to_owned()
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    // As any new file, and not private as temporary files are: the user's umask decides.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.prefix(".whisper-rs-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_unless_asked_for() {
        assert!(Outputs::open(None, None).unwrap().is_none());
    }

    #[test]
    fn outputs_are_named_after_their_input() {
        let outputs = Outputs {
            folder: "out".into(),
            format: OutputFormat::All,
        };
        for (input, name) in [
            ("a/talk.wav", "out/talk.json"),
            ("talk.part.1.mp3", "out/talk.part.1.json"),
            ("/talk", "out/talk.json"),
            (".wav", "out/.wav.json"),
            ("-", "out/stdin.json"),
        ] {
            assert_eq!(
                outputs.path(Path::new(input), "json"),
                Path::new(name),
                "{input}"
            );
        }
    }

    #[test]
    fn inputs_of_the_same_name_are_told() {
        let outputs = Outputs {
            folder: ".".into(),
            format: OutputFormat::Txt,
        };
        let inputs = ["a/talk.wav", "b/talk.mp3", "b/other.wav", "a/talk.wav"].map(PathBuf::from);
        assert_eq!(
            outputs.collisions(&inputs),
            [(Path::new("a/talk.wav"), Path::new("b/talk.mp3"))]
        );
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
        for path in [file.clone(), file.join("below")] {
            let message = Outputs::open(Some(&path), None).unwrap_err();
            assert!(message.contains("cannot write here"), "{message}");
        }
    }

    #[test]
    fn a_file_is_replaced_whole_and_is_readable_by_others_as_umask_says() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("talk.txt");
        write_whole(&path, b"first, and longer").unwrap();
        write_whole(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let plain = folder.path().join("plain");
            fs::write(&plain, "").unwrap();
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode(&path), mode(&plain));
        }
    }
}
