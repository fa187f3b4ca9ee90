//! The file of `--files_from`: names of inputs, a line each.

use std::io::Read;
use std::path::PathBuf;

/// A list that is longer than this many bytes is none.
const LONGEST: u64 = 64 << 20;

/// The names in a list: a line each, empty lines left out. `shown` is what messages call it.
///
/// # Errors
///
/// A line when the list cannot be read, is too long, or has a line that can be no name.
pub fn names(list: impl Read, shown: &str) -> Result<Vec<PathBuf>, String> {
    let mut bytes = Vec::new();
    (list.take(LONGEST + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("{shown}: {error}"))?;
    if bytes.len() as u64 > LONGEST {
        return Err(format!(
            "{shown}: is no list of files: it is longer than 64 MB"
        ));
    }
    names_in(&bytes).map_err(|line| format!("{shown}: line {line}: is no name of a file"))
}

/// The names in a list's bytes, or the number of the first line that is none.
fn names_in(bytes: &[u8]) -> Result<Vec<PathBuf>, usize> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut names = Vec::new();
    for (number, line) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        if line.contains(&0) {
            return Err(number);
        }
        names.push(path_of(line).ok_or(number)?);
    }
    Ok(names)
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    Some(PathBuf::from(std::ffi::OsStr::from_bytes(bytes)))
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> Option<PathBuf> {
    std::str::from_utf8(bytes).ok().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::corpus;

    #[test]
    fn a_list_has_a_name_a_line() {
        let names = |text: &[u8]| names_in(text).map(|names| names.len());
        assert_eq!(names(b"\xef\xbb\xbfa.wav\r\n\nb c.wav\n# d.wav"), Ok(3));
        assert_eq!(names(b""), Ok(0));
        assert_eq!(names(b"a.wav\nb\0.wav"), Err(2));
    }

    #[test]
    fn a_list_that_cannot_be_read_is_named() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("the line went dead"))
            }
        }
        let message = names(Broken, "list.txt").unwrap_err();
        assert_eq!(message, "list.txt: the line went dead");
        let endless = names(std::io::repeat(b'a'), "/dev/zero").unwrap_err();
        assert!(endless.contains("longer than 64 MB"), "{endless}");
    }

    #[test]
    fn the_corpus_of_lists() {
        for (path, bytes) in corpus("list") {
            match names(bytes.as_slice(), "list") {
                Ok(names) => assert!(names.iter().all(|name| !name.as_os_str().is_empty())),
                Err(message) => assert!(!message.contains('\n'), "{path}: {message}"),
            }
        }
    }
}
