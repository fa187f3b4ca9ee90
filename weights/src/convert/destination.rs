//! The folder that is written: made under a temporary name, and given its own when it is whole.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::room;

/// The folder that is to be written, by a name that a finished folder can be given by a rename: `.`, `..` and links have
/// another one. Everything that is against it is found here, before the work.
pub(super) fn destination(folder: &Path) -> Result<PathBuf> {
    let refuse =
        |kind, what: &str| Err(Error::io("write into", folder, io::Error::new(kind, what)));
    match fs::canonicalize(folder) {
        Ok(there) => {
            let mut entries =
                fs::read_dir(&there).map_err(|e| Error::io("write into", folder, e))?;
            if entries.next().is_some() {
                let what = "the folder is not empty: name a new one";
                return refuse(ErrorKind::AlreadyExists, what);
            }
            // Whoever works in it would be left in a folder that is no more.
            if std::env::current_dir().and_then(fs::canonicalize).ok() == Some(there.clone()) {
                let what = "it is the current folder: name a new one";
                return refuse(ErrorKind::AlreadyExists, what);
            }
            Ok(there)
        }
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Error::io("write into", folder, error))
        }
        Err(_) if fs::symlink_metadata(folder).is_ok() => {
            let what = "it is a link to a folder that is not there: name a new folder";
            refuse(ErrorKind::AlreadyExists, what)
        }
        Err(_) => match folder.file_name() {
            Some(name) => Ok(parent_of(folder).join(name)),
            None => refuse(ErrorKind::InvalidInput, "name a new folder"),
        },
    }
}

/// The error of a write to a file of the temporary folder, which is gone by the time that the user reads it.
pub(super) fn write_error(folder: &Path, file: &Path, error: io::Error) -> Error {
    of_destination(folder, room::write_error(file, error))
}

/// The same error, told of the folder that the user named.
pub(super) fn of_destination(folder: &Path, error: Error) -> Error {
    let folder = folder.to_path_buf();
    match error {
        Error::NoSpace { what, .. } => Error::NoSpace { folder, what },
        Error::Io {
            action,
            path,
            source,
        } => Error::Io {
            action,
            path: folder.join(path.file_name().unwrap_or_default()),
            source,
        },
        other => other,
    }
}

pub(super) fn parent_of(folder: &Path) -> &Path {
    folder
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Temporary folders and files are made for their owner alone; a model is as readable as any file.
pub(super) fn make_readable(folder: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let set = |path: &Path, mode| {
            // Only comfort for other users: a refusal leaves the model as good as it is.
            let _ = fs::set_permissions(path, fs::Permissions::from_mode(mode));
        };
        set(folder, 0o755);
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            set(&entry.path(), 0o644);
        }
    }
    #[cfg(not(unix))]
    let _ = folder;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_a_folder_that_can_be_renamed_to() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        assert_eq!(destination(&root.join("new")).unwrap(), root.join("new"));
        assert_eq!(destination(&root.join("new/.")).unwrap(), root.join("new"));
        let empty = root.join("empty");
        fs::create_dir(&empty).unwrap();
        assert_eq!(destination(&empty).unwrap(), empty);
        let message = |path: &Path| destination(path).unwrap_err().to_string();
        for (path, what) in [
            (Path::new("."), "name a new one"),
            (Path::new(""), "name a new folder"),
            (&empty.join(".."), "not empty"),
            (&root.join("new/.."), "name a new folder"),
        ] {
            assert!(message(path).contains(what), "{}", message(path));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_an_empty_folder_stays_and_one_to_nothing_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        let link = root.join("link");
        std::os::unix::fs::symlink("target", &link).unwrap();
        let message = destination(&link).unwrap_err().to_string();
        assert!(message.contains("a link to a folder"), "{message}");
        fs::create_dir(root.join("target")).unwrap();
        assert_eq!(destination(&link).unwrap(), root.join("target"));
    }

    #[test]
    fn a_full_disk_is_told_of_the_folder_that_the_user_named() {
        let temporary = tempfile::tempdir().unwrap();
        let file = temporary.path().join("model.safetensors");
        for kind in [ErrorKind::StorageFull, ErrorKind::Other] {
            let message = write_error(Path::new("out"), &file, kind.into()).to_string();
            assert!(message.contains(" out"), "{message}");
            assert!(!message.contains(file.to_str().unwrap()), "{message}");
        }
        let full = write_error(Path::new("out"), &file, ErrorKind::StorageFull.into());
        assert!(matches!(full, Error::NoSpace { .. }), "{full}");
    }
}
