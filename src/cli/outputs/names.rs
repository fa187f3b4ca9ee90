//! Names of output files: after their inputs, each another, and none an input's own.
//!
//! A name that several inputs would have is none's: whatever order they come in, a file of that name from another run is
//! then not taken for the output of one of them.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::iter;
use std::path::{Component, Path, PathBuf};

use whisper_rs::output::{PARTIAL, file_name, partial_path};

/// An input whose outputs are to be named.
#[derive(Debug)]
pub struct Recording<'a> {
    /// Where its outputs go.
    pub folder: PathBuf,
    pub path: &'a Path,
    /// The path that its outputs are named after.
    pub called: &'a Path,
    /// Stands behind each name.
    pub suffix: &'static str,
}

/// Gives out names without endings.
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

    /// The names of the outputs of all recordings of a run: `talk` for `calls/talk.wav`; where files of another one would be
    /// called the same, or an input would be overwritten, `talk.wav`, then `calls-talk.wav` and so on; and where all of
    /// these are taken, `talk-2`. One that is too long is cut. Says of each as well whether it is the first of these.
    pub fn of_all(mut self, recordings: &[Recording<'_>]) -> Vec<(PathBuf, bool)> {
        let names: Vec<Vec<PathBuf>> = recordings.iter().map(|one| self.candidates(one)).collect();
        let owners: Vec<PathBuf> = recordings.iter().map(|one| owner(one.path)).collect();
        let mut chosen = vec![0; recordings.len()];
        loop {
            let before = chosen.clone();
            for index in self.contested(&owners, &names, &chosen) {
                chosen[index] = (chosen[index] + 1).min(names[index].len() - 1);
            }
            if chosen == before {
                break;
            }
        }
        let mut all = Vec::with_capacity(recordings.len());
        for (index, one) in recordings.iter().enumerate() {
            let (names, owner) = (&names[index], &owners[index]);
            let name = &names[chosen[index]];
            let stem = self.cut_for(one, one.called.file_stem().unwrap_or_default());
            let numbered = (2..).map(|number| {
                one.folder
                    .join(with(&stem, format!("-{number}{}", one.suffix)))
            });
            let free =
                (iter::once(name.clone()).chain(numbered)).find(|name| self.take_for(name, owner));
            // The numbers never end.
            let name = free.unwrap_or_else(|| name.clone());
            let plain = name == names[0];
            all.push((name, plain));
        }
        all
    }

    /// The names that a recording may have, the plainest first, without numbers.
    fn candidates(&self, one: &Recording<'_>) -> Vec<PathBuf> {
        let path = one.called;
        let file = path.file_name().unwrap_or(path.as_os_str()).to_owned();
        let stem = path.file_stem().unwrap_or(&file).to_owned();
        let mut names = vec![self.cut_for(one, &stem), self.cut_for(one, &file)];
        let folders = path.parent().into_iter().flat_map(Path::components).rev();
        let mut longer = file;
        for folder in folders.filter(|folder| matches!(folder, Component::Normal(_))) {
            longer = with(&with(folder.as_os_str(), "-"), longer);
            if self.cut_for(one, &longer) != longer {
                // What tells it apart would be cut off.
                break;
            }
            names.push(longer.clone());
        }
        (names.iter())
            .map(|name| one.folder.join(with(name, one.suffix)))
            .collect()
    }

    /// Which recordings cannot have the names that are chosen: another one has them as well, or an input.
    fn contested(
        &self,
        owners: &[PathBuf],
        names: &[Vec<PathBuf>],
        chosen: &[usize],
    ) -> Vec<usize> {
        let mut wanted: HashMap<OsString, Vec<usize>> = HashMap::new();
        let mut contested = HashSet::new();
        for (index, (names, &chosen)) in names.iter().zip(chosen).enumerate() {
            for file in self.files(&names[chosen]) {
                if self.is_input(&file) {
                    contested.insert(index);
                }
                wanted.entry(key(&file)).or_default().push(index);
            }
        }
        for several in wanted.into_values().filter(|indexes| indexes.len() > 1) {
            if several
                .iter()
                .any(|&index| owners[index] != owners[several[0]])
            {
                contested.extend(several);
            }
        }
        contested.into_iter().collect()
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
            owner.is_none_or(|owner| owner == input) && !self.is_input(file)
        };
        let all_free = files.iter().all(free);
        if all_free {
            let given = files.iter().map(|file| (key(file), input.to_owned()));
            self.given.extend(given);
        }
        all_free
    }

    fn is_input(&self, file: &Path) -> bool {
        real_path(file).is_some_and(|file| self.inputs.contains(&file))
    }

    /// The files of a name, and what each is called while it grows.
    fn files(&self, path: &Path) -> Vec<PathBuf> {
        let stem = path.file_name().unwrap_or_default();
        (self.extensions.iter())
            .map(|extension| path.with_file_name(file_name(stem, extension)))
            .flat_map(|file| [partial_path(&file), file])
            .collect()
    }

    /// A name of a recording's, with room for a number as well.
    fn cut_for(&self, one: &Recording<'_>, name: &OsStr) -> OsString {
        self.cut(name, &format!("{NUMBER}{}", one.suffix))
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

fn with(name: &OsStr, suffix: impl AsRef<OsStr>) -> OsString {
    let mut name = name.to_owned();
    name.push(suffix);
    name
}

/// What tells an input from others: where it lies, or its name if it is not there.
fn owner(path: &Path) -> PathBuf {
    real_path(path).unwrap_or_else(|| path.to_owned())
}

/// The path of a file that is there, without links.
fn real_path(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording<'a>(folder: &Path, path: &'a Path, suffix: &'static str) -> Recording<'a> {
        Recording {
            folder: folder.to_owned(),
            path,
            called: path,
            suffix,
        }
    }

    fn names(folder: &Path, extensions: &[&str], inputs: &[PathBuf]) -> Vec<String> {
        let names = OutputNames::new(extensions, inputs.iter().map(PathBuf::as_path));
        let recordings: Vec<_> = (inputs.iter())
            .map(|input| recording(folder, input, ""))
            .collect();
        (names.of_all(&recordings).into_iter())
            .map(|(path, _)| path.strip_prefix(folder).unwrap().display().to_string())
            .collect()
    }

    #[test]
    fn inputs_of_one_name_get_different_outputs_in_any_order() {
        let inputs = [
            "a/talk.wav",
            "b/talk.mp3",
            "b/other.wav",
            "c/Talk.mp3",
            "a/talk.wav",
            "d/talk.wav",
            "../talk.opus",
        ];
        let mut inputs = inputs.map(PathBuf::from);
        let mut expected = [
            "a-talk.wav",
            "b-talk.mp3",
            "other",
            "c-Talk.mp3",
            "a-talk.wav",
            "d-talk.wav",
            "talk.opus",
        ];
        assert_eq!(names(Path::new("out"), &["txt"], &inputs), expected);
        inputs.reverse();
        expected.reverse();
        assert_eq!(names(Path::new("out"), &["txt"], &inputs), expected);
    }

    #[test]
    fn what_no_path_tells_apart_is_numbered() {
        let inputs = ["a/b/talk.wav", "b/talk.wav", "talk.wav", "../talk.wav"].map(PathBuf::from);
        assert_eq!(
            names(Path::new("out"), &["txt"], &inputs),
            ["a-b-talk.wav", "b-talk.wav", "talk.wav", "talk-2"]
        );
    }

    #[test]
    fn files_of_different_formats_are_told_apart() {
        let inputs = ["talk.wav", "talk.full.wav"].map(PathBuf::from);
        assert_eq!(
            names(Path::new("out"), &["json", "full.json"], &inputs),
            ["talk.wav", "talk.full.wav"]
        );
    }

    #[test]
    fn long_names_stay_different_when_they_are_cut() {
        let long = |last: char| PathBuf::from(format!("{}{last}.wav", "é".repeat(124)));
        let extensions = ["json", "full.json", "jsonl", "txt"];
        let inputs = [long('a'), long('b')];
        let out = Path::new("out");
        let recordings: Vec<_> = (inputs.iter())
            .flat_map(|input| ["-left", "-right"].map(|suffix| recording(out, input, suffix)))
            .collect();
        let given = OutputNames::new(&extensions, []).of_all(&recordings);
        let mut all = HashSet::new();
        for (name, _) in given {
            for file in OutputNames::new(&extensions, []).files(&name) {
                assert!(file.file_name().unwrap().len() <= 255, "{file:?}");
                assert!(all.insert(file.clone()), "{file:?}");
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
