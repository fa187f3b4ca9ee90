//! The documents of the project, chapter by chapter.
//!
//! **Using it**
//!
//! - [`models`]: names, formats, fetching and the cache
//! - [`audio`]: what is decoded and how, and how exact the features are
//! - [`devices`]: what the model runs on, what `auto` takes, compute types
//! - [`options`]: what a transcription can be told, and where each option comes from
//! - [`errors`]: each error, its cause and what to do
//! - [`building`]: Cargo features and what they need
//!
//! **What it is worth**
//!
//! - [`accuracy`]: how near to openai/whisper, and how many errors
//! - [`parity_exceptions`]: where transcripts differ, and why
//! - [`performance`]: time and memory beside other engines
//! - [`evaluating`]: `eval` and `bench`, to measure it yourself
//! - [`comparing`]: `compare` and `plot`, to see what differs
//! - [`smoothing`]: an experiment on the features
//!
//! **The command line**
//!
//! - [`flags`]: whose flags they are, settings, the config file
//! - [`inputs`]: files, folders, lists, raw samples; taking up a run
//! - [`outputs`]: formats, subtitles, standard output
//! - [`feedback`]: progress, messages, ending a run, exit codes
//!
//! **Carrying on**
//!
//! - [`architecture`]: the way of the data, folder by folder
//! - [`extending`]: how to add a format, a filter, a writer, a kernel, a device
//! - [`testing`]: how tests and references are made
//!
//! The chapters are the files of `docs/`, which read the same where the code is hosted.

/// What the chapters call each other. Documents link to each other by references that they define at their end, as paths of
/// files; of two definitions the first counts, so that here the same links lead to modules.
macro_rules! links {
    () => {
        "[`accuracy.md`]: crate::book::accuracy
[`architecture.md`]: crate::book::architecture
[`audio.md`]: crate::book::audio
[`building.md`]: crate::book::building
[`comparing.md`]: crate::book::comparing
[`decoding.md`]: crate::book::options
[`devices.md`]: crate::book::devices
[`errors.md`]: crate::book::errors
[`evaluating.md`]: crate::book::evaluating
[`extending.md`]: crate::book::extending
[`feedback.md`]: crate::book::feedback
[`flags.md`]: crate::book::flags
[`inputs.md`]: crate::book::inputs
[`outputs.md`]: crate::book::outputs
[`parity-exceptions.md`]: crate::book::parity_exceptions
[`performance.md`]: crate::book::performance
[`smoothing.md`]: crate::book::smoothing
[`testing.md`]: crate::book::testing
[`weights.md`]: crate::book::models
[compute types]: crate::book::devices#compute-types
[figures on a CPU]: crate::book::performance#beside-other-engines-on-a-cpu
[figures of compute types]: crate::book::performance#compute-types-on-a-cpu"
    };
}

macro_rules! chapters {
    ($($name:ident, $file:literal, $summary:literal;)*) => {
        $(
            #[doc = $summary]
            #[doc = ""]
            #[doc = links!()]
            #[doc = ""]
            #[doc = include_str!(concat!("../docs/", $file))]
            pub mod $name {}
        )*

        /// The files of the chapters.
        #[cfg(test)]
        const CHAPTERS: &[&str] = &[$($file),*];
    };
}

chapters! {
    accuracy, "accuracy.md", "How near to openai/whisper, and how many errors.";
    architecture, "architecture.md", "The way of the data, folder by folder.";
    audio, "audio.md", "From a file to samples, and from samples to features.";
    building, "building.md", "Cargo features and what they need.";
    comparing, "comparing.md", "Transcripts side by side, and pictures of recordings.";
    devices, "devices.md", "What the model runs on.";
    errors, "errors.md", "Each error, its cause and what to do.";
    evaluating, "evaluating.md", "Counting errors, and timing the parts.";
    extending, "extending.md", "How to add a format, a filter, a writer, a kernel, a device.";
    feedback, "feedback.md", "What a run tells, and how it ends.";
    flags, "flags.md", "The flags of the command line, and settings.";
    inputs, "inputs.md", "What the command line reads.";
    models, "weights.md", "Names, formats, fetching and the cache.";
    options, "decoding.md", "What a transcription can be told.";
    outputs, "outputs.md", "What the command line writes.";
    parity_exceptions, "parity-exceptions.md", "Where transcripts differ from openai/whisper's, and why.";
    performance, "performance.md", "Time and memory, beside other engines.";
    smoothing, "smoothing.md", "An experiment on the features.";
    testing, "testing.md", "How tests and references are made.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use regex::Regex;

    use super::CHAPTERS;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    /// Every document: those of `docs/` and those at the top, with their texts.
    fn documents() -> Vec<(PathBuf, String)> {
        let mut paths = Vec::new();
        for folder in [root().to_path_buf(), root().join("docs")] {
            let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
            paths.extend(entries.map(|entry| entry.path()));
        }
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
        let read = |path: PathBuf| (path.clone(), fs::read_to_string(path).unwrap());
        paths.into_iter().map(read).collect()
    }

    #[test]
    fn every_document_is_a_chapter() {
        let chapters: BTreeSet<_> = CHAPTERS
            .iter()
            .map(|file| root().join("docs").join(file))
            .collect();
        let files: BTreeSet<_> = (documents().into_iter())
            .map(|(path, _)| path)
            .filter(|path| path.starts_with(root().join("docs")))
            .collect();
        assert_eq!(chapters, files);
    }

    /// A link is a file beside the document; a label has a definition at the document's end, and one here for the chapters.
    #[test]
    fn links_lead_somewhere() {
        let inline = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
        let defined = Regex::new(r"(?m)^\[([^\]]+)\]: (\S+)$").unwrap();
        let label = Regex::new(r"\[(`[a-z-]+\.md`)\]").unwrap();
        for (path, text) in documents() {
            let folder = path.parent().unwrap();
            let mut labels = BTreeSet::new();
            for definition in defined.captures_iter(&text) {
                labels.insert(definition[1].to_owned());
                let in_book = links!().contains(&format!("[{}]: ", &definition[1]));
                assert!(
                    in_book || folder == root(),
                    "{}: {} is no link of the book",
                    path.display(),
                    &definition[1]
                );
            }
            let targets = (inline.captures_iter(&text).map(|link| link[1].to_owned()))
                .chain(defined.captures_iter(&text).map(|link| link[2].to_owned()));
            for target in targets.filter(|target| !target.starts_with("http")) {
                let (file, heading) = target.split_once('#').unwrap_or((&target, ""));
                let file = match file {
                    "" => path.clone(),
                    file => folder.join(file),
                };
                assert!(file.exists(), "{}: {target} leads nowhere", path.display());
                if !heading.is_empty() {
                    let headings = headings(&fs::read_to_string(file).unwrap());
                    assert!(
                        headings.contains(heading),
                        "{}: {target} has no such heading",
                        path.display()
                    );
                }
            }
            for link in label.captures_iter(&text) {
                assert!(
                    labels.contains(&link[1]),
                    "{}: {} is not defined at its end",
                    path.display(),
                    &link[1]
                );
            }
        }
    }

    /// The names by which a document's headings are linked to.
    fn headings(text: &str) -> BTreeSet<String> {
        let lines = text.lines().filter(|line| line.starts_with('#'));
        let name = |line: &str| {
            let words = line
                .trim_start_matches('#')
                .trim()
                .to_lowercase()
                .replace(' ', "-");
            words
                .chars()
                .filter(|c| c.is_alphanumeric() || "-_".contains(*c))
                .collect()
        };
        lines.map(name).collect()
    }

    /// What is fenced without a language would be compiled as Rust.
    #[test]
    fn fences_say_their_language() {
        for (path, text) in documents() {
            let fences: Vec<_> = text
                .lines()
                .filter(|line| line.trim_start().starts_with("```"))
                .collect();
            for opening in fences.chunks(2).map(|pair| pair[0].trim()) {
                assert_ne!(opening, "```", "{}", path.display());
            }
        }
    }

    /// Files that documents name are there. (Two documents name files of other projects.)
    #[test]
    fn files_that_documents_name_exist() {
        let file = Regex::new(
            r"`((?:src|kernels|weights|tests|docs|benches|examples|fuzz|scripts)/[\w./-]*\w)`",
        )
        .unwrap();
        for (path, text) in documents() {
            if path.ends_with("docs/smoothing.md") || path.ends_with("docs/decoding.md") {
                continue;
            }
            for named in file.captures_iter(&text) {
                assert!(
                    root().join(&named[1]).exists(),
                    "{}: there is no {}",
                    path.display(),
                    &named[1]
                );
            }
        }
    }

    #[test]
    fn the_chapter_of_errors_has_every_variant() {
        let variant = Regex::new(r"(?m)^    ([A-Z]\w+)(?: \{|\(|,)").unwrap();
        let chapter = include_str!("../docs/errors.md");
        let (ours, rest) = chapter.split_once("## `whisper_weights::Error`").unwrap();
        let (weights, kernels) = rest.split_once("## `whisper_kernels::Error`").unwrap();
        for (source, part) in [
            (include_str!("error.rs"), ours),
            (include_str!("../weights/src/error.rs"), weights),
            (include_str!("../kernels/src/error.rs"), kernels),
        ] {
            let start = source.find("pub enum Error").unwrap();
            let variants = &source[start..start + source[start..].find("\n}").unwrap()];
            let names: Vec<_> = variant
                .captures_iter(variants)
                .map(|name| name[1].to_owned())
                .collect();
            assert!(names.len() > 3, "{names:?}");
            for name in names {
                assert!(
                    part.contains(&format!("| `{name}` |")),
                    "docs/errors.md lacks {name}"
                );
            }
        }
    }
}
