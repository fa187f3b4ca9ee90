//! The cache of fetched models.
//!
//! ```text
//! <cache>/models/<name>/     a whole model: weights, config.json, tokenizer.json ...
//! <cache>/partial/<name>/    what is being downloaded
//! <cache>/partial/<name>.lock
//! ```
//!
//! A model appears under its final name by one rename, when all of its files are there and
//! verified. The lock lets one process at a time download a model; the operating system frees it
//! when that process ends, however it ends, and the next one takes up what is there.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::progress::{FetchEvent, FetchProgress};
use crate::error::{Error, Result};
use crate::formats;
use crate::room;

/// A download that nobody took up again for so long is removed.
const STALE: Duration = Duration::from_secs(7 * 24 * 3600);

#[derive(Clone, Debug)]
pub(super) struct Cache {
    root: PathBuf,
}

impl Cache {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The whole cache's folder.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Where a model's files are, or will be.
    pub(super) fn model(&self, name: &str) -> PathBuf {
        self.root.join("models").join(folder_name(name))
    }

    /// The folder of a model that is there. A folder that cannot be read is an error: it is not known what it holds.
    pub(super) fn find(&self, name: &str) -> Result<Option<PathBuf>> {
        let folder = self.model(name);
        Ok(is_whole(&folder)?.then_some(folder))
    }

    /// Where a model's download grows.
    pub(super) fn partial(&self, name: &str) -> PathBuf {
        self.root.join("partial").join(folder_name(name))
    }

    /// All models that are there, by name, with their folders.
    pub(super) fn models(&self) -> Result<Vec<(String, PathBuf)>> {
        let parent = self.root.join("models");
        let read_error = |e| Error::io("read", &parent, e);
        let entries = match fs::read_dir(&parent) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(read_error(error)),
        };
        let mut models = Vec::new();
        for entry in entries {
            let folder = entry.map_err(read_error)?.path();
            let name = folder.file_name().and_then(|name| name.to_str());
            if let Some(name) = name
                && folder.is_dir()
                && is_whole(&folder)?
            {
                models.push((model_name(name), folder));
            }
        }
        models.sort();
        Ok(models)
    }

    /// Makes this process the only one that downloads the model, waiting for another that does.
    pub(super) fn lock(&self, name: &str, progress: &dyn FetchProgress) -> Result<Partial> {
        let partial = self.root.join("partial");
        fs::create_dir_all(&partial).map_err(|e| room::folder_error(&partial, e))?;
        let path = partial.join(format!("{}.lock", folder_name(name)));
        let lock = open_lock(&path).map_err(|e| room::folder_error(&partial, e))?;
        let mut said = false;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {
                    if !said {
                        let line = format!("waiting for another process that fetches {name}");
                        progress.event(FetchEvent::Message(&line));
                        said = true;
                    }
                    std::thread::sleep(Duration::from_millis(200));
                }
                Err(TryLockError::Error(error)) => {
                    return Partial::without_lock(&partial, name, error);
                }
            }
        }
        let folder = self.partial(name);
        fs::create_dir_all(&folder).map_err(|e| room::folder_error(&folder, e))?;
        Ok(Partial {
            folder,
            _lock: Some(lock),
            _unique: None,
        })
    }

    /// Gives a folder of verified files its final name. Where another process was first, its
    /// model is the one that stays.
    pub(super) fn publish(&self, name: &str, files: &Path) -> Result<PathBuf> {
        let folder = self.model(name);
        let parent = self.root.join("models");
        fs::create_dir_all(&parent).map_err(|e| room::folder_error(&parent, e))?;
        if folder.exists() && !is_whole(&folder)? {
            fs::remove_dir_all(&folder).map_err(|e| Error::io("replace", &folder, e))?;
        }
        match fs::rename(files, &folder) {
            Ok(()) => Ok(folder),
            Err(_) if is_whole(&folder)? => Ok(folder),
            Err(error) => Err(room::folder_error(&folder, error)),
        }
    }

    /// Removes downloads that were given up long ago and that no process works on.
    pub(super) fn remove_stale(&self) {
        let partial = self.root.join("partial");
        for entry in fs::read_dir(&partial).into_iter().flatten().flatten() {
            let folder = entry.path();
            let old = newest_change(&folder)
                .and_then(|changed| SystemTime::now().duration_since(changed).ok())
                .is_some_and(|age| age > STALE);
            if !old || !folder.is_dir() {
                continue;
            }
            let name = entry.file_name();
            let lock = partial.join(format!("{}.lock", name.to_string_lossy()));
            // Housekeeping: what cannot be removed now is tried again another time.
            if let Ok(lock) = open_lock(&lock)
                && lock.try_lock().is_ok()
            {
                let _ = fs::remove_dir_all(&folder);
            }
        }
    }
}

/// The folder in which a download grows, with the lock that protects it.
pub(super) struct Partial {
    folder: PathBuf,
    _lock: Option<File>,
    _unique: Option<tempfile::TempDir>,
}

impl Partial {
    /// Where the file system has no locks, each process has a folder of its own instead.
    fn without_lock(partial: &Path, name: &str, error: io::Error) -> Result<Self> {
        if error.kind() != ErrorKind::Unsupported {
            return Err(Error::io("lock", partial, error));
        }
        let unique = tempfile::Builder::new()
            .prefix(&format!("{}.", folder_name(name)))
            .tempdir_in(partial)
            .map_err(|e| room::folder_error(partial, e))?;
        Ok(Self {
            folder: unique.path().to_path_buf(),
            _lock: None,
            _unique: Some(unique),
        })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Takes a model out of the cache. It leaves its name by one rename: half of a model must not be found there.
    pub(super) fn discard(&self, model: &Path) -> Result<()> {
        let doomed = self.folder.join("removed");
        // One from a removal that was interrupted would be in the way.
        let _ = fs::remove_dir_all(&doomed);
        fs::rename(model, &doomed).map_err(|e| Error::io("remove", model, e))
    }

    /// Removes what is left of a download that has come to its end.
    pub(super) fn clear(&self) {
        // What cannot be removed is only in the way of disk space, and is tried again later.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn open_lock(path: &Path) -> io::Result<File> {
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
}

/// A Hub repository `owner/name` becomes one folder.
fn folder_name(name: &str) -> String {
    name.replace('/', "--")
}

/// The name of a model's folder, read back: an owner's name has no two hyphens in a row.
fn model_name(folder: &str) -> String {
    folder.replacen("--", "/", 1)
}

/// Whether the folder has a weight file that is not empty. It came by rename, so that it has the rest as well.
fn is_whole(folder: &Path) -> Result<bool> {
    let weights = match formats::find_in_folder(folder) {
        Ok(weights) => weights,
        Err(Error::NotFound(_) | Error::NoWeights(_)) => return Ok(false),
        // A file in the way: making the folder says so.
        Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotADirectory => {
            return Ok(false);
        }
        Err(error) => return Err(error),
    };
    let metadata = fs::metadata(&weights).map_err(|e| Error::io("read", &weights, e))?;
    Ok(metadata.len() > 0)
}

fn newest_change(path: &Path) -> Option<SystemTime> {
    let own = fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .ok();
    let inner = fs::read_dir(path)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_dir {
                newest_change(&entry.path())
            } else {
                entry.metadata().ok()?.modified().ok()
            }
        })
        .max();
    own.max(inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::Silent;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_model_is_there_only_after_its_rename() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::new(root.path().into());
        let partial = cache.lock("owner/model", &Silent).unwrap();
        let files = partial.folder().join("files");
        fs::create_dir_all(&files).unwrap();
        fs::write(files.join("model.bin"), "weights").unwrap();
        assert_eq!(cache.find("owner/model").unwrap(), None);
        let folder = cache.publish("owner/model", &files).unwrap();
        assert_eq!(cache.find("owner/model").unwrap(), Some(folder.clone()));
        assert_eq!(folder, root.path().join("models/owner--model"));
        partial.clear();
        assert!(!partial.folder().exists());
    }

    #[test]
    fn a_folder_that_lost_its_weights_is_replaced_and_a_whole_one_stays() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::new(root.path().into());
        fs::create_dir_all(cache.model("base")).unwrap();
        fs::write(cache.model("base").join("config.json"), "{}").unwrap();
        for (round, content) in ["first", "second"].iter().enumerate() {
            let files = root.path().join(format!("files{round}"));
            fs::create_dir_all(&files).unwrap();
            fs::write(files.join("model.bin"), content).unwrap();
            let folder = cache.publish("base", &files).unwrap();
            assert_eq!(
                fs::read_to_string(folder.join("model.bin")).unwrap(),
                "first"
            );
        }
    }

    #[test]
    fn weights_without_a_byte_are_no_model() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::new(root.path().into());
        fs::create_dir_all(cache.model("base")).unwrap();
        fs::write(cache.model("base").join("model.bin"), "").unwrap();
        assert_eq!(cache.find("base").unwrap(), None);
        assert_eq!(cache.models().unwrap(), []);
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_cannot_be_read_is_not_an_absent_one() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::new(root.path().into());
        assert_eq!(cache.models().unwrap(), []);
        // As a folder without permission is to everyone but root.
        std::os::unix::fs::symlink("models", root.path().join("models")).unwrap();
        for message in [
            cache.models().unwrap_err().to_string(),
            cache.find("base").unwrap_err().to_string(),
        ] {
            assert!(message.starts_with("cannot read "), "{message}");
        }
    }

    #[test]
    fn one_process_at_a_time_downloads_a_model() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::new(root.path().into());
        let inside = AtomicUsize::new(0);
        let waited = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let count = |event: FetchEvent<'_>| {
                        assert!(
                            matches!(event, FetchEvent::Message(line) if line.contains("base"))
                        );
                        waited.fetch_add(1, Ordering::SeqCst);
                    };
                    let _partial = cache.lock("base", &count).unwrap();
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    std::thread::sleep(Duration::from_millis(50));
                    inside.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(waited.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn downloads_given_up_long_ago_are_removed() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::new(root.path().into());
        for name in ["old", "busy", "fresh"] {
            let folder = root.path().join("partial").join(name);
            fs::create_dir_all(folder.join("hub")).unwrap();
            fs::write(folder.join("hub/blob"), "part").unwrap();
            if name != "fresh" {
                let long_ago = SystemTime::now() - 2 * STALE;
                for path in [folder.join("hub/blob"), folder.join("hub"), folder.clone()] {
                    File::open(path).unwrap().set_modified(long_ago).unwrap();
                }
            }
        }
        let busy = cache.lock("busy", &Silent).unwrap();
        cache.remove_stale();
        let exists = |name: &str| root.path().join("partial").join(name).exists();
        assert!(!exists("old") && exists("busy") && exists("fresh"));
        drop(busy);
        cache.remove_stale();
        assert!(!exists("busy"));
    }
}
