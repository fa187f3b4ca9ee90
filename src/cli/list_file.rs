//! The file of `--files_from`: names of inputs, a line each.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::inputs;

/// A list that is longer than this many bytes is none.
const LONGEST: u64 = 64 << 20;

/// The names in a list: a line each, empty lines left out.
pub fn names(list: &Path) -> Result<Vec<PathBuf>, String> {
    let shown = list.display();
    let failed = |error: io::Error| format!("{shown}: {error}");
    let mut bytes = Vec::new();
    let read = if list == Path::new(inputs::STANDARD_INPUT) {
        io::stdin().lock().take(LONGEST + 1).read_to_end(&mut bytes)
    } else {
        let file = fs::File::open(list).map_err(failed)?;
        file.take(LONGEST + 1).read_to_end(&mut bytes)
    };
    read.map_err(failed)?;
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

    #[test]
    fn a_list_has_a_name_a_line() {
        let names = |text: &[u8]| names_in(text).map(|names| names.len());
        assert_eq!(names(b"\xef\xbb\xbfa.wav\r\n\nb c.wav\n# d.wav"), Ok(3));
        assert_eq!(names(b""), Ok(0));
        assert_eq!(names(b"a.wav\nb\0.wav"), Err(2));
    }
}
