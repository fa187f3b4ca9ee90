//! A repository on a local server, and a user's machine.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use whisper_weights::{Checkpoint, DType, Error, FetchEvent, Fetcher, Silent};

use crate::support::assert_same_tensors;
use crate::support::hub::{Fault, Server};
use crate::support::synthetic::Synthetic;

pub const REPOSITORY: &str = "someone/whisper-small-model";

/// Limits of time that are reached, and that are not.
pub const SOON: Duration = Duration::from_millis(500);

pub const LATER: Duration = Duration::from_secs(20);

/// A repository on a local server, and a user's machine with an empty cache.
pub struct World {
    pub machine: TempDir,
    pub original: PathBuf,
    pub server: Server,
    pub fetcher: Fetcher,
}

impl World {
    pub fn new(fault: Fault) -> Self {
        Self::with(fault, |model, folder| {
            model.write_hugging_face_folder(folder, DType::F16)
        })
    }

    pub fn with(fault: Fault, write: impl Fn(&Synthetic, &Path)) -> Self {
        Self::serving(REPOSITORY, fault, write)
    }

    pub fn serving(repository: &str, fault: Fault, write: impl Fn(&Synthetic, &Path)) -> Self {
        let machine = tempfile::tempdir().unwrap();
        let original = machine.path().join("original");
        write(&Synthetic::new(), &original);
        fs::write(original.join("README.md"), "not needed").unwrap();
        let server = Server::start(repository, &original, fault);
        let fetcher = Fetcher::from_env()
            .unwrap()
            .with_cache(machine.path().join("cache"))
            .with_hub_cache(None)
            .with_hub_endpoint(&server.endpoint)
            .with_pip(["false"]);
        Self {
            machine,
            original,
            server,
            fetcher,
        }
    }

    /// The same with a user of little patience: for the first answer, and in a running download.
    pub fn with_patience(mut self, answer: Duration, stall: Duration) -> Self {
        self.fetcher = (self.fetcher).with_hub_timeouts(Duration::from_secs(3), answer, stall);
        self
    }

    pub fn cache(&self) -> PathBuf {
        self.machine.path().join("cache")
    }

    /// A fetch that must succeed, with its messages.
    pub fn fetch(&self) -> (PathBuf, String) {
        let lines = RefCell::new(String::new());
        let progress = |event: FetchEvent<'_>| {
            if let FetchEvent::Message(line) = event {
                lines.borrow_mut().push_str(&format!("{line}\n"));
            }
        };
        let folder = self.fetcher.fetch(REPOSITORY, &progress).unwrap();
        self.assert_fetched(&folder);
        (folder, lines.into_inner())
    }

    /// The error of a fetch that must fail, within seconds, and leave nothing under a final name.
    pub fn error(&self) -> Error {
        let start = Instant::now();
        let error = self.fetcher.fetch(REPOSITORY, &Silent).unwrap_err();
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "{:?}",
            start.elapsed()
        );
        assert!(!error.to_string().contains('\n'), "{error}");
        assert_eq!(self.final_names(), Vec::<PathBuf>::new());
        error
    }

    /// The reasons of a fetch that no source could serve.
    pub fn failures(&self) -> String {
        let error = self.error();
        assert!(matches!(&error, Error::NotFetched { .. }), "{error}");
        error.to_string()
    }

    /// What an interrupted fetch left of the weights.
    pub fn part(&self) -> Option<PathBuf> {
        let parts = self
            .cache()
            .join("partial/someone--whisper-small-model/hub-parts");
        let mut files = fs::read_dir(parts).ok()?.map(|entry| entry.unwrap().path());
        files.find(|file| {
            file.extension()
                .is_some_and(|extension| extension == "part")
        })
    }

    /// What is under its final name.
    pub fn final_names(&self) -> Vec<PathBuf> {
        fs::read_dir(self.cache().join("models"))
            .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
            .unwrap_or_default()
    }

    pub fn assert_fetched(&self, folder: &Path) {
        let fetched = Checkpoint::open(folder).unwrap();
        assert_same_tensors(&fetched, &Checkpoint::open(&self.original).unwrap());
        assert!(fetched.tokenizer_json().is_ok());
    }
}
