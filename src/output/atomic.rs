//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Writes a file through a temporary one in the same folder, which takes its name only when all of it is on disk: a
/// full disk or a crash leaves what was there before.
///
/// A symbolic link is followed, an existing file's permissions are kept. What is no file, such as `/dev/stdout` or a
/// named pipe, is written to directly.
///
/// # Errors
///
/// [`Error::Io`] with `path` if the file cannot be written, is a folder, or is there and read-only.
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    replace(path, write).map_err(|source| io_error(path, source))
}

/// What an unfinished file has behind its name: no file of another program's is called so.
pub const PARTIAL: &str = "whisper-rs.partial";

/// What becomes of a file that an earlier run began and left unfinished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unfinished {
    /// It stays; a new one gets a number: `talk.txt.2.whisper-rs.partial`.
    Kept,
    /// It is overwritten, as by a run that does again what it was about.
    Replaced,
}

/// A file that grows as its contents come, under its name and `.whisper-rs.partial`, and takes its name when it is
/// finished. A reader can follow it meanwhile. What is not finished is removed, unless the process is killed.
///
/// Links, permissions and what is no file are treated as by [`write_atomically`].
#[derive(Debug)]
pub struct GrowingFile {
    path: PathBuf,
    file: File,
    /// Name of the file while it grows, and its last name; none for what is no file.
    names: Option<(PathBuf, PathBuf)>,
}

impl GrowingFile {
    /// Begins the file. `unfinished` says what becomes of one that an earlier process left.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] with `path` as of [`write_atomically`].
    pub fn create(path: &Path, unfinished: Unfinished) -> Result<Self> {
        Self::open(path, unfinished).map_err(|source| io_error(path, source))
    }

    fn open(path: &Path, unfinished: Unfinished) -> io::Result<Self> {
        let existing = replaceable(path)?;
        if existing
            .as_ref()
            .is_some_and(|metadata| !metadata.is_file())
        {
            return Ok(GrowingFile {
                path: path.to_owned(),
                file: File::options().write(true).open(path)?,
                names: None,
            });
        }
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let (file, partial) = begin(&target, unfinished)?;
        if let Some(metadata) = existing {
            file.set_permissions(metadata.permissions())?;
        }
        Ok(GrowingFile {
            path: path.to_owned(),
            file,
            names: Some((partial, target)),
        })
    }

    /// Adds to the file, at once.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] with the path, as when the disk is full.
    pub fn append(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
        write_buffered(&mut self.file, write).map_err(|source| io_error(&self.path, source))
    }

    /// Leaves the file as it is, under its name and `.whisper-rs.partial`, and returns that path.
    pub fn leave(mut self) -> PathBuf {
        match self.names.take() {
            Some((partial, _)) => partial,
            None => self.path.clone(),
        }
    }

    /// Ends the file and gives it its name.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] with the path; what was there before is then left as it was.
    pub fn finish(mut self) -> Result<()> {
        let Some((partial, target)) = self.names.take() else {
            return Ok(());
        };
        let renamed = (self.file.sync_all()).and_then(|()| fs::rename(&partial, &target));
        renamed.map_err(|source| {
            let _ = fs::remove_file(&partial);
            io_error(&self.path, source)
        })
    }
}

impl Drop for GrowingFile {
    fn drop(&mut self) {
        if let Some((partial, _)) = &self.names {
            let _ = fs::remove_file(partial);
        }
    }
}

/// `talk.jsonl.whisper-rs.partial`: where what is not finished stands, of a name that is cut where this would be too
/// long.
pub fn partial_path(target: &Path) -> PathBuf {
    with_ending(target, PARTIAL)
}

fn with_ending(target: &Path, ending: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default();
    target.with_file_name(super::file_name(name, ending))
}

/// An empty file for what is not finished, and its path.
fn begin(target: &Path, unfinished: Unfinished) -> io::Result<(File, PathBuf)> {
    let mut path = partial_path(target);
    if unfinished == Unfinished::Replaced {
        return Ok((File::create(&path)?, path));
    }
    let mut number = 1;
    loop {
        match File::create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                number += 1;
                path = with_ending(target, &format!("{number}.{PARTIAL}"));
            }
            file => return Ok((file?, path)),
        }
    }
}

fn io_error(path: &Path, source: io::Error) -> Error {
    Error::Io {
        path: path.to_owned(),
        source,
    }
}

fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let existing = replaceable(path)?;
    if existing
        .as_ref()
        .is_some_and(|metadata| !metadata.is_file())
    {
        return write_buffered(&mut File::options().write(true).open(path)?, write);
    }
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut temporary = temporary_beside(&target)?;
    write_buffered(temporary.as_file_mut(), write)?;
    if let Some(metadata) = existing {
        temporary
            .as_file()
            .set_permissions(metadata.permissions())?;
    }
    temporary.as_file().sync_all()?;
    temporary.persist(&target)?;
    Ok(())
}

/// What is there already and may be replaced: a file, or what is written to directly.
fn replaceable(path: &Path) -> io::Result<Option<fs::Metadata>> {
    let existing = fs::metadata(path).ok();
    match &existing {
        Some(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Some(metadata) if metadata.is_file() && metadata.permissions().readonly() => {
            Err(io::ErrorKind::PermissionDenied.into())
        }
        _ => Ok(existing),
    }
}

fn write_buffered(
    file: &mut File,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    write(&mut out)?;
    out.flush()
}

/// A temporary file in the folder of `target`, with the permissions that a new file gets.
fn temporary_beside(target: &Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    // tempfile's own way of opening would make it readable by its owner alone.
    tempfile::Builder::new().make_in(folder, |path| {
        File::options().write(true).create_new(true).open(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(folder: &Path) -> Vec<String> {
        fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn writes_and_replaces_whole_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        for text in ["first, and longer", "second"] {
            write_atomically(&path, |out| out.write_all(text.as_bytes())).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(entries(folder.path()), ["a.txt"]);
    }

    #[test]
    fn a_failure_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        fs::write(&path, "precious").unwrap();
        let error = write_atomically(&path, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("the writer gave up"))
        })
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{}: the writer gave up", path.display())
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        assert_eq!(entries(folder.path()), ["a.txt"]);
    }

    #[test]
    fn a_file_that_grows_can_be_followed_and_is_whole_or_absent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        let partial = folder.path().join("a.jsonl.whisper-rs.partial");
        fs::write(&path, "earlier").unwrap();
        let mut file = GrowingFile::create(&path, Unfinished::Kept).unwrap();
        file.append(|out| out.write_all(b"one\n")).unwrap();
        assert_eq!(fs::read_to_string(&partial).unwrap(), "one\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "earlier");
        file.append(|out| out.write_all(b"two\n")).unwrap();
        file.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        assert_eq!(entries(folder.path()), ["a.jsonl"]);

        let mut left = GrowingFile::create(&path, Unfinished::Kept).unwrap();
        left.append(|out| out.write_all(b"what there is")).unwrap();
        assert_eq!(left.leave(), fs::canonicalize(&partial).unwrap());
        assert_eq!(fs::read_to_string(&partial).unwrap(), "what there is");
        fs::remove_file(&partial).unwrap();

        let mut given_up = GrowingFile::create(&path, Unfinished::Kept).unwrap();
        given_up.append(|out| out.write_all(b"half")).unwrap();
        drop(given_up);
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        assert_eq!(entries(folder.path()), ["a.jsonl"]);
    }

    #[test]
    fn what_an_earlier_run_left_is_kept_unless_it_is_done_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let left = |unfinished, text: &str| {
            let mut file = GrowingFile::create(&path, unfinished).unwrap();
            file.append(|out| out.write_all(text.as_bytes())).unwrap();
            let left = file.leave();
            left.file_name().unwrap().to_str().unwrap().to_owned()
        };
        let of_others = folder.path().join("a.txt.partial");
        fs::write(&of_others, "a file of the user's own").unwrap();
        let first = "a.txt.whisper-rs.partial";
        assert_eq!(left(Unfinished::Kept, "first"), first);
        assert_eq!(
            left(Unfinished::Kept, "second"),
            "a.txt.2.whisper-rs.partial"
        );
        assert_eq!(
            left(Unfinished::Kept, "third"),
            "a.txt.3.whisper-rs.partial"
        );
        let first = folder.path().join(first);
        assert_eq!(fs::read_to_string(&first).unwrap(), "first");
        left(Unfinished::Replaced, "again");
        assert_eq!(fs::read_to_string(&first).unwrap(), "again");
        assert_eq!(
            fs::read_to_string(&of_others).unwrap(),
            "a file of the user's own"
        );
    }

    #[test]
    fn errors_name_the_file_that_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing").join("a.txt");
        let message = write_atomically(&missing, |_| Ok(()))
            .unwrap_err()
            .to_string();
        let reason = message
            .strip_prefix(&format!("{}: ", missing.display()))
            .unwrap();
        assert!(
            !reason.contains(".tmp") && !reason.contains('\n'),
            "{reason}"
        );

        let message = write_atomically(folder.path(), |_| Ok(()))
            .unwrap_err()
            .to_string();
        assert!(message.contains("directory"), "{message}");
    }

    #[cfg(unix)]
    #[test]
    fn permissions_links_and_read_only_files() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;

        // A new file is as readable as any other new file.
        let plain = folder.path().join("plain");
        fs::write(&plain, "").unwrap();
        write_atomically(&path, |_| Ok(())).unwrap();
        assert_eq!(mode(&path), mode(&plain));

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        write_atomically(&link, |out| out.write_all(b"through the link")).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "through the link");
        assert_eq!(mode(&path), 0o640);

        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
        assert!(write_atomically(&path, |_| Ok(())).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "through the link");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_no_file_is_written_to_directly() {
        write_atomically(Path::new("/dev/null"), |out| out.write_all(b"gone")).unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        let error =
            write_atomically(Path::new("/dev/full"), |out| out.write_all(b"no room")).unwrap_err();
        assert!(error.to_string().starts_with("/dev/full: "), "{error}");
        let mut full = GrowingFile::create(Path::new("/dev/full"), Unfinished::Kept).unwrap();
        let error = (full.append(|out| out.write_all(b"no room"))).unwrap_err();
        assert!(error.to_string().starts_with("/dev/full: "), "{error}");
    }
}
