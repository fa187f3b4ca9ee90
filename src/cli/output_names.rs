//! Names of output files: after their inputs, each another, and none an input's own.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use whisper_rs::output::file_name;

/// Gives out names, without endings, to one input after the other.
pub struct OutputNames<'a> {
    /// The endings that each name gets.
    extensions: &'a [&'a str],
    /// The inputs where they lie, links followed.
    inputs: HashSet<PathBuf>,
    /// Names that are given out, as file systems that know no case see them, and to which input.
    given: HashMap<OsString, PathBuf>,
}

impl<'a> OutputNames<'a> {
    /// Names with the given endings, among these inputs.
    pub fn new<'p>(extensions: &'a [&'a str], inputs: impl IntoIterator<Item = &'p Path>) -> Self {
        OutputNames {
            extensions,
            inputs: inputs.into_iter().filter_map(real_path).collect(),
            given: HashMap::new(),
        }
    }

    /// The name of the outputs of `input` in `folder`: `talk` for `talk.wav`; where another input has that already, or
    /// an input would be overwritten, `talk.wav`; and then `talk-2` and so on.
    /// `suffix` stands behind each. Says as well whether the name is the first of these.
    pub fn name(&mut self, folder: &Path, input: &Path, suffix: &str) -> (PathBuf, bool) {
        let stem = input.file_stem().unwrap_or(input.as_os_str());
        let whole = input.file_name().unwrap_or(input.as_os_str());
        let numbered = (2..).map(|number| with(stem, &format!("-{number}")));
        let candidates = [stem.to_owned(), whole.to_owned()];
        for (index, candidate) in candidates.into_iter().chain(numbered).enumerate() {
            let candidate = with(&candidate, suffix);
            let path = folder.join(&candidate);
            let key = path.as_os_str().to_ascii_lowercase();
            let owner = self.given.get(&key);
            if owner.is_some_and(|owner| owner != input)
                || self.overwrites_input(folder, &candidate)
            {
                continue;
            }
            self.given.insert(key, input.to_owned());
            return (path, index == 0);
        }
        // The numbers never end.
        (folder.join(with(stem, suffix)), true)
    }

    /// Gives out a name that the user chose. Says whether that could be done: not where it is given out already, or an
    /// input would be overwritten.
    pub fn take(&mut self, path: &Path) -> bool {
        let folder = path.parent().unwrap_or(Path::new(""));
        let key = path.as_os_str().to_ascii_lowercase();
        let stem = path.file_name().unwrap_or_default();
        if self.overwrites_input(folder, stem) || self.given.contains_key(&key) {
            return false;
        }
        self.given.insert(key, path.to_owned());
        true
    }

    fn overwrites_input(&self, folder: &Path, stem: &OsStr) -> bool {
        self.extensions.iter().any(|extension| {
            let name = file_name(stem, extension);
            // While it grows, a file has this ending as well.
            let partial = file_name(&name, "partial");
            [name, partial].iter().any(|name| {
                real_path(&folder.join(name)).is_some_and(|path| self.inputs.contains(&path))
            })
        })
    }
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
            file("talk.jsonl.partial"),
        ];
        assert_eq!(
            names(folder.path(), &["txt", "jsonl"], &inputs),
            ["recording.txt", "talk.wav", "talk.jsonl"]
        );
        // With other endings nothing stands in the way.
        assert_eq!(
            names(folder.path(), &["srt"], &inputs),
            ["recording", "talk", "talk.jsonl"]
        );
    }
}
