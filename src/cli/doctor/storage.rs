//! Where models are kept: the folder, the room on its disk, and the models that are there.

use std::path::{Path, PathBuf};

use serde::Serialize;
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
}

/// A model that is on this machine.
#[derive(Debug, Serialize)]
pub struct Model {
    pub name: String,
    pub folder: PathBuf,
    pub bytes: u64,
}

impl Storage {
    pub fn find(models: Result<Models, Error>, offline: bool) -> Self {
        let fetcher = match models {
            Ok(models) => models.fetcher,
            Err(error) => {
                return Storage {
                    problem: Some(error.to_string()),
                    offline,
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
