//! Models from the Hugging Face Hub, through the hf-hub crate.
//!
//! hf-hub sets no time limits and reports some broken answers by a panic. So it works on a thread
//! of its own, and a download from which nothing is heard for a while is given up.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use hf_hub::api::sync::{Api, ApiBuilder, ApiError};
use hf_hub::{Repo, RepoType};
use serde::Deserialize;

use super::progress::{Download, Event, Progress};
use super::settings::HubSettings;
use super::verify::{self, Hash};
use crate::error::{Error, Result};

/// How often a download is taken up again after a lost connection.
const ATTEMPTS: usize = 4;

/// Files that are kept beside the weights, where a repository has them.
const COMPANIONS: &[&str] = &[
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "tokenizer_config.json",
    "tokenizer.json",
    "vocab.json",
    "merges.txt",
    "added_tokens.json",
    "vocabulary.json",
    "vocabulary.txt",
];

/// A model in the Hub's own local cache, where another program has left it.
pub(super) fn find_local(settings: &HubSettings, repository: &str) -> Option<PathBuf> {
    let cache = hf_hub::Cache::new(settings.cache.clone()?).model(repository.into());
    let weights = [
        "model.safetensors",
        "model.safetensors.index.json",
        "model.bin",
    ]
    .iter()
    .find_map(|name| cache.get(name))?;
    let folder = weights.parent()?.to_path_buf();
    // Programs fetch only the files that they need, so that it may be half a model.
    let checkpoint = crate::Checkpoint::open(&folder).ok()?;
    checkpoint.tokenizer_json().ok()?;
    Some(folder)
}

/// Fetches a repository's model. The result is a folder of verified files in `partial`.
pub(super) fn fetch(
    settings: &HubSettings,
    repository: &str,
    partial: &Path,
    progress: &dyn Progress,
) -> Result<PathBuf> {
    let hub = Hub::new(settings, repository, &partial.join("hub"))?;
    let listing = hub.list()?;
    let wanted = choose(&listing).ok_or_else(|| {
        hub.failure("the repository holds neither model.safetensors nor a CTranslate2 model.bin")
    })?;

    let files = partial.join("hub-files");
    fs::create_dir_all(&files).map_err(|e| Error::io("create", &files, e))?;
    let total = wanted.iter().map(|file| file.size).sum::<Option<u64>>();
    let download = Download::start(progress, repository, total);
    let mut done = 0;
    for file in wanted {
        let path = files.join(&file.name);
        let whole = file
            .hash()
            .is_some_and(|hash| verify::check(&path, &hash).is_ok());
        if !whole {
            let advance = |bytes: u64| download.advance_to(done + bytes);
            hub.download(&listing.sha, file, &path, &advance, progress)?;
        }
        done += fs::metadata(&path)
            .map_err(|e| Error::io("read", &path, e))?
            .len();
        download.advance_to(done);
    }
    Ok(files)
}

/// What the Hub says of a repository: `GET /api/models/<repository>/revision/main?blobs=true`.
#[derive(Deserialize)]
struct Listing {
    /// The commit: all files are taken from this one.
    sha: String,
    siblings: Vec<RemoteFile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RemoteFile {
    #[serde(rename = "rfilename")]
    name: String,
    size: Option<u64>,
    blob_id: Option<String>,
    lfs: Option<LargeFile>,
}

#[derive(Deserialize)]
struct LargeFile {
    sha256: Option<String>,
}

impl RemoteFile {
    fn hash(&self) -> Option<Hash> {
        match &self.lfs {
            Some(large) => Hash::from_etag(large.sha256.as_ref()?),
            None => Hash::from_etag(self.blob_id.as_ref()?),
        }
    }
}

/// The files of a repository that make up the model: its weights, preferably in one file, and
/// what belongs beside them.
fn choose(listing: &Listing) -> Option<Vec<&RemoteFile>> {
    let named = |name: &str| listing.siblings.iter().find(|file| file.name == name);
    let mut wanted: Vec<&RemoteFile> = COMPANIONS.iter().filter_map(|name| named(name)).collect();
    if let Some(weights) = named("model.safetensors") {
        wanted.push(weights);
    } else if let Some(index) = named("model.safetensors.index.json") {
        wanted.push(index);
        wanted.extend(listing.siblings.iter().filter(|file| {
            file.name.starts_with("model-")
                && file.name.ends_with(".safetensors")
                && !file.name.contains('/')
        }));
    } else {
        wanted.push(named("model.bin")?);
    }
    Some(wanted)
}

/// One repository, through hf-hub.
struct Hub<'a> {
    api: Api,
    repository: &'a str,
    /// hf-hub's cache for this download alone: `blobs/<etag>.part` grows, then `blobs/<etag>`
    /// is there with a link to it.
    cache: PathBuf,
    settings: &'a HubSettings,
}

impl<'a> Hub<'a> {
    fn new(settings: &'a HubSettings, repository: &'a str, cache: &Path) -> Result<Self> {
        let mut builder = ApiBuilder::from_cache(hf_hub::Cache::new(cache.to_path_buf()))
            .with_progress(false)
            .with_token(settings.token.clone())
            .with_user_agent("whisper-rs", env!("CARGO_PKG_VERSION"));
        if let Some(endpoint) = &settings.endpoint {
            builder = builder.with_endpoint(endpoint.clone());
        }
        let api = builder
            .build()
            .map_err(|e| Error::source(repository, one_line(&e)))?;
        Ok(Self {
            api,
            repository,
            cache: cache.to_path_buf(),
            settings,
        })
    }

    fn failure(&self, why: impl std::fmt::Display) -> Error {
        Error::source(
            format!("Hugging Face Hub ({})", self.repository),
            one_line(&why),
        )
    }

    /// Asks for the repository's files. This is also the probe whether the Hub can be reached.
    fn list(&self) -> Result<Listing> {
        let repo = self
            .api
            .repo(Repo::new(self.repository.into(), RepoType::Model));
        let response = repo
            .info_request()
            .query("blobs", "true")
            .config()
            .timeout_resolve(Some(self.settings.connect_timeout))
            .timeout_connect(Some(self.settings.connect_timeout))
            .timeout_global(Some(self.settings.answer_timeout))
            .build()
            .call();
        let mut response = response.map_err(|e| self.failure(explain(&e.to_string())))?;
        let text = response
            .body_mut()
            .read_to_string()
            .map_err(|e| self.failure(e))?;
        let listing: Listing = serde_json::from_str(&text)
            .map_err(|e| self.failure(format!("its answer is not understood: {e}")))?;
        // The names become paths here: nothing but plain names is looked at.
        Ok(Listing {
            siblings: listing
                .siblings
                .into_iter()
                .filter(|file| {
                    Path::new(&file.name)
                        .file_name()
                        .is_some_and(|n| n == &*file.name)
                })
                .collect(),
            ..listing
        })
    }

    /// Brings one file to `path`, whole and verified.
    fn download(
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

/// Adds to an error of the HTTP library what it means here.
fn explain(error: &str) -> String {
    let meaning = if error.ends_with("status: 404") {
        "there is no such repository or file"
    } else if error.ends_with("status: 401") || error.ends_with("status: 403") {
        "the repository does not exist, or HF_TOKEN gives no access to it"
    } else if error.starts_with("timeout") {
        "it does not answer"
    } else {
        return error.to_string();
    };
    format!("{error} ({meaning})")
}

fn one_line(text: &impl std::fmt::Display) -> String {
    text.to_string()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
