//! Downloading one file of a repository, whole and verified.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use hf_hub::api::sync::ApiError;
use hf_hub::{Repo, RepoType};

use super::super::progress::{Event, Progress};
use super::super::verify::{self, Hash};
use super::client::{Hub, explain};
use super::listing::RemoteFile;
use crate::error::{Error, Result};

/// How often a download is taken up again after a lost connection.
const ATTEMPTS: usize = 4;

impl Hub<'_> {
    /// Brings one file to `path`, whole and verified.
    pub(super) fn download(
        &self,
        commit: &str,
        file: &RemoteFile,
        path: &Path,
        advance: &dyn Fn(u64),
        progress: &dyn Progress,
    ) -> Result<()> {
        let mut attempt = 1;
        loop {
            self.remove_finished_parts(file);
            let error = match self.download_once(commit, &file.name, advance) {
                Ok(blob) => match self.accept(file, &blob, path) {
                    Ok(()) => return Ok(()),
                    Err(error) => error,
                },
                // The thread still waits for its answer and holds hf-hub's lock on the file.
                Err(Failure::Stalled(why)) => return Err(self.failure(why)),
                Err(Failure::Broken(why)) => self.failure(why),
            };
            if attempt == ATTEMPTS || error.to_string().contains("http status: 4") {
                return Err(error);
            }
            attempt += 1;
            progress.event(Event::Message(&format!("{error}; trying again")));
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// One call of hf-hub, on its own thread; gives the finished blob.
    fn download_once(
        &self,
        commit: &str,
        name: &str,
        advance: &dyn Fn(u64),
    ) -> std::result::Result<PathBuf, Failure> {
        let (sender, receiver) = mpsc::channel();
        let repo = Repo::with_revision(self.repository.into(), RepoType::Model, commit.to_string());
        let (api, file_name) = (self.api.clone(), name.to_string());
        let worker = std::thread::Builder::new()
            .name("hub download".into())
            .spawn(move || {
                let forward = Forward { sender, done: 0 };
                api.repo(repo).download_with_progress(&file_name, forward)
            })
            .map_err(|e| Failure::Broken(e.to_string()))?;
        let stall = self.settings.stall_timeout;
        loop {
            match receiver.recv_timeout(stall) {
                Ok(done) => advance(done),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let seconds = stall.as_secs_f64();
                    return Err(Failure::Stalled(format!(
                        "no data for {seconds} s ({name})"
                    )));
                }
            }
        }
        match worker.join() {
            Ok(Ok(link)) => {
                let blob = fs::canonicalize(&link).map_err(|e| Failure::Broken(e.to_string()));
                // The link is in the way of the next download of the same file.
                if blob.as_ref().is_ok_and(|blob| *blob != link) {
                    let _ = fs::remove_file(&link);
                }
                blob
            }
            Ok(Err(error)) => Err(Failure::Broken(format!("{name}: {}", explain_api(&error)))),
            Err(_) => Err(Failure::Broken(format!(
                "{name}: the answer is not understood"
            ))),
        }
    }

    /// Verifies a finished blob and moves it to its name.
    fn accept(&self, file: &RemoteFile, blob: &Path, path: &Path) -> Result<()> {
        let length = fs::metadata(blob)
            .map_err(|e| Error::io("read", blob, e))?
            .len();
        // hf-hub names a blob by its ETag: the hash again, where the listing has none.
        let by_name = || Hash::from_etag(&blob.file_name()?.to_string_lossy());
        let outcome = match file.size {
            Some(size) if size != length => {
                Err(self.failure(format!("{}: {length} of {size} bytes arrived", file.name)))
            }
            _ => match file.hash().or_else(by_name) {
                Some(hash) => verify::check(blob, &hash)
                    .map_err(|error| self.failure(format!("{}: {error}", file.name))),
                None => Ok(()),
            },
        };
        if let Err(error) = outcome {
            let _ = fs::remove_file(blob);
            return Err(error);
        }
        fs::File::open(blob)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(blob, path))
            .map_err(|e| Error::io("create", path, e))
    }

    /// Removes a part that is as long as the file or longer: there is nothing left to ask for,
    /// and hf-hub would not finish it.
    fn remove_finished_parts(&self, file: &RemoteFile) {
        let Some(hash) = file.hash() else { return };
        let (Hash::Sha256(etag) | Hash::GitBlob(etag)) = hash;
        let folder = Repo::new(self.repository.into(), RepoType::Model).folder_name();
        let part = self
            .cache
            .join(folder)
            .join("blobs")
            .join(format!("{etag}.part"));
        let finished = fs::metadata(&part)
            .is_ok_and(|metadata| file.size.is_none_or(|size| metadata.len() >= size));
        if finished {
            let _ = fs::remove_file(part);
        }
    }
}

enum Failure {
    /// Nothing came for too long; the thread cannot be ended.
    Stalled(String),
    /// The connection broke or the answer is an error.
    Broken(String),
}

/// Sends hf-hub's progress to the thread that waits for it.
struct Forward {
    sender: mpsc::Sender<u64>,
    done: u64,
}

impl Forward {
    fn send(&self) {
        // Nobody listens any more when the download was given up.
        let _ = self.sender.send(self.done);
    }
}

impl hf_hub::api::Progress for Forward {
    fn init(&mut self, _size: usize, _file: &str) {
        self.done = 0;
    }

    fn update(&mut self, size: usize) {
        self.done += size as u64;
        self.send();
    }

    fn finish(&mut self) {
        self.send();
    }
}

fn explain_api(error: &ApiError) -> String {
    match error {
        ApiError::RequestError(error) => explain(&error.to_string()),
        other => other.to_string(),
    }
}
