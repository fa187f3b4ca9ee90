//! Downloading one file of a repository, whole and verified.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use ureq::http::{HeaderMap, StatusCode};

use super::super::progress::{FetchEvent, FetchProgress};
use super::super::verify::{self, Hash};
use super::client::{Answer, Hub};
use super::failure::{Failure, text};
use super::listing::RemoteFile;
use super::retries::Retries;
use crate::error::{Error, Result};
use crate::room;

/// An attempt that brought so many bytes was worth it, however it ended.
const WORTH: u64 = 1 << 20;
/// Bytes that are received at a time.
const BLOCK: usize = 256 << 10;

/// A file on its way to this machine.
pub(super) struct FileDownload<'a> {
    pub(super) hub: &'a Hub<'a>,
    /// The commit that it is taken from.
    pub(super) commit: &'a str,
    pub(super) file: &'a RemoteFile,
    /// Told the bytes that are there by now.
    pub(super) advance: &'a dyn Fn(u64),
    pub(super) progress: &'a dyn FetchProgress,
}

impl FileDownload<'_> {
    /// Brings the file to `path`. What is there of it grows as `<name>.part` in the folder `parts`,
    /// where the next attempt takes it up, be it one of another process on another day.
    pub(super) fn run(&self, parts: &Path, path: &Path) -> Result<()> {
        let part = self.part(parts);
        let mut retries = Retries::new(self.progress);
        let mut wrong = false;
        loop {
            let before = length(&part).map_err(|failure| self.error(failure))?;
            let failure = match self.receive_rest(&part, before) {
                Ok(etag) => match self.accept(&part, etag.as_deref(), path) {
                    Ok(()) => return Ok(()),
                    // Once may be an accident, of an earlier download perhaps.
                    Err(Failure::Refused(why)) if !wrong => {
                        wrong = true;
                        Failure::Broken(why)
                    }
                    Err(failure) => failure,
                },
                Err(failure) => {
                    let after = length(&part).unwrap_or(0);
                    if after >= before + WORTH {
                        retries.got_on();
                    }
                    failure
                }
            };
            retries
                .wait(&self.hub.name(), self.about(failure))
                .map_err(|failure| self.error(failure))?;
        }
    }

    /// Where the file grows: under a name that other content of the same name does not have.
    fn part(&self, parts: &Path) -> PathBuf {
        let content = match self.file.hash() {
            Some(Hash::Sha256(id) | Hash::GitBlob(id)) => id,
            None => self
                .commit
                .chars()
                .filter(char::is_ascii_hexdigit)
                .collect(),
        };
        parts.join(format!("{}.{content}.part", self.file.name))
    }

    /// Receives what is missing of the file; gives the ETag of the answer.
    fn receive_rest(&self, part: &Path, there: u64) -> Result<Option<String>, Failure> {
        if self.file.size == Some(there) {
            return Ok(None);
        }
        let start = if self.file.size.is_some_and(|size| there > size) {
            0
        } else {
            there
        };
        let Answer { response, etag } = (self.hub).get_file(self.commit, &self.file.name, start)?;
        let (head, body) = response.into_parts();
        if head.status == StatusCode::RANGE_NOT_SATISFIABLE {
            // Nothing is left to ask for, though the size says otherwise or is not known.
            remove(part)?;
            return Err(Failure::Broken("what is here does not fit its file".into()));
        }
        let (start, size) = extent(head.status, &head.headers, start)?;
        if let (Some(size), Some(expected)) = (size, self.file.size)
            && size != expected
        {
            let why = format!("it has {size} bytes, expected {expected}");
            return Err(Failure::Refused(why));
        }
        self.receive(body.into_reader(), part, start, self.file.size.or(size))?;
        Ok(etag)
    }

    /// Writes a body to the part, from byte `start` on, and no further than the size.
    fn receive(
        &self,
        mut body: impl Read,
        part: &Path,
        start: u64,
        size: Option<u64>,
    ) -> Result<(), Failure> {
        let local = |error| Failure::Local(room::write_error(part, error));
        let mut file = File::options()
            .create(true)
            .append(start > 0)
            .write(true)
            .truncate(start == 0)
            .open(part)
            .map_err(local)?;
        let (mut done, mut block) = (start, vec![0; BLOCK]);
        (self.advance)(done);
        let ended = loop {
            let count = match body.read(&mut block) {
                Ok(0) => break Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => break Err(self.hub.transport(error)),
            };
            if size.is_some_and(|size| done + count as u64 > size) {
                remove(part)?;
                return Err(Failure::Refused("more bytes come than it has".into()));
            }
            file.write_all(&block[..count]).map_err(local)?;
            done += count as u64;
            (self.advance)(done);
        };
        // What has come is kept, be it all or not.
        file.sync_all().map_err(local)?;
        match size {
            _ if ended.is_err() => ended,
            Some(size) if done < size => Err(Failure::Broken(format!(
                "the connection ended after {done} of {size} bytes"
            ))),
            _ => Ok(()),
        }
    }

    /// Verifies the part and gives it its name. Wrong content is removed, and refused.
    fn accept(&self, part: &Path, etag: Option<&str>, path: &Path) -> Result<(), Failure> {
        let there = length(part)?;
        // A copy of the Hub may have a listing without hashes.
        let hash = self.file.hash().or_else(|| Hash::from_etag(etag?));
        let outcome = match (self.file.size, &hash) {
            (Some(size), _) if size != there => Err(format!("{there} of {size} bytes arrived")),
            (_, Some(hash)) => match verify::check(part, hash) {
                Err(Error::Corrupt { what, .. }) => Err(what),
                other => Ok(other.map_err(Failure::Local)?),
            },
            (_, None) => Ok(()),
        };
        if let Err(why) = outcome {
            remove(part)?;
            return Err(Failure::Refused(why));
        }
        if hash.is_none() {
            let name = &self.file.name;
            let line = format!("{name}: the server gives no hash: it is not verified");
            self.progress.event(FetchEvent::Message(&line));
        }
        fs::rename(part, path).map_err(|e| Failure::Local(Error::io("create", path, e)))
    }

    /// The failure with the file's name.
    fn about(&self, failure: Failure) -> Failure {
        let named = |why: String| format!("{}: {why}", self.file.name);
        match failure {
            Failure::Refused(why) => Failure::Refused(named(why)),
            Failure::Broken(why) => Failure::Broken(named(why)),
            Failure::Busy { why, wait } => Failure::Busy {
                why: named(why),
                wait,
            },
            Failure::Local(error) => Failure::Local(error),
        }
    }

    fn error(&self, failure: Failure) -> Error {
        self.hub.error(failure)
    }
}

/// Where the body of an answer begins in its file, and how long the file is, where it is said.
/// `asked` is where it was to begin.
fn extent(
    status: StatusCode,
    headers: &HeaderMap,
    asked: u64,
) -> Result<(u64, Option<u64>), Failure> {
    if status != StatusCode::PARTIAL_CONTENT {
        // A server that knows no ranges sends the whole file.
        let length = text(headers, "content-length").and_then(|length| length.parse().ok());
        return Ok((0, length));
    }
    let not_understood = || Failure::Refused("its range is not understood".into());
    let (range, size) = text(headers, "content-range")
        .and_then(|value| value.trim().strip_prefix("bytes ")?.split_once('/'))
        .ok_or_else(not_understood)?;
    let start: Option<u64> = range
        .split_once('-')
        .and_then(|(start, _)| start.parse().ok());
    match start {
        Some(start) if start == asked => Ok((start, size.parse().ok())),
        _ => Err(not_understood()),
    }
}

/// The length of a file; none has none.
fn length(path: &Path) -> Result<u64, Failure> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        Err(error) => Err(Failure::Local(Error::io("read", path, error))),
    }
}

fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Failure::Local(Error::io("remove", path, error)))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_say_where_they_begin() {
        let of = |status, name: &'static str, value: &str, asked| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            extent(status, &headers, asked).ok()
        };
        let (whole, part) = (StatusCode::OK, StatusCode::PARTIAL_CONTENT);
        assert_eq!(of(whole, "content-length", "9", 4), Some((0, Some(9))));
        assert_eq!(of(whole, "x", "9", 4), Some((0, None)));
        let range = |value, asked| of(part, "content-range", value, asked);
        assert_eq!(range("bytes 4-8/9", 4), Some((4, Some(9))));
        assert_eq!(range("bytes 4-8/*", 4), Some((4, None)));
        for value in ["bytes 5-8/9", "bytes */9", "4-8", "items 4-8/9"] {
            assert_eq!(range(value, 4), None, "{value}");
        }
        assert_eq!(of(part, "content-length", "5", 4), None);
    }
}
