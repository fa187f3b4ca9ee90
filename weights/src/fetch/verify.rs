//! Checking downloaded files against the hashes that their source gives.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// A hash that a file must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    /// Of the content.
    Sha256(String),
    /// Git's blob id: sha1 of `"blob <length>\0"` and the content.
    GitBlob(String),
}

impl Hash {
    /// The hash that an ETag of the Hub is: sha256 for large files, a git blob id for others.
    pub(super) fn from_etag(etag: &str) -> Option<Self> {
        let hex = etag.bytes().all(|byte| byte.is_ascii_hexdigit());
        match etag.len() {
            64 if hex => Some(Self::Sha256(etag.to_lowercase())),
            40 if hex => Some(Self::GitBlob(etag.to_lowercase())),
            _ => None,
        }
    }
}

/// Checks a file's content; the error says what differs.
pub(super) fn check(path: &Path, expected: &Hash) -> Result<()> {
    let read_error = |e| Error::io("read", path, e);
    let file = File::open(path).map_err(read_error)?;
    let length = file.metadata().map_err(read_error)?.len();
    let (kind, expected, found) = match expected {
        Hash::Sha256(expected) => {
            let mut hasher = Sha256::new();
            read_all(file, |block| hasher.update(block)).map_err(read_error)?;
            ("sha256", expected, hex(&hasher.finalize()))
        }
        Hash::GitBlob(expected) => {
            let mut hasher = sha1_smol::Sha1::new();
            hasher.update(format!("blob {length}\0").as_bytes());
            read_all(file, |block| hasher.update(block)).map_err(read_error)?;
            ("git blob id", expected, hasher.digest().to_string())
        }
    };
    if *expected != found {
        return Err(Error::corrupt(
            path,
            format!("its {kind} is {found}, expected {expected}"),
        ));
    }
    Ok(())
}

fn read_all(mut file: File, mut update: impl FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(()),
            count => update(&buffer[..count]),
        }
    }
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_hashes_are_accepted_and_others_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "hello\n").unwrap();
        // `sha256sum` and `git hash-object` of the same file.
        let sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
        let blob = "ce013625030ba8dba906f756967f9e9ca394464a";
        check(&path, &Hash::from_etag(sha256).unwrap()).unwrap();
        check(&path, &Hash::from_etag(blob).unwrap()).unwrap();
        std::fs::write(&path, "hello!").unwrap();
        for etag in [sha256, blob] {
            let message = check(&path, &Hash::from_etag(etag).unwrap())
                .unwrap_err()
                .to_string();
            assert!(message.contains(etag), "{message}");
        }
        assert_eq!(Hash::from_etag("W/12"), None);
        assert_eq!(Hash::from_etag(&"z".repeat(64)), None);
    }
}
