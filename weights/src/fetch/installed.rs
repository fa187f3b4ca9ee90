//! The models that are on this machine: listing them, and removing those of the cache.

use std::fs;
use std::path::{Path, PathBuf};

use super::wanted::Wanted;
use super::{Fetcher, Silent, hub};
use crate::catalogue;
use crate::error::{Error, Result};

/// A model that is on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Installed {
    /// Its name: that of the catalogue, or `owner/name` of the Hub.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Bytes of the files in the folder.
    pub bytes: u64,
    /// Whose it is.
    pub place: Place,
}

/// Whose copy of a model it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// The cache of this crate.
    Cache,
    /// The Hub's local cache, where another program keeps it.
    HubCache,
}

impl Fetcher {
    /// The models on this machine: those of the cache, by name, and of other programs' those that
    /// the catalogue names and the cache does not have. Asks no network.
    ///
    /// # Errors
    ///
    /// Where the cache is there but cannot be read.
    pub fn installed(&self) -> Result<Vec<Installed>> {
        let mut installed: Vec<Installed> = self
            .cache
            .models()?
            .into_iter()
            .map(|(name, folder)| Installed::new(name, folder, Place::Cache))
            .collect();
        for model in catalogue::models() {
            if installed.iter().any(|there| there.name == model.name) {
                continue;
            }
            let repositories = Wanted::Model(model).repositories();
            let folder = (repositories.into_iter())
                .find_map(|repository| hub::find_local(&self.hub.caches, &repository));
            if let Some(folder) = folder {
                let model = Installed::new(model.name.into(), folder, Place::HubCache);
                installed.push(model);
            }
        }
        Ok(installed)
    }

    /// Removes a model from the cache, with what an interrupted fetch left of it. Gives the bytes
    /// that are free now. Waits while another process fetches the model.
    ///
    /// # Errors
    ///
    /// [`Error::NotHere`] where the cache does not have it, [`Error::NotInCache`] for a path and for
    /// a model of another program, and where it cannot be removed.
    pub fn remove(&self, model: &str) -> Result<u64> {
        let wanted = Wanted::of(model)?;
        let not_in_cache = |folder: &Path| Error::NotInCache {
            name: model.into(),
            folder: folder.to_path_buf(),
        };
        if let Wanted::Path(path) = &wanted {
            return Err(not_in_cache(path));
        }
        let name = wanted.name();
        let (folder, partial) = (self.cache.model(name), self.cache.partial(name));
        if !folder.exists() && !partial.exists() {
            return Err(match self.find(model)? {
                Some(elsewhere) => not_in_cache(&elsewhere),
                None => Error::NotHere {
                    name: model.into(),
                    why: None,
                },
            });
        }
        let bytes = size_of(&folder) + size_of(&partial);
        let lock = self.cache.lock(name, &Silent)?;
        if folder.exists() {
            lock.discard(&folder)?;
        }
        fs::remove_dir_all(lock.folder()).map_err(|e| Error::io("remove", &folder, e))?;
        Ok(bytes)
    }
}

impl Installed {
    fn new(name: String, folder: PathBuf, place: Place) -> Self {
        Self {
            name,
            bytes: size_of(&folder),
            folder,
            place,
        }
    }
}

/// Bytes of the files under a folder, links followed: the Hub's cache is made of them.
fn size_of(folder: &Path) -> u64 {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| match fs::metadata(entry.path()) {
            Ok(metadata) if metadata.is_file() => metadata.len(),
            _ if entry.file_type().is_ok_and(|kind| kind.is_dir()) => size_of(&entry.path()),
            _ => 0,
        })
        .sum()
}
