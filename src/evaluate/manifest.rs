//! Manifests: lists of clips with what is said in them.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::tokenizer::languages;
use crate::transcribe::Transcript;

/// Names of the column with a clip's file, relative to the manifest's folder.
const FILE: &[&str] = &["file", "path", "audio", "filename"];
/// Names of the column with what is said.
const TRANSCRIPT: &[&str] = &["transcript", "text", "sentence", "reference"];
/// Names of the column with the language.
const LANGUAGE: &[&str] = &["language", "lang", "locale"];
/// What the language column says of a clip in which nobody speaks.
const NO_SPEECH: &[&str] = &["none", "-", "noise", "music", "silence"];

/// The clips of a manifest, in its order.
///
/// A manifest is a text file in UTF-8 of lines whose fields are parted by tabs, nothing quoted. The first line names the
/// columns, in any order and any case:
///
/// | column | other names | what |
/// |---|---|---|
/// | `file` | `path`, `audio`, `filename` | the clip, relative to the manifest's folder or absolute |
/// | `transcript` | `text`, `sentence`, `reference` | what is said; an empty one is not known |
/// | `language` | `lang`, `locale` | a code (`de`, `pt-BR`) or English name; `none`, `-`, `noise`, `music` or `silence` where nobody speaks |
///
/// Only `file` is needed. Other columns are left alone, as are empty lines; fields that a line lacks at its end are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Manifest {
    /// The clips, each file once.
    pub clips: Vec<Clip>,
}

/// A clip of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Clip {
    /// The file as the manifest has it.
    pub name: String,
    /// Where the file is.
    pub path: PathBuf,
    /// What is said, where that is known.
    pub transcript: Option<String>,
    /// The language, or that there is none.
    pub speech: Speech,
}

/// What is spoken in a clip.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Speech {
    /// A language that Whisper knows, by its code.
    Known(&'static str),
    /// Something else, as the manifest has it: several languages, or one that Whisper does not know.
    Other(String),
    /// The manifest does not say.
    Unknown,
    /// Nobody speaks: whatever is transcribed was not said.
    Nothing,
}

impl Manifest {
    /// Reads a manifest. The clips' files are not looked for.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the file cannot be read, [`Error::Manifest`] with the line when it is none: not in UTF-8, no column
    /// for the file, a line without one or with more fields than there are columns, a clip that is there twice, no clip at all,
    /// or a transcript where nobody speaks.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let wrong = |reason: String| Error::Manifest {
            path: path.to_owned(),
            reason,
        };
        let bytes = fs::read(path).map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + valid.iter().filter(|&&byte| byte == b'\n').count();
            wrong(format!("line {line} is not UTF-8 text"))
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, folder).map_err(wrong)
    }

    /// The clips of a manifest's text, whose files lie in `folder`.
    fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        let text = text.trim_start_matches('\u{feff}');
        let lines = text.lines().map(|line| line.trim_end_matches('\r'));
        let mut lines = (1..).zip(lines).filter(|(_, line)| !line.trim().is_empty());
        let (_, header) = lines
            .next()
            .ok_or("is empty; the first line names the columns")?;
        let columns = Columns::of(header)?;
        let mut names = HashSet::new();
        let mut clips = Vec::new();
        for (number, line) in lines {
            let clip = columns
                .clip(line, folder)
                .map_err(|reason| format!("line {number}: {reason}"))?;
            if !names.insert(clip.name.clone()) {
                return Err(format!("line {number}: {} is there twice", clip.name));
            }
            clips.push(clip);
        }
        if clips.is_empty() {
            return Err("names no clip".to_owned());
        }
        Ok(Self { clips })
    }
}

impl Clip {
    /// A clip of which no transcript is known.
    pub fn new(name: impl Into<String>, path: impl Into<PathBuf>, speech: Speech) -> Self {
        Self {
            name: name.into(),
            path: path.into(),
            transcript: None,
            speech,
        }
    }

    /// What is said: nothing where nobody speaks, `None` where it is not known.
    pub fn said(&self) -> Option<&str> {
        match self.speech {
            Speech::Nothing => Some(""),
            _ => self.transcript.as_deref(),
        }
    }

    /// Code of the language that a transcript's errors are counted in: the manifest's, or the transcript's own where the manifest
    /// does not say.
    pub fn language_of<'a>(&self, transcript: &'a Transcript) -> Option<&'a str> {
        match &self.speech {
            Speech::Unknown => Some(transcript.language.as_str()),
            speech => speech.code(),
        }
    }
}

/// Where the columns are.
struct Columns {
    count: usize,
    file: usize,
    transcript: Option<usize>,
    language: Option<usize>,
}

impl Columns {
    fn of(header: &str) -> Result<Self, String> {
        let names: Vec<_> = (header.split('\t'))
            .map(|name| name.trim().to_lowercase())
            .collect();
        let find = |wanted: &[&str]| {
            let mut found =
                (0..names.len()).filter(|&index| wanted.contains(&names[index].as_str()));
            match (found.next(), found.next()) {
                (Some(one), Some(other)) => Err(format!(
                    "columns {} and {} mean the same; leave one out",
                    names[one], names[other]
                )),
                (found, _) => Ok(found),
            }
        };
        let file = find(FILE)?.ok_or_else(|| {
            format!(
                "the first line has no column '{}'; it names the columns, with tabs between",
                FILE[0]
            )
        })?;
        Ok(Self {
            file,
            transcript: find(TRANSCRIPT)?,
            language: find(LANGUAGE)?,
            count: names.len(),
        })
    }

    fn clip(&self, line: &str, folder: &Path) -> Result<Clip, String> {
        let fields: Vec<_> = line.split('\t').collect();
        if fields.len() > self.count {
            let (fields, columns) = (fields.len(), self.count);
            return Err(format!("{fields} fields for {columns} columns"));
        }
        let field = |column: Option<usize>| {
            let field = column.and_then(|column| fields.get(column));
            field.map_or("", |field| field.trim())
        };
        let name = field(Some(self.file));
        if name.is_empty() {
            return Err("names no file".to_owned());
        }
        let transcript = field(self.transcript);
        let speech = Speech::of(field(self.language));
        if speech == Speech::Nothing && !transcript.is_empty() {
            return Err("has a transcript, and a language that says that nobody speaks".to_owned());
        }
        Ok(Clip {
            name: name.to_owned(),
            path: folder.join(name),
            transcript: Some(transcript.to_owned()).filter(|text| !text.is_empty()),
            speech,
        })
    }
}

impl Speech {
    /// What a manifest's field for the language says.
    pub fn of(field: &str) -> Self {
        let lower = field.to_lowercase();
        // Of a tag such as pt-BR the language comes first.
        let language = lower.split(['-', '_']).next().unwrap_or_default();
        match languages::language_code(&lower).or_else(|| languages::language_code(language)) {
            _ if NO_SPEECH.contains(&lower.as_str()) => Self::Nothing,
            Some(code) => Self::Known(code),
            None if field.is_empty() => Self::Unknown,
            None => Self::Other(field.to_owned()),
        }
    }

    /// The code of a language that Whisper knows.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Known(code) => Some(code),
            _ => None,
        }
    }
}

impl std::fmt::Display for Speech {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Known(code) => code,
            Self::Other(name) => name,
            Self::Unknown => "not given",
            Self::Nothing => "no speech",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Manifest, String> {
        Manifest::parse(text, Path::new("clips"))
    }

    #[test]
    fn columns_are_found_by_name() {
        let manifest = parse(
            "\u{feff}Source\tLanguage\tFile\ttext\r\n\
             x\ten\ta.wav\tSo it goes.\r\n\
             \r\n\
             y\tpt-BR\tsub/b.mp3\r\n\
             z\tGerman\t/abs/c.flac\t Ja. \n\
             \tnoise\td.wav\t\n\
             \ten+zh\te.wav\thello 你好\n\
             \t\tf.wav",
        );
        let clip = |name: &str, path: &str, transcript: Option<&str>, speech| Clip {
            name: name.to_owned(),
            path: PathBuf::from(path),
            transcript: transcript.map(str::to_owned),
            speech,
        };
        let clips = [
            clip(
                "a.wav",
                "clips/a.wav",
                Some("So it goes."),
                Speech::Known("en"),
            ),
            clip("sub/b.mp3", "clips/sub/b.mp3", None, Speech::Known("pt")),
            clip(
                "/abs/c.flac",
                "/abs/c.flac",
                Some("Ja."),
                Speech::Known("de"),
            ),
            clip("d.wav", "clips/d.wav", None, Speech::Nothing),
            clip(
                "e.wav",
                "clips/e.wav",
                Some("hello 你好"),
                Speech::Other("en+zh".to_owned()),
            ),
            clip("f.wav", "clips/f.wav", None, Speech::Unknown),
        ];
        assert_eq!(manifest.unwrap().clips, clips);
    }

    #[test]
    fn what_is_no_manifest_is_told_with_its_line() {
        for (text, says) in [
            ("", "is empty"),
            ("file\ttext\n", "names no clip"),
            ("a.wav\tso it goes\n", "no column 'file'"),
            ("file\ttext\tTranscript\n", "mean the same"),
            (
                "file\na.wav\n\nb.wav\tx\n",
                "line 4: 2 fields for 1 columns",
            ),
            ("file\ttext\n\tso\n", "line 2: names no file"),
            ("file\na.wav\na.wav\n", "line 3: a.wav is there twice"),
            ("file\tlang\ttext\na.wav\t-\tso\n", "nobody speaks"),
        ] {
            let reason = parse(text).unwrap_err();
            assert!(reason.contains(says) && !reason.contains('\n'), "{reason}");
        }
    }

    #[test]
    fn errors_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.tsv");
        let missing = Manifest::read(&path).unwrap_err();
        assert!(missing.to_string().starts_with(&path.display().to_string()));
        fs::write(&path, b"file\na.wav\n\xff\n").unwrap();
        let message = Manifest::read(&path).unwrap_err().to_string();
        assert_eq!(
            message,
            format!("{}: line 3 is not UTF-8 text", path.display())
        );
        fs::write(&path, "file\na.wav\n").unwrap();
        let manifest = Manifest::read(&path).unwrap();
        assert_eq!(manifest.clips[0].path, folder.path().join("a.wav"));
    }
}
