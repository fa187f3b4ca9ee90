//! How far a transcript is that of another program, such as openai/whisper.

use std::fs;
use std::iter::Sum;
use std::ops::Add;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::transcribe::{Segment, Transcript};

/// How much of reference transcripts is the same, token for token and letter for letter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Agreement {
    /// Transcripts compared.
    pub clips: usize,
    /// Of these, those with the same text.
    pub text_equal: usize,
    /// Windows of the references, without those that were sampled.
    pub windows: usize,
    /// Of these, those with the same tokens.
    pub windows_equal: usize,
    /// Segments of these windows.
    pub segments: usize,
    /// Of these, those with the same tokens, in a window of the same place.
    pub segments_equal: usize,
    /// Windows from the first one on that the reference decoded at a temperature above 0: draws of two programs are never the
    /// same, so they are not compared.
    pub sampled: usize,
}

impl Agreement {
    /// Compares a transcript with its reference.
    pub fn of(ours: &Transcript, reference: &Transcript) -> Self {
        let mut agreement = Self {
            clips: 1,
            text_equal: usize::from(ours.text == reference.text),
            ..Self::default()
        };
        let mut comparable = true;
        for window in reference.segments.chunk_by(|a, b| a.seek == b.seek) {
            comparable &= window.iter().all(|segment| segment.temperature == 0.0);
            if !comparable {
                agreement.sampled += 1;
                continue;
            }
            let seek = window[0].seek;
            let mine = || {
                ours.segments
                    .iter()
                    .filter(move |segment| segment.seek == seek)
            };
            let tokens = |segment: &'_ Segment| segment.tokens.clone();
            let equal = mine().flat_map(tokens).eq(window.iter().flat_map(tokens));
            agreement.windows += 1;
            agreement.windows_equal += usize::from(equal);
            agreement.segments += window.len();
            let pairs = mine().zip(window);
            agreement.segments_equal += pairs.filter(|(a, b)| a.tokens == b.tokens).count();
        }
        agreement
    }
}

impl Add for Agreement {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            clips: self.clips + other.clips,
            text_equal: self.text_equal + other.text_equal,
            windows: self.windows + other.windows,
            windows_equal: self.windows_equal + other.windows_equal,
            segments: self.segments + other.segments,
            segments_equal: self.segments_equal + other.segments_equal,
            sampled: self.sampled + other.sampled,
        }
    }
}

impl Sum for Agreement {
    fn sum<I: Iterator<Item = Self>>(agreements: I) -> Self {
        agreements.fold(Self::default(), Add::add)
    }
}

/// A folder with a reference transcript for each clip, in openai/whisper's JSON.
#[derive(Clone, Debug)]
pub struct References {
    folder: PathBuf,
    /// The member of each file that is the transcript; none where the file is.
    member: Option<String>,
}

impl References {
    /// The transcripts in `folder`. With `member`, each file is an object that has several transcripts, and this is the one meant.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the folder cannot be read, [`Error::Option`] when it holds no JSON.
    pub fn open(folder: impl Into<PathBuf>, member: Option<String>) -> Result<Self> {
        let folder = folder.into();
        let entries = fs::read_dir(&folder).map_err(|source| Error::Io {
            path: folder.clone(),
            source,
        })?;
        let is_json = |entry: fs::DirEntry| entry.path().extension().is_some_and(|e| e == "json");
        if !entries.flatten().any(is_json) {
            return Err(Error::Option(format!(
                "{}: no .json file is in this folder",
                folder.display()
            )));
        }
        Ok(Self { folder, member })
    }

    /// The transcript of a clip, `talk.wav.json` or `talk.json` for `talk.wav`; none where there is neither, or where it lacks the
    /// member.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the file cannot be read, [`Error::Option`] when it is no transcript.
    pub fn find(&self, clip: &Path) -> Result<Option<Transcript>> {
        let name = clip.file_name().unwrap_or_default();
        let whole = self
            .folder
            .join([name.to_string_lossy().as_ref(), ".json"].concat());
        let stem = self.folder.join(name).with_extension("json");
        let Some(path) = [whole, stem].into_iter().find(|path| path.is_file()) else {
            return Ok(None);
        };
        let text = fs::read(&path).map_err(|source| Error::Io {
            path: path.clone(),
            source,
        })?;
        let wrong = |reason: String| {
            let path = path.display();
            Error::Option(format!(
                "{path}: no transcript as openai/whisper writes it: {reason}"
            ))
        };
        let mut json: serde_json::Value =
            serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        if let Some(member) = &self.member {
            json = match json.get_mut(member) {
                Some(found) if !found.is_null() => found.take(),
                _ => return Ok(None),
            };
        }
        if json
            .get("segments")
            .is_none_or(|segments| !segments.is_array())
        {
            return Err(wrong("it has no segments".to_owned()));
        }
        let transcript = serde_json::from_value(json).map_err(|error| wrong(error.to_string()))?;
        Ok(Some(transcript))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transcript(text: &str, segments: &[(usize, f64, &[u32])]) -> Transcript {
        let segments = segments.iter().map(|&(seek, temperature, tokens)| Segment {
            seek,
            temperature,
            tokens: tokens.to_vec(),
            ..Segment::default()
        });
        Transcript::new(text.to_owned(), segments.collect(), "en".to_owned())
    }

    #[test]
    fn windows_and_segments_are_compared_until_one_was_sampled() {
        let reference = transcript(
            " a b",
            &[
                (0, 0.0, &[1]),
                (0, 0.0, &[2]),
                (3000, 0.0, &[3]),
                (6000, 0.2, &[4]),
                (9000, 0.0, &[5]),
            ],
        );
        let same = Agreement::of(&reference, &reference);
        assert_eq!(
            (same.text_equal, same.windows, same.windows_equal),
            (1, 2, 2)
        );
        assert_eq!(
            (same.segments, same.segments_equal, same.sampled),
            (3, 3, 2)
        );
        let other = transcript(" a", &[(0, 0.0, &[1]), (0, 0.0, &[7]), (2900, 0.0, &[3])]);
        let other = Agreement::of(&other, &reference);
        assert_eq!(
            (other.text_equal, other.windows_equal, other.segments_equal),
            (0, 0, 1)
        );
        // The same tokens cut into other segments are an equal window.
        let cut = transcript(" a b", &[(0, 0.0, &[1, 2]), (3000, 0.0, &[3])]);
        let cut = Agreement::of(&cut, &reference);
        assert_eq!((cut.windows_equal, cut.segments_equal), (2, 1));
        assert_eq!([same, other, cut].into_iter().sum::<Agreement>().windows, 6);
    }

    #[test]
    fn references_are_found_by_the_clips_name() {
        let folder = tempfile::tempdir().unwrap();
        assert!(References::open(folder.path(), None).is_err(), "is empty");
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write(
            "a.json",
            r#"{"text": " x", "language": "en", "segments": [{"seek": 0, "tokens": [5], "text": " x"}]}"#,
        );
        write(
            "b.wav.json",
            r#"{"greedy": {"text": " y", "segments": []}, "beam": null}"#,
        );
        write("c.json", r#"{"text": 5, "segments": []}"#);
        let find = |member: Option<&str>, clip: &str| {
            let references = References::open(folder.path(), member.map(str::to_owned)).unwrap();
            references.find(Path::new(clip))
        };
        let found = find(None, "clips/a.wav").unwrap().unwrap();
        assert_eq!(
            (found.text.as_str(), &found.segments[0].tokens[..]),
            (" x", &[5][..])
        );
        assert_eq!(find(Some("greedy"), "b.wav").unwrap().unwrap().text, " y");
        assert_eq!(find(Some("beam"), "b.wav").unwrap(), None);
        assert_eq!(find(None, "d.wav").unwrap(), None);
        assert!(
            find(None, "b.wav")
                .unwrap_err()
                .to_string()
                .contains("no segments")
        );
        assert!(
            find(None, "c.wav")
                .unwrap_err()
                .to_string()
                .contains("c.json: ")
        );
    }
}
