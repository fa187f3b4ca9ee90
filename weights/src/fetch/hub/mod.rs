//! Models from the Hugging Face Hub, by its HTTP protocol: a JSON listing of a repository, and its
//! files under `resolve/<commit>/`, most of them behind a redirect to a store.
//!
//! The protocol is spoken here, on ureq, and not through the hf-hub crate (0.5), which has no limits
//! on time, keeps the answer's headers to itself (so that a server's `Retry-After` cannot be
//! followed), appends a whole file to its first half where a server ignores ranges, and ends some
//! broken answers with a panic.

mod client;
mod download;
mod failure;
mod listing;
mod local;
mod retries;

use std::fs;
use std::path::{Path, PathBuf};

use client::Hub;
use download::FileDownload;
use failure::Failure;
use listing::{RemoteFile, choose, nothing_to_choose};

use super::progress::{Download, FetchProgress};
use super::settings::HubSettings;
use super::verify;
use crate::error::{Error, Result};
use crate::room;

pub(super) use local::find as find_local;

/// Fetches a repository's model. The result is a folder of verified files in `partial`.
pub(super) fn fetch(
    settings: &HubSettings,
    repository: &str,
    partial: &Path,
    progress: &dyn FetchProgress,
) -> Result<PathBuf> {
    let hub = Hub::new(settings, repository);
    let listing = hub.list(progress)?;
    let wanted =
        choose(&listing).ok_or_else(|| hub.error(Failure::Refused(nothing_to_choose(&listing))))?;

    let (files, parts) = (partial.join("hub-files"), partial.join("hub-parts"));
    for folder in [&files, &parts] {
        fs::create_dir_all(folder).map_err(|e| Error::io("create", folder, e))?;
    }
    remove_others(&files, &wanted)?;
    let total = wanted.iter().map(|file| file.size).sum::<Option<u64>>();
    let there = size_of(&files) + size_of(&parts);
    room::check(partial, total.unwrap_or(0).saturating_sub(there))?;

    let download = Download::start(progress, repository, total);
    let mut done = 0;
    for file in wanted {
        let path = files.join(&file.name);
        let whole = file
            .hash()
            .is_some_and(|hash| verify::check(&path, &hash).is_ok());
        if !whole {
            FileDownload {
                hub: &hub,
                commit: &listing.sha,
                file,
                advance: &|bytes| download.advance_to(done + bytes),
                progress,
            }
            .run(&parts, &path)?;
        }
        done += fs::metadata(&path)
            .map_err(|e| Error::io("read", &path, e))?
            .len();
        download.advance_to(done);
    }
    Ok(files)
}

/// Removes what an earlier attempt brought that the repository no longer has.
fn remove_others(files: &Path, wanted: &[&RemoteFile]) -> Result<()> {
    for entry in fs::read_dir(files)
        .map_err(|e| Error::io("read", files, e))?
        .flatten()
    {
        let name = entry.file_name();
        if !wanted.iter().any(|file| name == *file.name) {
            fs::remove_file(entry.path()).map_err(|e| Error::io("remove", entry.path(), e))?;
        }
    }
    Ok(())
}

/// Bytes of the files in a folder.
fn size_of(folder: &Path) -> u64 {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some(entry.metadata().ok()?.len()))
        .sum()
}
