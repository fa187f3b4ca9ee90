//! The machine of a user, and the Hub that it reaches.

use std::ffi::OsStr;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use whisper_weights::DType;

use crate::common::{Run, whisper_rs};
use crate::hub::{Fault, Server};
use crate::synthetic::Synthetic;

pub const REPOSITORY: &str = "someone/whisper-small-model";

/// A user's machine: empty caches, and nothing of the environment that says where models are.
pub struct Machine {
    pub folder: tempfile::TempDir,
    pub endpoint: String,
}

impl Machine {
    /// One that reaches this Hub, and no package index.
    pub fn reaching(endpoint: &str) -> Self {
        Machine {
            folder: tempfile::tempdir().unwrap(),
            endpoint: endpoint.to_owned(),
        }
    }

    /// One whose Hub cannot be reached.
    pub fn alone() -> Self {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        Self::reaching(&format!("http://{}", closed.unwrap()))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn cache(&self) -> PathBuf {
        self.path("cache")
    }

    pub fn command(&self, arguments: &[impl AsRef<OsStr>]) -> Command {
        let mut command = whisper_rs(&["models"]);
        command.args(arguments);
        self.furnish(&mut command);
        command
    }

    pub fn furnish(&self, command: &mut Command) {
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
            command.env_remove(name).env_remove(name.to_lowercase());
        }
        for name in ["HF_TOKEN", "HF_HUB_CACHE", "HF_HUB_OFFLINE"] {
            command.env_remove(name);
        }
        command
            .env("HF_ENDPOINT", &self.endpoint)
            .env("HF_HOME", self.path("huggingface"))
            .env("WHISPER_RS_CACHE", self.cache());
    }

    pub fn run(&self, arguments: &[impl AsRef<OsStr>]) -> Run {
        Run::of(self.command(arguments).output().unwrap())
    }

    /// The same with room for so many blocks of 512 or 1024 bytes. A limit on the size of files stands for a disk that
    /// is full: every system has it, for every user.
    #[cfg(unix)]
    pub fn run_in(&self, blocks: usize, arguments: &[&str]) -> Run {
        let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        let mut command = Command::new("sh");
        command
            .args([
                "-c",
                &limited,
                "sh",
                env!("CARGO_BIN_EXE_whisper-rs"),
                "models",
            ])
            .args(arguments);
        self.furnish(&mut command);
        Run::of(command.output().unwrap())
    }

    /// Names under which a fetch has left a model or a part of one.
    pub fn leftovers(&self) -> Vec<PathBuf> {
        let partial = self.cache().join("partial/someone--whisper-small-model");
        let mut left = files(&self.cache().join("models"));
        left.extend(files(&partial.join("hub-parts")));
        left
    }
}

pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// A Hub with one repository, in transformers' format.
pub fn hub(fault: Fault) -> (Server, tempfile::TempDir) {
    let original = tempfile::tempdir().unwrap();
    Synthetic::new().write_hugging_face_folder(original.path(), DType::F16);
    let server = Server::start(REPOSITORY, original.path(), fault);
    (server, original)
}

pub fn json(run: &Run) -> Value {
    serde_json::from_str(&run.succeeded().stdout).unwrap()
}
