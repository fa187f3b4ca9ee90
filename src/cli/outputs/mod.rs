//! What a run writes: files named after the inputs, or one format on standard output.

mod names;
mod places;

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use whisper_rs::output::{
    GrowingFile, Unfinished, Writer, file_name, partial_path, write_atomically,
};
use whisper_rs::{Segment, Transcript};

use super::flags::output::{OutputFlags, Place};
use super::inputs::Input;
use super::refused::Refused;
use super::standard_output::StandardOutput;

/// Where transcripts go, and in which formats.
pub struct Outputs {
    writers: Vec<Box<dyn Writer>>,
    /// For each input the path of its outputs, without ending; none on standard output.
    names: Option<Vec<PathBuf>>,
    /// What becomes of what an earlier run left.
    unfinished: Unfinished,
}

impl Outputs {
    /// Readies the folder and names the files, none of which is an input or among those that are `kept`; or returns None when
    /// nothing is to be written. `unfinished` says what becomes of what an earlier run left.
    ///
    /// # Errors
    ///
    /// When the names that were given cannot be used or nothing can be written there, so that this is known before the
    /// long work.
    pub fn open(
        flags: &OutputFlags,
        inputs: &[Input],
        kept: &[PathBuf],
        unfinished: Unfinished,
    ) -> Result<Option<Self>, Refused> {
        let Some(place) = flags.place() else {
            return Ok(None);
        };
        let writers = flags.writers()?;
        let extensions: Vec<&str> = writers.iter().map(|w| w.extension()).collect();
        let names = match place {
            Place::StandardOutput => None,
            Place::Folder(folder) => {
                places::ready(folder)?;
                Some(places::by_input(folder, &extensions, inputs, kept)?)
            }
            Place::Names(folder, given) => {
                Some(places::given(folder, given, &extensions, inputs, kept)?)
            }
        };
        Ok(Some(Outputs {
            writers,
            names,
            unfinished,
        }))
    }

    /// Whether standard output is what is written to.
    pub fn on_standard_output(&self) -> bool {
        self.names.is_none()
    }

    /// Whether all outputs of an input are there already, and no older than the input.
    pub fn are_done(&self, index: usize, input: &Input) -> bool {
        let Some(name) = self.names.as_ref().and_then(|names| names.get(index)) else {
            return false;
        };
        let Ok(changed) = modified(&input.path) else {
            return false;
        };
        (self.writers.iter())
            .map(|writer| modified(&path_of(name, writer.as_ref())))
            .all(|written| written.is_ok_and(|written| written >= changed))
    }

    /// Begins the outputs of inputs that are one recording, by their places among the inputs.
    pub fn begin(&self, inputs: Range<usize>) -> Result<InputOutputs<'_>, String> {
        let Some(names) = &self.names else {
            return self.begin_each([None]);
        };
        self.begin_each(names[inputs].iter().map(Some))
    }

    fn begin_each<'n>(
        &self,
        names: impl IntoIterator<Item = Option<&'n PathBuf>>,
    ) -> Result<InputOutputs<'_>, String> {
        let names: Vec<_> = names.into_iter().collect();
        let pairs = (names.iter()).flat_map(|&name| self.writers.iter().map(move |w| (name, w)));
        let mut outputs = Vec::new();
        for (name, writer) in pairs {
            let path = name.map(|name| path_of(name, writer.as_ref()));
            let growing = match (&path, writer.by_segment()) {
                (Some(path), Some(_)) => {
                    Some(GrowingFile::create(path, self.unfinished).map_err(unwritable)?)
                }
                _ => None,
            };
            outputs.push(Output {
                writer: writer.as_ref(),
                path,
                growing,
            });
        }
        Ok(InputOutputs {
            outputs,
            unfinished: self.unfinished,
        })
    }
}

/// The outputs of one input.
pub struct InputOutputs<'a> {
    outputs: Vec<Output<'a>>,
    unfinished: Unfinished,
}

struct Output<'a> {
    writer: &'a dyn Writer,
    /// None on standard output.
    path: Option<PathBuf>,
    /// The file, where it is written segment by segment.
    growing: Option<GrowingFile>,
}

impl InputOutputs<'_> {
    /// Writes a segment at once in the formats that are made of segments alone.
    pub fn segment(
        &mut self,
        segment: &Segment,
        stdout: &mut StandardOutput,
    ) -> Result<(), String> {
        for output in &mut self.outputs {
            let Some(writer) = output.writer.by_segment() else {
                continue;
            };
            match (&output.path, &mut output.growing) {
                (_, Some(file)) => file
                    .append(|out| writer.write_segment(segment, out))
                    .map_err(unwritable)?,
                (None, _) => stdout
                    .write(|out| writer.write_segment(segment, out))
                    .map_err(|error| format!("standard output: {error}"))?,
                (Some(_), None) => {}
            }
        }
        Ok(())
    }

    /// Writes what there is of a transcript that was interrupted, so that no file seems to be whole: files are called
    /// `talk.srt.whisper-rs.partial`. Returns what their names have in common, if there are files.
    pub fn leave(
        self,
        transcript: &Transcript,
        stdout: &mut StandardOutput,
    ) -> Result<Option<String>, String> {
        let mut common = None;
        let mut on_standard_output = Vec::new();
        for output in self.outputs {
            let writer = output.writer;
            let left = match (&output.path, output.growing) {
                (_, Some(file)) => file.leave(),
                (Some(path), None) => {
                    let mut file =
                        GrowingFile::create(path, self.unfinished).map_err(unwritable)?;
                    file.append(|out| writer.write(transcript, out))
                        .map_err(unwritable)?;
                    file.leave()
                }
                (None, None) => {
                    on_standard_output.push(Output {
                        growing: None,
                        ..output
                    });
                    continue;
                }
            };
            // Behind the ending there may be a number.
            let left = left.display().to_string();
            let ending = format!(".{}.", writer.extension());
            common = Some(match left.rsplit_once(&ending) {
                Some((stem, rest)) => format!("{stem}.*.{rest}"),
                None => left,
            });
        }
        InputOutputs {
            outputs: on_standard_output,
            unfinished: self.unfinished,
        }
        .finish(transcript, stdout)?;
        Ok(common)
    }

    /// Writes the other formats and gives every file its name; each is whole or absent.
    pub fn finish(
        self,
        transcript: &Transcript,
        stdout: &mut StandardOutput,
    ) -> Result<(), String> {
        for output in self.outputs {
            let writer = output.writer;
            match (output.path, output.growing) {
                (_, Some(file)) => file.finish().map_err(unwritable)?,
                (Some(path), None) => {
                    write_atomically(&path, |out| writer.write(transcript, out))
                        .map_err(unwritable)?;
                    if self.unfinished == Unfinished::Replaced {
                        // It is of no use any more.
                        let _ = fs::remove_file(partial_path(&path));
                    }
                }
                (None, None) if writer.by_segment().is_some() => {}
                (None, None) => stdout
                    .write(|out| {
                        let mut text = Vec::new();
                        writer.write(transcript, &mut text)?;
                        // What comes next begins on a line of its own.
                        if !text.ends_with(b"\n") {
                            text.push(b'\n');
                        }
                        out.write_all(&text)
                    })
                    .map_err(|error| format!("standard output: {error}"))?,
            }
        }
        Ok(())
    }
}

fn unwritable(error: whisper_rs::Error) -> String {
    format!("{error}; choose another --output_dir")
}

/// When a file was last written to.
fn modified(path: &Path) -> io::Result<SystemTime> {
    fs::metadata(path)?.modified()
}

fn path_of(name: &Path, writer: &dyn Writer) -> PathBuf {
    let stem = name.file_name().unwrap_or_default();
    name.with_file_name(file_name(stem, writer.extension()))
}

#[cfg(test)]
mod tests {
    use super::super::inputs;
    use super::super::testing::transcribe;
    use super::*;

    fn open(flags: &[&str], inputs: &[&str]) -> Result<Option<Outputs>, String> {
        let files: Vec<PathBuf> = inputs.iter().map(PathBuf::from).collect();
        let arguments = transcribe(flags)?;
        let inputs = inputs::inputs(&files, &arguments.input).unwrap().inputs;
        Outputs::open(&arguments.output, &inputs, &[], Unfinished::Kept)
            .map_err(|refused| refused.to_string())
    }

    fn formats(flags: &[&str]) -> Vec<&'static str> {
        let outputs = open(flags, &["a.wav"]).unwrap().unwrap();
        outputs.writers.iter().map(|w| w.name()).collect()
    }

    #[test]
    fn nothing_is_written_unless_asked_for() {
        assert!(open(&[], &["a.wav"]).unwrap().is_none());
    }

    #[test]
    fn a_folder_alone_means_openais_formats() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().to_str().unwrap();
        let all = ["txt", "vtt", "srt", "tsv", "json"];
        assert_eq!(formats(&["-o", folder]), all);
        assert_eq!(formats(&["-o", folder, "-f", "all,lrc,srt"]), {
            let mut more = all.to_vec();
            more.push("lrc");
            more
        });
        let several = ["-o", folder, "-f", "ass,csv", "-f", "json-full"];
        assert_eq!(formats(&several), ["ass", "csv", "json-full"]);
    }

    #[test]
    fn standard_output_takes_one_format() {
        let outputs = open(&["-o", "-", "-f", "srt"], &["a.wav"]).unwrap();
        assert!(outputs.unwrap().on_standard_output());
        for flags in [&["-o", "-"][..], &["-o", "-", "-f", "srt,vtt"]] {
            let message = open(flags, &["a.wav"]).err().unwrap();
            assert!(message.contains("one format"), "{message}");
        }
    }

    #[test]
    fn what_is_done_is_newer_than_its_input() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let write = |name: &str, age: u64| {
            let path = file(name);
            let written = fs::File::create(&path).unwrap();
            let then = SystemTime::now() - std::time::Duration::from_secs(age);
            written.set_modified(then).unwrap();
            path
        };
        let clip = write("talk.wav", 100);
        let place = folder.path().to_str().unwrap();
        let flags = transcribe(&["-o", place, "-f", "txt,srt"]).unwrap();
        let inputs = inputs::inputs(&[clip], &flags.input).unwrap().inputs;
        let outputs = Outputs::open(&flags.output, &inputs, &[], Unfinished::Kept)
            .unwrap()
            .unwrap();
        let done = || outputs.are_done(0, &inputs[0]);
        assert!(!done());
        write("talk.txt", 50);
        write("talk.srt.whisper-rs.partial", 50);
        assert!(!done(), "one is missing");
        write("talk.srt", 200);
        assert!(!done(), "one is of another recording");
        write("talk.srt", 50);
        assert!(done());
    }

    #[test]
    fn a_folder_is_made_and_one_that_cannot_be_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("new/deep");
        assert!(
            open(&["-o", made.to_str().unwrap()], &["a.wav"])
                .unwrap()
                .is_some()
        );
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
            let message = open(&["-o", path.to_str().unwrap()], &["a.wav"])
                .err()
                .unwrap();
            assert!(message.contains(says), "{message}");
        }
    }
}
