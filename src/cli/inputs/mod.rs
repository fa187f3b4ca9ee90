//! From the names on the command line to the recordings to transcribe: globs, folders, a list, channels.

mod input;
mod list_file;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use input::channels;
pub use input::{ChannelChoice, Input, STANDARD_INPUT};

use super::flags::input::InputFlags;
use super::refused::Refused;

/// What names on the command line stand for.
#[derive(Debug, Default)]
pub struct Found {
    pub inputs: Vec<Input>,
    /// A line for each input that several names stand for, which is there once.
    pub repeated: Vec<String>,
    /// A line for each name, or part of a folder, that stands for nothing.
    pub errors: Vec<String>,
}

/// The recordings that names and flags stand for, in their order; what is in folders, and what a glob finds, by name.
/// Where there is nothing behind a name that is told, and the others count all the same.
///
/// # Errors
///
/// When standard input would be read more than once.
pub fn inputs(names: &[PathBuf], flags: &InputFlags) -> Result<Found, Refused> {
    let mut found = Found::default();
    let listed = flags.files_from.0.as_deref().map(listed).transpose();
    let listed = listed.unwrap_or_else(|line| {
        found.errors.push(line);
        None
    });
    for name in names.iter().chain(listed.iter().flatten()) {
        found.add(name, flags.recursive);
    }
    if found.inputs.is_empty() && found.errors.is_empty() {
        found
            .errors
            .push("no FILES: the list names none".to_owned());
    }
    found.inputs = (found.inputs.into_iter())
        .flat_map(|input| channels(input, flags.channel))
        .collect();
    let from_list = flags.files_from.0.as_deref() == Some(Path::new(STANDARD_INPUT));
    let inputs = found.inputs.iter();
    let readers = inputs.filter(|input| input.is_standard_input()).count();
    if readers + usize::from(from_list) > 1 {
        return Err(Refused::Usage(
            "standard input can be read once: give - once, without --channel split".to_owned(),
        ));
    }
    Ok(found)
}

/// The names in a list that lies in a file, or comes on standard input.
fn listed(list: &Path) -> Result<Vec<PathBuf>, String> {
    let shown = list.display().to_string();
    if list == Path::new(STANDARD_INPUT) {
        return list_file::names(io::stdin().lock(), &shown);
    }
    let file = File::open(list).map_err(|error| format!("{shown}: {error}"))?;
    list_file::names(file, &shown)
}

impl Found {
    /// Leaves out what is there already. A link of another name is another input, since its outputs are called otherwise.
    pub fn once_each(mut self) -> Self {
        let mut seen = HashSet::new();
        let mut told = HashSet::new();
        self.inputs.retain(|input| {
            let place = place(&input.path);
            let first = input.is_standard_input() || seen.insert((place.clone(), input.suffix));
            if !first && told.insert(place) {
                let path = input.path.display();
                (self.repeated).push(format!("{path}: given more than once, done once"));
            }
            first
        });
        self
    }

    /// Adds what one name stands for. A file that is not there is an input all the same, and fails when its turn comes.
    fn add(&mut self, name: &Path, recursive: bool) {
        let pattern = name.to_str().filter(|text| text.contains(['*', '?', '[']));
        match pattern {
            _ if name.is_dir() => self.add_folder(name, recursive),
            Some(pattern) if !name.exists() => self.add_glob(pattern, recursive),
            _ => self.inputs.push(Input::file(name.to_owned())),
        }
    }

    fn add_glob(&mut self, pattern: &str, recursive: bool) {
        let paths = match glob::glob(pattern) {
            Ok(paths) => paths,
            Err(error) => return self.errors.push(format!("{pattern}: {error}")),
        };
        let before = self.len();
        let mut folders = false;
        // `**` goes down links as well, which may lead in a circle.
        let mut seen = pattern.contains("**").then(HashSet::new);
        for path in paths {
            let again = |path: &PathBuf| {
                let real = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
                seen.as_mut().is_some_and(|seen| !seen.insert(real))
            };
            if path.as_ref().is_ok_and(again) {
                continue;
            }
            match path {
                Ok(path) if path.is_dir() && recursive => self.add_folder(&path, recursive),
                // `*` finds folders as well, which nobody may have meant.
                Ok(path) if path.is_dir() => folders = true,
                Ok(path) => self.inputs.push(Input::file(path)),
                Err(error) => {
                    self.errors
                        .push(format!("{}: {}", error.path().display(), error.error()))
                }
            }
        }
        if self.len() == before {
            let hint = match folders {
                true => ", only folders; --recursive looks in them",
                false => "",
            };
            self.errors.push(format!("{pattern}: no such file{hint}"));
        }
    }

    /// Adds the audio and video files in a folder, by name.
    fn add_folder(&mut self, folder: &Path, recursive: bool) {
        let depth = if recursive { usize::MAX } else { 1 };
        let walk = WalkDir::new(folder)
            .min_depth(1)
            .max_depth(depth)
            .follow_links(true)
            .sort_by_file_name();
        let before = self.len();
        for entry in walk {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.errors.push(one_line(folder, &error));
                    continue;
                }
            };
            let path = entry.path();
            if !entry.file_type().is_file() || !is_audio(path) {
                continue;
            }
            let below = path.strip_prefix(folder).ok().and_then(Path::parent);
            self.inputs.push(Input {
                folder: below.unwrap_or(Path::new("")).to_owned(),
                ..Input::file(path.to_owned())
            });
        }
        if self.len() == before {
            let hint = match recursive {
                true => "",
                false => "; --recursive looks in the folders within",
            };
            let folder = folder.display();
            self.errors
                .push(format!("{folder}: no audio in this folder{hint}"));
        }
    }

    /// How much there is, errors included.
    fn len(&self) -> usize {
        self.inputs.len() + self.errors.len()
    }
}

/// Where a file lies, by whatever path it was named: the real folder, and the file's name in it.
fn place(path: &Path) -> PathBuf {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    match (fs::canonicalize(folder), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

fn one_line(folder: &Path, error: &walkdir::Error) -> String {
    let path = error.path().unwrap_or(folder).display();
    match error.io_error() {
        Some(error) => format!("{path}: {error}"),
        None => format!("{path}: the folder is a link to one that it is in"),
    }
}

/// Endings by which audio and video are told in folders.
const ENDINGS: [&str; 36] = [
    "3gp", "aac", "ac3", "aif", "aifc", "aiff", "amr", "ape", "avi", "caf", "dts", "eac3", "flac",
    "flv", "m4a", "m4b", "m4v", "mka", "mkv", "mov", "mp1", "mp2", "mp3", "mp4", "mpeg", "mpg",
    "oga", "ogg", "ogv", "opus", "ts", "wav", "weba", "webm", "wma", "wv",
];

/// Whether a file is audio or video, by its ending.
pub fn is_audio(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| {
        ENDINGS
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::testing::transcribe;
    use super::*;

    fn tree() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "b.wav",
            "a.MP3",
            "notes.txt",
            "deep/er/c.opus",
            "deep/d.flac",
        ] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        folder
    }

    /// What names below `folder` stand for: names and where their outputs go.
    fn found(folder: &Path, names: &[&str], flags: &[&str]) -> (Vec<(String, String)>, String) {
        let names: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
        let found = inputs(&names, &transcribe(flags).unwrap().input).unwrap();
        let shown = |input: Input| {
            let path = input
                .path
                .strip_prefix(folder)
                .unwrap()
                .display()
                .to_string();
            (path, format!("{}{}", input.folder.display(), input.suffix))
        };
        let inputs = found.inputs.into_iter().map(shown).collect();
        (inputs, found.errors.join("; "))
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |&(path, place): &(&str, &str)| (path.to_owned(), place.to_owned());
        expected.iter().map(owned).collect()
    }

    #[cfg(unix)]
    #[test]
    fn a_glob_that_goes_in_a_circle_finds_each_file_once() {
        let tree = tree();
        std::os::unix::fs::symlink("..", tree.path().join("deep/loop")).unwrap();
        let (inputs, errors) = found(tree.path(), &["**/*.wav"], &[]);
        assert_eq!(inputs.len(), 1, "{inputs:?}");
        assert_eq!(errors, "");
    }

    #[test]
    fn folders_and_globs_by_name() {
        let tree = tree();
        let found = |names: &[&str], flags: &[&str]| found(tree.path(), names, flags);
        assert_eq!(found(&["."], &[]).0, pairs(&[("a.MP3", ""), ("b.wav", "")]));
        assert_eq!(
            found(&["."], &["--recursive"]).0,
            pairs(&[
                ("a.MP3", ""),
                ("b.wav", ""),
                ("deep/d.flac", "deep"),
                ("deep/er/c.opus", "deep/er"),
            ])
        );
        assert_eq!(
            found(&["*.wav", "deep/*"], &[]).0,
            pairs(&[("b.wav", ""), ("deep/d.flac", "")])
        );
        assert!(found(&["deep/er", "missing.wav"], &[]).0.len() == 2);
    }

    #[test]
    fn a_name_that_stands_for_nothing_is_told_and_the_others_count() {
        let tree = tree();
        fs::remove_file(tree.path().join("deep/d.flac")).unwrap();
        let mut names = vec!["*.ogg", "deep", "b.wav", "[", "deep/er"];
        let (inputs, errors) = found(tree.path(), &names, &[]);
        assert_eq!(inputs, pairs(&[("b.wav", ""), ("deep/er/c.opus", "")]));
        for says in ["*.ogg: no such file", "--recursive", "[: "] {
            assert!(errors.contains(says), "{errors}");
        }
        names.truncate(2);
        assert_eq!(found(tree.path(), &names, &[]).0, []);
        let (_, errors) = found(tree.path(), &["dee?"], &[]);
        assert!(errors.ends_with("looks in them"), "{errors}");
        let list = format!("--files_from={}", tree.path().join("none").display());
        let (inputs, errors) = found(tree.path(), &["b.wav"], &[&list]);
        assert_eq!((inputs.len(), errors.contains("none: ")), (1, true));
    }

    #[test]
    fn what_is_given_twice_is_done_once_and_told() {
        let tree = tree();
        let names: Vec<PathBuf> = ["b.wav", "deep/../b.wav", ".", "missing.wav", "missing.wav"]
            .map(|name| tree.path().join(name))
            .into();
        let flags = transcribe(&["--channel", "left"]).unwrap().input;
        let found = inputs(&names, &flags).unwrap().once_each();
        let paths: Vec<_> = found.inputs.iter().map(|input| &input.path).collect();
        assert_eq!(paths, [&names[0], &tree.path().join("a.MP3"), &names[3]]);
        let [first, second] = found.repeated.as_slice() else {
            panic!("{:?}", found.repeated);
        };
        assert!(first.contains("b.wav: given more than once"), "{first}");
        assert!(second.contains("missing.wav: given more"), "{second}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_folder_around_it_is_told_and_the_files_beside_it_count() {
        let tree = tree();
        std::os::unix::fs::symlink(tree.path(), tree.path().join("deep/around")).unwrap();
        let (inputs, errors) = found(tree.path(), &["."], &["--recursive"]);
        assert_eq!(inputs.len(), 4);
        assert!(errors.contains("around: the folder is a link"), "{errors}");
    }

    #[test]
    fn inputs_are_called_by_what_they_are() {
        let mut input = Input::file("calls/talk.wav".into());
        input.suffix = "-left";
        assert_eq!(input.name(), "calls/talk.wav (left)");
        assert_eq!(input.short_name(), "talk.wav (left)");
        let input = Input::file(STANDARD_INPUT.into());
        assert_eq!([input.name(), input.short_name()], ["standard input"; 2]);
    }

    #[test]
    fn a_file_whose_name_is_a_pattern_is_that_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("[a].wav"), "").unwrap();
        assert_eq!(
            found(folder.path(), &["[a].wav"], &[]).0,
            pairs(&[("[a].wav", "")])
        );
    }

    #[test]
    fn split_channels_are_two_recordings() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            found(folder.path(), &["a.wav"], &["--channel", "split"]).0,
            pairs(&[("a.wav", "-left"), ("a.wav", "-right")])
        );
        let standard_input = [PathBuf::from("-")];
        let flags = transcribe(&["--channel", "split"]).unwrap().input;
        let refused = inputs(&standard_input, &flags).unwrap_err();
        assert!(matches!(refused, Refused::Usage(line) if line.contains("once")));
    }
}
