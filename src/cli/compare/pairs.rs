//! Which hypothesis belongs to which reference.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;
use whisper_rs::Error;
use whisper_rs::compare::{READABLE, TimedText};
use whisper_rs::evaluate::{Clip, Manifest};

use super::CompareArguments;
use crate::cli::feedback::messages;
use crate::cli::inputs::is_audio;

/// A reference and what is compared with it.
pub struct Pair {
    pub name: String,
    reference: Side,
    /// The file of the hypothesis: a transcript, or what is to be transcribed.
    pub hypothesis: PathBuf,
    /// The transcript of a hypothesis that a manifest holds.
    held: Option<TimedText>,
    /// The recording, where it is known.
    pub audio: Option<PathBuf>,
}

/// Where a text is.
enum Side {
    File(PathBuf),
    Held(TimedText),
}

impl Pair {
    /// Reads the reference.
    pub fn reference(&self) -> Result<TimedText, Error> {
        match &self.reference {
            Side::File(path) => TimedText::read(path),
            Side::Held(text) => Ok(text.clone()),
        }
    }

    /// Reads the hypothesis, where it is a transcript.
    pub fn hypothesis(&self) -> Result<TimedText, Error> {
        match &self.held {
            Some(text) => Ok(text.clone()),
            None => TimedText::read(&self.hypothesis),
        }
    }
}

/// The pairs that the arguments stand for, in the order of the references.
pub fn pairs(arguments: &CompareArguments) -> Result<Vec<Pair>, Error> {
    let (reference, hypothesis) = (&arguments.reference, &arguments.hypothesis);
    for path in [reference, hypothesis].into_iter().chain(&arguments.audio) {
        path.metadata().map_err(|source| Error::Io {
            path: path.clone(),
            source,
        })?;
    }
    let transcribes = arguments.model.is_some();
    let references = References::open(reference)?;
    if let References::File(path) = references {
        if hypothesis.is_dir() {
            return Err(Error::Option(format!(
                "{} is one transcript and {} is a folder; compare a file with a file",
                path.display(),
                hypothesis.display()
            )));
        }
        if let (false, Some(_)) = (transcribes, manifest(hypothesis)?) {
            return Err(Error::Option(format!(
                "{} is a manifest of several clips; the reference should be one, or a folder",
                hypothesis.display()
            )));
        }
        let audio = arguments.audio.clone();
        return Ok(vec![Pair {
            name: display_name(hypothesis),
            reference: Side::File(path),
            hypothesis: hypothesis.clone(),
            held: None,
            audio: audio.or_else(|| transcribes.then(|| hypothesis.clone())),
        }]);
    }
    let hypotheses = Hypotheses::open(hypothesis, transcribes)?;
    let recordings = match &arguments.audio {
        Some(folder) => files(folder, is_audio)?,
        None => BTreeMap::new(),
    };
    let mut missing = 0;
    let mut pairs = Vec::new();
    for (name, side, recording) in references.sides() {
        let stem = stem(&name);
        let Some((path, held)) = hypotheses.find(&name, &stem) else {
            missing += 1;
            continue;
        };
        let recording = recordings.get(&stem).cloned().or(recording);
        pairs.push(Pair {
            audio: recording.or_else(|| transcribes.then(|| path.clone())),
            name,
            reference: side,
            hypothesis: path,
            held,
        });
    }
    let counterpart = if transcribes {
        "recording"
    } else {
        "transcript"
    };
    if pairs.is_empty() {
        return Err(Error::Option(format!(
            "{} has no {counterpart} of a name that is in {}",
            hypothesis.display(),
            reference.display()
        )));
    }
    if missing > 0 {
        messages::warning(format!(
            "{missing} of {} references have no {counterpart} in {}",
            missing + pairs.len(),
            hypothesis.display()
        ));
    }
    Ok(pairs)
}

/// What there is to compare with.
enum References {
    File(PathBuf),
    Folder(BTreeMap<String, PathBuf>),
    Manifest(Vec<Clip>),
}

impl References {
    fn open(path: &Path) -> Result<Self, Error> {
        if path.is_dir() {
            let files = files(path, is_transcript)?;
            return match files.is_empty() {
                true => Err(no_transcript(path)),
                false => Ok(Self::Folder(files)),
            };
        }
        Ok(match manifest(path)? {
            Some(manifest) => {
                let clips = manifest.clips.into_iter();
                let known: Vec<_> = clips.filter(|clip| clip.transcript.is_some()).collect();
                if known.is_empty() {
                    return Err(Error::Manifest {
                        path: path.to_owned(),
                        reason: "has no transcript to compare with".to_owned(),
                    });
                }
                Self::Manifest(known)
            }
            None => Self::File(path.to_owned()),
        })
    }

    /// Each reference with its name, and its recording where that is there.
    fn sides(self) -> Vec<(String, Side, Option<PathBuf>)> {
        match self {
            Self::File(path) => vec![(display_name(&path), Side::File(path), None)],
            Self::Folder(files) => {
                let sides = files.into_iter();
                sides
                    .map(|(name, path)| (name, Side::File(path), None))
                    .collect()
            }
            Self::Manifest(clips) => {
                let side = |clip: Clip| {
                    let text = held(&clip);
                    let audio = Some(clip.path).filter(|path| path.is_file());
                    (clip.name, Side::Held(text), audio)
                };
                clips.into_iter().map(side).collect()
            }
        }
    }
}

/// What can be compared.
enum Hypotheses {
    Files(BTreeMap<String, PathBuf>),
    Manifest(PathBuf, Vec<Clip>),
}

impl Hypotheses {
    fn open(path: &Path, transcribes: bool) -> Result<Self, Error> {
        if path.is_dir() {
            let wanted = if transcribes { is_audio } else { is_transcript };
            return Ok(Self::Files(files(path, wanted)?));
        }
        if transcribes {
            return Err(Error::Option(format!(
                "{} is one file for several references; give a folder of recordings (whisper-rs eval transcribes a \
                 manifest's own)",
                path.display()
            )));
        }
        match manifest(path)? {
            Some(manifest) => Ok(Self::Manifest(path.to_owned(), manifest.clips)),
            None => Err(Error::Option(format!(
                "{} is one transcript for several references; give a folder or a manifest",
                path.display()
            ))),
        }
    }

    /// The hypothesis of a reference: in a manifest by its whole name, in a folder by its name with or without its ending.
    fn find(&self, name: &str, stem: &str) -> Option<(PathBuf, Option<TimedText>)> {
        match self {
            Self::Files(files) => {
                // `talk.json` or `talk.wav.json` for `sub/talk.wav`, in a folder of that name or without folders.
                let alone = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
                let names = [stem.to_owned(), name.to_owned(), alone(stem), alone(name)];
                let path = names.iter().find_map(|name| files.get(name))?;
                Some((path.clone(), None))
            }
            Self::Manifest(path, clips) => {
                let clip = clips.iter().find(|clip| clip.name == name)?;
                Some((path.clone(), Some(held(clip))))
            }
        }
    }
}

/// The text of a manifest's clip; one without a transcript says nothing.
fn held(clip: &Clip) -> TimedText {
    let text = clip.transcript.clone().unwrap_or_default();
    TimedText::plain(text, clip.speech.code())
}

/// The manifest that a file is, if it is one: a table that names its clips' files, and no times.
fn manifest(path: &Path) -> Result<Option<Manifest>, Error> {
    let is_table = path
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("tsv"));
    if !is_table || is_transcript_table(path) {
        return Ok(None);
    }
    Manifest::read(path).map(Some)
}

/// Whether a table begins as openai/whisper's transcripts do.
fn is_transcript_table(path: &Path) -> bool {
    let text = std::fs::read(path).unwrap_or_default();
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    text.starts_with(b"start\tend\ttext")
}

/// The files of a folder and those within by their names below it without endings, of several with one name the one that says
/// most.
fn files(
    folder: &Path,
    wanted: impl Fn(&Path) -> bool,
) -> Result<BTreeMap<String, PathBuf>, Error> {
    let mut found: BTreeMap<String, PathBuf> = BTreeMap::new();
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
        let entry = entry.map_err(|error| Error::Io {
            path: error.path().unwrap_or(folder).to_owned(),
            source: error.into(),
        })?;
        let path = entry.path();
        if !entry.file_type().is_file() || !wanted(path) {
            continue;
        }
        let below = path.strip_prefix(folder).unwrap_or(path);
        let name = stem(&below.to_string_lossy());
        match found.get(&name) {
            Some(other) if rank(other) <= rank(path) => {}
            _ => {
                found.insert(name, path.to_owned());
            }
        }
    }
    Ok(found)
}

fn is_transcript(path: &Path) -> bool {
    rank(path) < READABLE.len()
}

/// The place of a file's ending among those of transcripts.
fn rank(path: &Path) -> usize {
    let ending = path.extension().unwrap_or_default();
    let place = READABLE
        .iter()
        .position(|known| ending.eq_ignore_ascii_case(known));
    place.unwrap_or(READABLE.len())
}

/// `sub/talk` for `sub/talk.wav`, `sub/talk.json` and `sub/talk.full.json`.
fn stem(name: &str) -> String {
    let stem = Path::new(name).with_extension("");
    let stem = stem.to_string_lossy();
    stem.strip_suffix(".full").unwrap_or(&stem).to_owned()
}

fn display_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

fn no_transcript(folder: &Path) -> Error {
    Error::Option(format!(
        "{}: no transcript in this folder, which would end with one of {}",
        folder.display(),
        READABLE.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_endings() {
        assert_eq!(stem("sub/talk.full.json"), "sub/talk");
        assert_eq!(stem("talk.wav"), "talk");
        assert_eq!(stem("talk.1961.wav"), "talk.1961");
    }

    #[test]
    fn of_several_files_the_one_that_says_most_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let within = folder.path().join("sub");
        std::fs::create_dir(&within).unwrap();
        for name in ["a.srt", "a.json", "a.txt", "sub/a.vtt", "b.wav"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found = files(folder.path(), is_transcript).unwrap();
        let names: Vec<_> = found.keys().map(String::as_str).collect();
        assert_eq!(names, ["a", "sub/a"]);
        assert_eq!(found["a"], folder.path().join("a.json"));
    }
}
