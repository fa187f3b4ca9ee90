//! A package index of the tests: a folder of wheels, and a `pip` that takes them from there.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Pip;
use crate::catalogue::{Package, PackageSource};

/// A folder of wheels, and a `pip` that takes them from there.
pub(in crate::fetch) struct Index {
    folder: tempfile::TempDir,
}

impl Index {
    pub(in crate::fetch) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let index = Self { folder };
        index.write_script("");
        index
    }

    pub(in crate::fetch) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// From now on, pip never comes to an end.
    pub(in crate::fetch) fn hang(&self) {
        self.write_script("exec sleep 600\n");
    }

    /// From now on, pip takes its time, during which a file grows.
    pub(in crate::fetch) fn trickle(&self) {
        self.write_script(
            "for part in 1 2 3 4 5 6; do sleep 0.5; echo part >> \"$TMPDIR/part\"; done\n",
        );
    }

    /// A `pip` that does something else first.
    fn write_script(&self, first: &str) {
        let script = format!(
            "here=$(dirname \"$0\")\n\
             echo \"$@\" >> \"$here/arguments\"\n\
             {first}\
             while [ $# -gt 1 ]; do [ \"$1\" = --dest ] && dest=$2; shift; done\n\
             [ -f \"$here/$1.whl\" ] && exec cp \"$here/$1.whl\" \"$dest/\"\n\
             echo 'WARNING: something else' >&2\n\
             echo \"ERROR: No matching distribution found for $1\" >&2\n\
             exit 1\n"
        );
        fs::write(self.folder().join("pip.sh"), script).unwrap();
    }

    /// The command that calls this pip.
    pub(in crate::fetch) fn command(&self) -> Vec<String> {
        let script = self.folder().join("pip.sh");
        vec!["sh".into(), script.to_string_lossy().into_owned()]
    }

    pub(in crate::fetch) fn pip(&self) -> Pip {
        Pip::new(self.command(), Duration::from_secs(60))
    }

    pub(in crate::fetch) fn add(&self, package: &Package, files: &[(&str, &[u8])]) {
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

    pub(in crate::fetch) fn partial(&self) -> PathBuf {
        self.folder.path().join("partial")
    }
}

pub(in crate::fetch) const PARTS: &[Package] = &[
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
pub(in crate::fetch) const SOURCE: PackageSource = PackageSource {
    packages: PARTS,
    bytes: 12,
    sha256: "92088ec140fc553e4b1ede202edccb65a807bbf8a38d765a3ad38013c0f13688",
    companions: &[(
        "config.json",
        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    )],
};

pub(in crate::fetch) fn add_good(index: &Index) {
    index.add(&PARTS[0], &[("one/data/part1", b"first ")]);
    index.add(
        &PARTS[1],
        &[
            ("two/data/part2", b"second"),
            ("two/data/config.json", b"{}"),
        ],
    );
}
