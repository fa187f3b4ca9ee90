//! Models from the Hugging Face Hub, through the hf-hub crate.
//!
//! hf-hub sets no time limits and reports some broken answers by a panic. So it works on a thread
//! of its own, and a download from which nothing is heard for a while is given up.

mod client;
mod download;
mod listing;

use std::fs;
use std::path::{Path, PathBuf};

use client::Hub;
use listing::choose;

use super::progress::{Download, Progress};
use super::settings::HubSettings;
use super::verify;
use crate::error::{Error, Result};

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
