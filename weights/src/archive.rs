//! What a zip archive from elsewhere may claim: PyTorch's files and wheels are zip archives.

use std::io::{Cursor, Read, Seek};

use zip::ZipArchive;

/// How much larger than the archive its content may be. Weights hardly shrink when they are packed, and the few text files
/// beside them weigh little; more than this is a zip bomb.
const MAX_EXPANSION: u64 = 4;

/// What any archive may hold, however small it is.
const SMALL: u64 = 1 << 20;

/// Whether a file begins like a zip archive.
pub(crate) fn recognise(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04")
}

/// The most that an archive of this many bytes may unpack to.
pub(crate) fn largest_content(archive: u64) -> u64 {
    SMALL.max(archive.saturating_mul(MAX_EXPANSION))
}

/// Checks an archive that is whole in memory or mapped. The error says what is wrong with it.
pub(crate) fn check(bytes: &[u8]) -> Result<(), String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|error| format!("it is not a whole zip archive ({error})"))?;
    check_members(&mut archive, largest_content(bytes.len() as u64))
}

/// Refuses an archive whose members unpack to more than `most` bytes together by their own account, or that have names
/// which lead out of the folder that they would be unpacked in.
///
/// Readers must hold members to the size that they state: this takes their word.
pub(crate) fn check_members<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    most: u64,
) -> Result<(), String> {
    let mut total = 0u64;
    for index in 0..archive.len() {
        let member = archive
            .by_index_raw(index)
            .map_err(|error| format!("its list of files is corrupt ({error})"))?;
        let name = member.name().unwrap_or_default();
        // `enclosed_name` makes names that begin at the root relative; nobody who means well writes them.
        if member.enclosed_name().is_none() || name.starts_with(['/', '\\']) {
            let name: String = name.chars().take(100).collect();
            return Err(format!(
                "it holds a file called {name:?}, outside of its folder"
            ));
        }
        total = total.saturating_add(member.size());
        if total > most {
            return Err(format!(
                "it unpacks to more than {most} bytes, as a zip bomb does"
            ));
        }
    }
    Ok(())
}
