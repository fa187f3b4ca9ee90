//! Names of output files: after their inputs, each another, and none an input's own.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use whisper_rs::output::{PARTIAL, file_name, partial_path};

/// Gives out names, without endings, to one input after the other.
pub struct OutputNames<'a> {
    /// The endings that each name gets.
    extensions: &'a [&'a str],
    /// The files that are read, where they lie, links followed.
    inputs: HashSet<PathBuf>,
    /// Files that are given out, as file systems that know no case see them, and to which input.
    given: HashMap<OsString, PathBuf>,
}

/// Room in a cut name for the number that tells it from another.
const NUMBER: &str = "-123456";

impl<'a> OutputNames<'a> {
    /// Names with the given endings, beside these files, which are only read.
    pub fn new<'p>(extensions: &'a [&'a str], inputs: impl IntoIterator<Item = &'p Path>) -> Self {
        OutputNames {
            extensions,
            inputs: inputs.into_iter().filter_map(real_path).collect(),
            given: HashMap::new(),
        }
    }

    /// The name of the outputs of `input` in `folder`: `talk` for `talk.wav`; where a file of another input would be called
    /// the same, or an input would be overwritten, `talk.wav`; and then `talk-2` and so on. One that is too long is cut.
    /// `suffix` stands behind each. Says as well whether the name is the first of these.
    pub fn name(&mut self, folder: &Path, input: &Path, suffix: &str) -> (PathBuf, bool) {
        let behind = format!("{NUMBER}{suffix}");
        let stem = self.cut(input.file_stem().unwrap_or(input.as_os_str()), &behind);
        let whole = self.cut(input.file_name().unwrap_or(input.as_os_str()), &behind);
        let numbered = (2..).map(|number| with(&stem, &format!("-{number}")));
        let candidates = [stem.clone(), whole];
        for (index, candidate) in candidates.into_iter().chain(numbered).enumerate() {
            let path = folder.join(with(&candidate, suffix));
            if self.take_for(&path, input) {
                return (path, index == 0);
            }
        }
        // The numbers never end.
        (folder.join(with(&stem, suffix)), true)
    }

    /// Gives out a name that the user chose, cut where it is too long. None where a file of that name is given out already,
    /// or an input would be overwritten.
    pub fn take(&mut self, path: &Path) -> Option<PathBuf> {
        let path = path.with_file_name(self.cut(path.file_name()?, ""));
        // No two chosen names are for one input.
        let owner = path.join(format!("{}", self.given.len()));
        self.take_for(&path, &owner).then_some(path)
    }

    /// Gives out all files of a name, or none.
    fn take_for(&mut self, path: &Path, input: &Path) -> bool {
        let files = self.files(path);
        let free = |file: &PathBuf| {
            let owner = self.given.get(&key(file));
            owner.is_none_or(|owner| owner == input)
                && real_path(file).is_none_or(|file| !self.inputs.contains(&file))
        };
        let all_free = files.iter().all(free);
        if all_free {
            let given = files.iter().map(|file| (key(file), input.to_owned()));
            self.given.extend(given);
        }
        all_free
    }

    /// The files of a name, and what each is called while it grows.
    fn files(&self, path: &Path) -> Vec<PathBuf> {
        let stem = path.file_name().unwrap_or_default();
        (self.extensions.iter())
            .map(|extension| path.with_file_name(file_name(stem, extension)))
            .flat_map(|file| [partial_path(&file), file])
            .collect()
    }

    /// A name as much of which is left that no ending makes it too long.
    fn cut(&self, name: &OsStr, behind: &str) -> OsString {
        let longest = (self.extensions.iter()).max_by_key(|extension| extension.len());
        let ending = format!("{behind}.{}.{PARTIAL}", longest.unwrap_or(&""));
        let whole = file_name(name, &ending);
        match whole.to_str().and_then(|whole| whole.strip_suffix(&ending)) {
            Some(cut) => cut.strip_suffix('.').unwrap_or(cut).into(),
            // What is no text is not cut by the writers either.
            None => name.to_owned(),
        }
    }
}

/// A file as file systems that know no case see it.
fn key(file: &Path) -> OsString {
    file.as_os_str().to_ascii_lowercase()
}

fn with(name: &OsStr, suffix: &str) -> OsString {
    let mut name = name.to_owned();
    name.push(suffix);
    name
}

/// The path of a file that is there, without links.
fn real_path(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path, extensions: &[&str], inputs: &[PathBuf]) -> Vec<String> {
        let mut names = OutputNames::new(extensions, inputs.iter().map(PathBuf::as_path));
        (inputs.iter())
            .map(|input| names.name(folder, input, "").0)
            .map(|path| path.strip_prefix(folder).unwrap().display().to_string())
            .collect()
    }

    #[test]
    fn inputs_of_one_name_get_different_outputs() {
        let inputs = [
            "a/talk.wav",
            "b/talk.mp3",
            "b/other.wav",
            "c/Talk.mp3",
            "a/talk.wav",
            "d/talk.wav",
        ];
        let inputs = inputs.map(PathBuf::from);
        assert_eq!(
            names(Path::new("out"), &["txt"], &inputs),
            ["talk", "talk.mp3", "other", "Talk-2", "talk", "talk.wav"]
        );
    }

    #[test]
    fn files_of_different_formats_are_told_apart() {
        let inputs = ["talk.wav", "talk.full.wav"].map(PathBuf::from);
        assert_eq!(
            names(Path::new("out"), &["json", "full.json"], &inputs),
            ["talk", "talk.full.wav"]
        );
    }

    #[test]
    fn long_names_stay_different_when_they_are_cut() {
        let long = |last: char| PathBuf::from(format!("{}{last}.wav", "é".repeat(124)));
        let extensions = ["json", "full.json", "jsonl", "txt"];
        let inputs = [long('a'), long('b')];
        let mut given = OutputNames::new(&extensions, []);
        let mut all = HashSet::new();
        for input in &inputs {
            for suffix in ["-left", "-right"] {
                let (name, _) = given.name(Path::new("out"), input, suffix);
                for file in given.files(&name) {
                    assert!(file.file_name().unwrap().len() <= 255, "{file:?}");
                    assert!(all.insert(file.clone()), "{file:?}");
                }
            }
        }
        assert_eq!(all.len(), 2 * 2 * 4 * 2);
    }

    #[test]
    fn names_that_were_chosen_are_given_once() {
        let mut given = OutputNames::new(&["txt"], []);
        assert_eq!(given.take(Path::new("a/b")), Some("a/b".into()));
        assert_eq!(given.take(Path::new("a/B")), None);
        assert_eq!(given.take(Path::new("a/c")), Some("a/c".into()));
    }

    #[test]
    fn an_input_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let path = folder.path().join(name);
            fs::write(&path, "").unwrap();
            path
        };
        let inputs = [
            file("recording.txt"),
            file("talk.wav"),
            file("talk.jsonl.whisper-rs.partial"),
        ];
        assert_eq!(
            names(folder.path(), &["txt", "jsonl"], &inputs),
            ["recording.txt", "talk.wav", "talk.jsonl.whisper-rs"]
        );
        // With other endings nothing stands in the way.
        assert_eq!(
            names(folder.path(), &["srt"], &inputs),
            ["recording", "talk", "talk.jsonl.whisper-rs"]
        );
    }
}
