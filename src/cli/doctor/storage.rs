//! Where models are kept: the folder, the room on its disk, and the models that are there.

use std::path::{Path, PathBuf};

use serde::Serialize;
use walkdir::WalkDir;
use whisper_rs::device;
use whisper_weights::Error;

use crate::cli::models::Models;

/// The cache of models.
#[derive(Debug, Default, Serialize)]
pub struct Storage {
    /// The cache folder, which the first fetch makes.
    pub folder: Option<PathBuf>,
    /// Why nothing can be put there.
    pub problem: Option<String>,
    pub free_bytes: Option<u64>,
    /// Whether the network is not to be used.
    pub offline: bool,
    pub models: Vec<Model>,
    /// What was compiled for GPUs, in builds that keep it.
    pub kernels: Option<KeptKernels>,
}

/// Compiled kernels that are kept for other processes.
#[derive(Debug, Serialize)]
pub struct KeptKernels {
    pub folder: PathBuf,
    pub bytes: u64,
}

/// A model that is on this machine.
#[derive(Debug, Serialize)]
pub struct Model {
    pub name: String,
    pub folder: PathBuf,
    pub bytes: u64,
}

impl KeptKernels {
    fn find() -> Option<Self> {
        let folder = device::kept_kernels()?;
        Some(Self {
            bytes: size(&folder),
            folder,
        })
    }
}

/// Bytes of the files in a folder and in those below it; none of what is not there or cannot be read.
fn size(folder: &Path) -> u64 {
    let entries = WalkDir::new(folder).into_iter().filter_map(Result::ok);
    let files = entries.filter_map(|entry| entry.metadata().ok());
    (files.filter(|file| file.is_file()).map(|file| file.len())).sum()
}

impl Storage {
    pub fn find(models: Result<Models, Error>, offline: bool) -> Self {
        let fetcher = match models {
            Ok(models) => models.fetcher,
            Err(error) => {
                return Storage {
                    problem: Some(error.to_string()),
                    offline,
                    kernels: KeptKernels::find(),
                    ..Storage::default()
                };
            }
        };
        let folder = fetcher.cache_folder();
        let (installed, unreadable) = match fetcher.installed() {
            Ok(installed) => (installed, None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        Storage {
            folder: Some(folder.to_path_buf()),
            problem: unreadable.or_else(|| problem(folder)),
            free_bytes: fetcher.free_space(),
            offline,
            kernels: KeptKernels::find(),
            models: (installed.into_iter())
                .map(|model| Model {
                    name: model.name,
                    folder: model.folder,
                    bytes: model.bytes,
                })
                .collect(),
        }
    }

    /// Whether a model can be put there.
    pub fn can_fetch(&self) -> bool {
        self.problem.is_none() && !self.offline
    }
}

/// Why no file can be made in a folder or, where it is not there yet, in the one that it will be made in.
fn problem(folder: &Path) -> Option<String> {
    // A relative path's last ancestor is empty, and stands for the current folder.
    let ancestors = folder
        .ancestors()
        .map(|folder| match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        });
    let there = ancestors.into_iter().find(|folder| folder.exists())?;
    let written = tempfile::tempfile_in(there);
    let error = written.err()?;
    Some(format!("{} cannot be written: {error}", there.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_can_be_made_is_no_problem_and_one_below_a_file_is() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(problem(&folder.path().join("not/there")), None);
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let problem = problem(&file.join("cache")).unwrap();
        assert!(problem.contains("cannot be written"), "{problem}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_size_of_a_folder_is_that_of_its_files() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(size(&folder.path().join("none")), 0);
        std::fs::create_dir(folder.path().join("below")).unwrap();
        std::fs::write(folder.path().join("below/a"), "abc").unwrap();
        std::fs::write(folder.path().join("b"), "de").unwrap();
        assert_eq!(size(folder.path()), 5);
        assert_eq!(
            KeptKernels::find().is_some(),
            device::kept_kernels().is_some()
        );
    }

    #[test]
    fn nothing_is_fetched_offline_or_without_a_folder() {
        let store = |problem: Option<&str>, offline| Storage {
            problem: problem.map(str::to_owned),
            offline,
            ..Storage::default()
        };
        assert!(store(None, false).can_fetch());
        assert!(!store(None, true).can_fetch());
        assert!(!store(Some("full"), false).can_fetch());
    }
}
