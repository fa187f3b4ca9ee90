//! Room on the disk: looked for before much is written, and what running out of it means.

use std::io::{self, ErrorKind};
use std::path::Path;

use crate::error::{Error, Result};

/// Refuses files for which the disk of a folder has not enough room.
pub(crate) fn check(folder: &Path, needed: u64) -> Result<()> {
    // A file system that does not tell is tried.
    match available(folder) {
        Some(free) if free < needed => Err(Error::NoSpace {
            folder: folder.to_path_buf(),
            what: format!("{} are needed, {} are free", show(needed), show(free)),
        }),
        _ => Ok(()),
    }
}

/// Bytes that are free on the disk of a folder, where that can be told.
fn available(folder: &Path) -> Option<u64> {
    #[cfg(not(target_family = "wasm"))]
    return fs4::available_space(folder).ok();
    #[cfg(target_family = "wasm")]
    {
        let _ = folder;
        None
    }
}

/// Bytes that are free on the disk of a folder, which need not be there yet.
#[cfg(feature = "fetch")]
pub(crate) fn free(folder: &Path) -> Option<u64> {
    // The last ancestor of a relative path is empty, and stands for the current folder.
    (folder.ancestors())
        .map(|folder| match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        })
        .find_map(available)
}

/// The error of a write to a file. A file that filled the disk is removed: whoever else
/// writes to that disk would else fail as well.
pub(crate) fn write_error(file: &Path, error: io::Error) -> Error {
    if !is_full(&error) {
        return Error::io("write", file, error);
    }
    // What cannot be removed either is found by the next attempt.
    let _ = std::fs::remove_file(file);
    no_space(file.parent().unwrap_or(file), &error)
}

/// The error of a folder that cannot be made or written.
#[cfg(feature = "fetch")]
pub(crate) fn folder_error(folder: &Path, error: io::Error) -> Error {
    if is_full(&error) {
        return no_space(folder, &error);
    }
    Error::CacheNotWritable {
        folder: folder.to_path_buf(),
        source: error,
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
}

fn no_space(folder: &Path, error: &io::Error) -> Error {
    Error::NoSpace {
        folder: folder.to_path_buf(),
        what: error.to_string(),
    }
}

/// Bytes in megabytes, or gigabytes where there are many.
fn show(bytes: u64) -> String {
    match bytes as f64 {
        b if b >= 1e9 => format!("{:.1} GB", b / 1e9),
        b => format!("{:.1} MB", b / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_room_for_something_and_not_for_everything() {
        let folder = tempfile::tempdir().unwrap();
        check(folder.path(), 1).unwrap();
        let message = check(folder.path(), u64::MAX).unwrap_err().to_string();
        assert!(message.contains("18446744073.7 GB are needed"), "{message}");
    }

    #[cfg(feature = "fetch")]
    #[test]
    fn room_is_that_of_the_folder_above() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free(&folder.path().join("not/there/yet")).is_some_and(|free| free > 0));
        assert!(free(Path::new("relative")).is_some_and(|free| free > 0));
    }

    #[test]
    fn a_file_that_filled_the_disk_is_removed_and_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        for (kind, stays) in [
            (ErrorKind::StorageFull, false),
            (ErrorKind::QuotaExceeded, false),
            (ErrorKind::Other, true),
        ] {
            std::fs::write(&file, "half").unwrap();
            let error = write_error(&file, kind.into());
            assert_eq!(matches!(error, Error::NoSpace { .. }), !stays, "{error}");
            assert_eq!(file.exists(), stays);
        }
    }
}
