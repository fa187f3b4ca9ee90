//! What a user does with `whisper-rs models`: list, fetch, look at, find, convert and remove models, on networks and
//! disks good and bad.
#![cfg(feature = "cli")]

#[path = "../weights/tests/support/hub.rs"]
#[allow(dead_code, reason = "the tests of fetching use the rest")]
mod hub;
#[path = "../weights/tests/support/synthetic.rs"]
#[allow(dead_code, reason = "the tests of formats use the rest")]
mod synthetic;

mod common;

use std::ffi::OsStr;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Run, data, whisper_rs};
use hub::{Fault, Server};
use serde_json::Value;
use synthetic::Synthetic;
use whisper_weights::{Checkpoint, DType};

const REPOSITORY: &str = "someone/whisper-small-model";

/// A user's machine: empty caches, and nothing of the environment that says where models are.
struct Machine {
    folder: tempfile::TempDir,
    endpoint: String,
}

impl Machine {
    /// One that reaches this Hub, and no package index.
    fn reaching(endpoint: &str) -> Self {
        Machine {
            folder: tempfile::tempdir().unwrap(),
            endpoint: endpoint.to_owned(),
        }
    }

    /// One whose Hub cannot be reached.
    fn alone() -> Self {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        Self::reaching(&format!("http://{}", closed.unwrap()))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn cache(&self) -> PathBuf {
        self.path("cache")
    }

    fn command(&self, arguments: &[impl AsRef<OsStr>]) -> Command {
        let mut command = whisper_rs(&["models"]);
        command.args(arguments);
        self.furnish(&mut command);
        command
    }

    fn furnish(&self, command: &mut Command) {
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

    fn run(&self, arguments: &[impl AsRef<OsStr>]) -> Run {
        Run::of(self.command(arguments).output().unwrap())
    }

    /// The same with room for so many blocks of 512 or 1024 bytes. A limit on the size of files stands for a disk that
    /// is full: every system has it, for every user.
    #[cfg(unix)]
    fn run_in(&self, blocks: usize, arguments: &[&str]) -> Run {
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
    fn leftovers(&self) -> Vec<PathBuf> {
        let partial = self.cache().join("partial/someone--whisper-small-model");
        let mut left = files(&self.cache().join("models"));
        left.extend(files(&partial.join("hub-parts")));
        left
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// A Hub with one repository, in transformers' format.
fn hub(fault: Fault) -> (Server, tempfile::TempDir) {
    let original = tempfile::tempdir().unwrap();
    Synthetic::new().write_hugging_face_folder(original.path(), DType::F16);
    let server = Server::start(REPOSITORY, original.path(), fault);
    (server, original)
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.succeeded().stdout).unwrap()
}

#[test]
fn a_model_is_fetched_found_looked_at_and_removed() {
    let (server, original) = hub(Fault::None);
    let machine = Machine::reaching(&server.endpoint);
    let line = machine.run(&["path", REPOSITORY]).one_error(1).to_owned();
    assert!(line.contains("whisper-rs models fetch"), "{line}");

    let fetched = machine.run(&["fetch", REPOSITORY]);
    let folder = fetched.succeeded().stdout.trim().to_owned();
    let expected = machine.cache().join("models/someone--whisper-small-model");
    assert_eq!(Path::new(&folder), expected);
    assert_eq!(machine.run(&["path", REPOSITORY]).stdout.trim(), folder);

    let list = json(&machine.run(&["list", "--json"]));
    let entries = list.as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["name"] == REPOSITORY);
    let entry = entry.expect("what is fetched is listed");
    assert_eq!(entry["folder"], folder);
    assert_eq!(entry["place"], "cache");
    assert!(entry["bytes"].as_u64().unwrap() > 1000);
    let tiny = entries
        .iter()
        .find(|entry| entry["name"] == "tiny")
        .unwrap();
    assert_eq!(tiny["folder"], Value::Null);
    assert_eq!(tiny["repository"], "openai/whisper-tiny");
    let table = machine.run(&["list"]);
    for part in [&folder, "large-v3-turbo (turbo)", "809 M"] {
        assert!(table.succeeded().stdout.contains(part), "{}", table.stdout);
    }

    let removed = machine.run(&["remove", REPOSITORY]);
    assert!(removed.succeeded().stderr.contains("removed"));
    assert!(!Path::new(&folder).exists());
    let line = machine.run(&["remove", REPOSITORY]).one_error(1).to_owned();
    assert!(line.contains("no model"), "{line}");
    assert!(original.path().exists());
}

#[test]
fn the_folder_of_models_goes_by_two_names() {
    let (server, _original) = hub(Fault::None);
    let machine = Machine::reaching(&server.endpoint);
    let other = machine.path("other");
    let other = other.to_str().unwrap();
    for flag in ["--model_dir", "--cache_dir", "--model-dir", "--cache-dir"] {
        let run = machine.run(&["fetch", REPOSITORY, flag, other]);
        assert!(run.succeeded().stdout.starts_with(other), "{flag}: {run:?}");
        assert_eq!(files(&machine.cache()), Vec::<PathBuf>::new());
    }
    assert_eq!(server.starts_of("model.safetensors").len(), 1);
}

#[test]
fn two_processes_that_fetch_one_model_at_once_give_one_good_copy() {
    let (server, original) = hub(Fault::HangInDownload(1));
    let machine = Machine::reaching(&server.endpoint);
    let children: Vec<_> = (0..2)
        .map(|_| {
            let mut command = machine.command(&["fetch", REPOSITORY]);
            // The first one is held up, so that the other one comes while it is at work.
            command.env("HF_HUB_DOWNLOAD_TIMEOUT", "1");
            command.stdout(std::process::Stdio::piped());
            command.stderr(std::process::Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    let runs: Vec<Run> = children
        .into_iter()
        .map(|child| Run::of(child.wait_with_output().unwrap()))
        .collect();
    assert_eq!(runs[0].succeeded().stdout, runs[1].succeeded().stdout);
    let said = |what: &str| runs.iter().filter(|run| run.stderr.contains(what)).count();
    assert_eq!(said("waiting for another process"), 1, "{runs:?}");
    assert_eq!(said("no data for 1 s"), 1, "{runs:?}");
    let copy = Path::new(runs[0].stdout.trim()).join("model.safetensors");
    let content = fs::read(original.path().join("model.safetensors")).unwrap();
    assert_eq!(fs::read(copy).unwrap(), content);
    let starts = server.starts_of("model.safetensors");
    assert!(matches!(starts[..], [None, Some(_)]), "{starts:?}");
    assert_eq!(machine.leftovers().len(), 1);
}

#[test]
fn a_process_that_is_killed_leaves_what_the_next_one_takes_up() {
    let (server, _original) = hub(Fault::HangInDownload(1));
    let machine = Machine::reaching(&server.endpoint);
    let mut child = machine.command(&["fetch", REPOSITORY]).spawn().unwrap();
    while !machine
        .leftovers()
        .iter()
        .any(|part| fs::metadata(part).is_ok_and(|part| part.len() > 0))
    {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(
        files(&machine.cache().join("models")),
        Vec::<PathBuf>::new()
    );
    machine.run(&["fetch", REPOSITORY]).succeeded();
    let starts = server.starts_of("model.safetensors");
    assert!(
        matches!(starts[..], [None, Some(start)] if start > 0),
        "{starts:?}"
    );
}

#[test]
fn a_token_goes_to_the_hub_and_to_nobody_else() {
    let (server, _original) = hub(Fault::NeedsToken("secret"));
    let machine = Machine::reaching(&server.endpoint);
    let line = machine.run(&["fetch", REPOSITORY]).one_error(1).to_owned();
    for part in ["401", "HF_TOKEN", "Access to it is restricted."] {
        assert!(line.contains(part), "{line}");
    }
    let mut command = machine.command(&["fetch", REPOSITORY]);
    Run::of(command.env("HF_TOKEN", "secret").output().unwrap()).succeeded();
    for request in server.log().iter().skip(1) {
        let to_store = request.path.starts_with("/store/");
        assert_eq!(request.token.is_some(), !to_store, "{request:?}");
    }
}

#[test]
fn without_the_network_nothing_is_asked_and_one_line_says_so() {
    let (server, _original) = hub(Fault::None);
    let machine = Machine::reaching(&server.endpoint);
    let line = machine.run(&["fetch", REPOSITORY, "--offline"]);
    let line = line.one_error(1);
    assert!(line.contains("the network is not to be used"), "{line}");
    for model in [REPOSITORY, "base"] {
        let mut command = machine.command(&["fetch", model]);
        let run = Run::of(command.env("HF_HUB_OFFLINE", "1").output().unwrap());
        let line = run.one_error(1);
        assert!(line.contains("HF_HUB_OFFLINE is set"), "{line}");
    }
    let clip = data("jfk.wav");
    let mut command = whisper_rs(&["transcribe", clip.to_str().unwrap(), "--offline"]);
    machine.furnish(&mut command);
    let run = Run::of(command.output().unwrap());
    let line = run.one_error(1);
    assert!(line.contains("the network is not to be used"), "{line}");
    assert_eq!(server.log(), []);
}

#[test]
fn a_model_in_the_cache_needs_no_network() {
    let machine = Machine::alone();
    let folder = machine.cache().join("models/base");
    Synthetic::new().write_ctranslate2_folder(&folder, DType::F16);
    for verb in ["path", "fetch"] {
        let run = machine.run(&[verb, "base"]);
        assert_eq!(Path::new(run.succeeded().stdout.trim()), folder);
        assert_eq!(run.stderr, "");
    }
}

#[test]
fn a_fetched_model_transcribes_without_any_network() {
    let clip = data("jfk.wav");
    let arguments = ["transcribe", clip.to_str().unwrap(), "--language", "en"];
    let mut command = whisper_rs(&arguments);
    command.args(["--model", common::model("tiny.en")]);
    // Whoever asks for a network finds none.
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(name, "http://127.0.0.1:9");
    }
    command.env_remove("NO_PROXY").env_remove("no_proxy");
    let run = Run::of(command.output().unwrap());
    assert!(run.succeeded().stdout.contains("ask not what your country"));
    assert_eq!(run.stderr, "");
}

#[test]
fn proxies_of_the_environment_are_used_except_where_they_are_not_to_be() {
    let (server, _original) = hub(Fault::None);
    let machine = Machine::reaching("http://hub.invalid");
    let proxied = |exceptions: &str| {
        let mut command = machine.command(&["fetch", REPOSITORY]);
        command.env("http_proxy", &server.endpoint);
        Run::of(command.env("NO_PROXY", exceptions).output().unwrap())
    };
    let run = proxied("localhost, .invalid");
    let line = run.one_error(1);
    assert!(line.contains("Hugging Face Hub (someone/"), "{line}");
    assert_eq!(server.log(), []);
    proxied("localhost").succeeded();
    assert_eq!(server.log()[0].path, "hub.invalid:80");

    let mut command = machine.command(&["fetch", "someone/other"]);
    let run = Run::of(command.env("HTTP_PROXY", "no://proxy").output().unwrap());
    let line = run.one_error(1);
    assert!(line.contains("HTTP_PROXY"), "{line}");
}

#[cfg(unix)]
#[test]
fn a_disk_that_fills_up_is_one_line_and_nothing_is_left() {
    let original = tempfile::tempdir().unwrap();
    Synthetic::new().write_hugging_face_folder(original.path(), DType::F16);
    fs::write(original.path().join("model.safetensors"), vec![7; 4 << 20]).unwrap();
    let server = Server::start(REPOSITORY, original.path(), Fault::None);
    let machine = Machine::reaching(&server.endpoint);
    let run = machine.run_in(1000, &["fetch", REPOSITORY]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run:?}");
    let line = run.stderr.lines().last().unwrap();
    assert!(
        line.starts_with("error: not enough disk space in "),
        "{run:?}"
    );
    assert!(line.contains("--cache_dir"), "{line}");
    assert_eq!(machine.leftovers(), Vec::<PathBuf>::new());
    // With room, the same machine fetches it.
    machine.run(&["fetch", REPOSITORY]).succeeded();
}

#[test]
fn a_cache_that_cannot_be_written_is_one_line() {
    let (server, _original) = hub(Fault::None);
    let machine = Machine::reaching(&server.endpoint);
    fs::write(machine.cache(), "a file").unwrap();
    let line = machine.run(&["fetch", REPOSITORY]).one_error(1).to_owned();
    for part in ["cannot keep models in", "--cache_dir", "WHISPER_RS_CACHE"] {
        assert!(line.contains(part), "{line}");
    }
    assert_eq!(server.log(), []);
}

#[test]
fn models_of_other_programs_are_listed_and_used_and_left_alone() {
    let machine = Machine::alone();
    let hub_cache = machine.path("huggingface/hub");
    let snapshot = |repository: &str| {
        let repository = hub_cache.join(repository);
        fs::create_dir_all(repository.join("refs")).unwrap();
        fs::write(repository.join("refs/main"), "abc").unwrap();
        repository.join("snapshots/abc")
    };
    let transformers = snapshot("models--openai--whisper-base");
    Synthetic::new().write_hugging_face_folder(&transformers, DType::F32);
    let faster_whisper = snapshot("models--Systran--faster-whisper-small");
    Synthetic::new().write_ctranslate2_folder(&faster_whisper, DType::F16);
    let older = snapshot("models--guillaumekln--faster-whisper-medium");
    Synthetic::new().write_ctranslate2_folder(&older, DType::F16);

    let list = json(&machine.run(&["list", "--json"]));
    for (name, folder) in [
        ("base", &transformers),
        ("small", &faster_whisper),
        ("medium", &older),
    ] {
        let entries = list.as_array().unwrap();
        let entry = entries.iter().find(|entry| entry["name"] == name).unwrap();
        assert_eq!(entry["folder"], folder.to_str().unwrap());
        assert_eq!(entry["place"], "hub_cache");
        let path = machine.run(&["path", name]);
        assert_eq!(Path::new(path.succeeded().stdout.trim()), folder);
        let run = machine.run(&["remove", name]);
        let line = run.one_error(1);
        assert!(line.contains("not in the cache"), "{line}");
        assert!(folder.exists());
    }
}

#[test]
fn names_that_nobody_has_are_one_line() {
    let machine = Machine::alone();
    for verb in ["fetch", "path", "remove", "info"] {
        let run = machine.run(&[verb, "bsae"]);
        let line = run.one_error(2);
        assert!(line.contains("did you mean \"base\"?"), "{verb}: {line}");
        let run = machine.run(&[verb, "no/such/file.safetensors"]);
        assert!(run.one_error(1).contains("no/such/file"), "{run:?}");
    }
    let run = machine.run(&["info", "base"]);
    let line = run.one_error(1);
    assert!(line.contains("models fetch base"), "{line}");
    let line = machine
        .run(&["convert", "bsae", "out"])
        .one_error(2)
        .to_owned();
    assert!(line.contains("did you mean"), "{line}");
    let line = machine.run(&["convert", "base"]).one_error(2).to_owned();
    assert!(line.contains("<DST>"), "{line}");
}

#[test]
fn a_real_model_is_described() {
    let folder = whisper_weights::fetch("tiny.en", &whisper_weights::Silent).unwrap();
    let info = Run::of(
        whisper_rs(&["models", "info", "tiny.en", "--json"])
            .output()
            .unwrap(),
    );
    let info = json(&info);
    let weights = Path::new(info["files"][0]["path"].as_str().unwrap());
    assert!(weights.starts_with(&folder), "{info}");
    assert_eq!(
        info["files"][0]["bytes"],
        fs::metadata(weights).unwrap().len()
    );
    assert_eq!(info["files"][0]["sha256"].as_str().unwrap().len(), 64);
    assert!(info["format"].is_string());
    assert_eq!(info["parameters"], 37_760_256);
    for (name, value) in [
        ("n_mels", 80),
        ("n_audio_state", 384),
        ("n_text_layer", 4),
        ("n_vocab", 51_864),
    ] {
        assert_eq!(info["dims"][name], value, "{name}");
    }
    assert_eq!(info["multilingual"], false);
    assert_eq!(info["languages"], serde_json::json!(["en"]));
    assert_eq!(info["tokenizer_error"], Value::Null);
    // OpenAI's heads of tiny.en (openai/whisper, `_ALIGNMENT_HEADS`), whoever says them.
    let heads = [
        [1, 0],
        [2, 0],
        [2, 5],
        [3, 0],
        [3, 1],
        [3, 2],
        [3, 3],
        [3, 4],
    ];
    assert_eq!(info["alignment_heads"], serde_json::json!(heads));

    let text = Run::of(whisper_rs(&["models", "info", "tiny.en"]).output().unwrap());
    for part in [
        "37.8 M",
        "English alone",
        "1.0 2.0 2.5 3.0",
        weights.to_str().unwrap(),
        info["files"][0]["sha256"].as_str().unwrap(),
    ] {
        assert!(text.succeeded().stdout.contains(part), "{text:?}");
    }
}

#[test]
fn a_model_is_described_by_its_file_or_its_folder() {
    let machine = Machine::alone();
    let folder = machine.path("model");
    Synthetic::new().write_hugging_face_folder(&folder, DType::BF16);
    let file = folder.join("model.safetensors");
    let of_folder = machine.run(&["info", folder.to_str().unwrap(), "--json"]);
    let of_file = machine.run(&["info", file.to_str().unwrap(), "--json"]);
    let info = json(&of_folder);
    assert_eq!(json(&of_file), info);
    assert_eq!(info["format"], "safetensors");
    assert_eq!(info["files"][0]["path"], file.to_str().unwrap());
    let types = info["dtypes"].as_object().unwrap();
    assert_eq!(types.keys().collect::<Vec<_>>(), ["bf16"]);
    // A vocabulary that is not Whisper's has no languages that are known.
    assert_eq!(info["languages"], serde_json::json!([]));
    assert!(info["tokenizer_error"].is_string());

    fs::write(&file, "no weights").unwrap();
    let run = machine.run(&["info", file.to_str().unwrap()]);
    let line = run.one_error(1);
    assert!(line.contains("model.safetensors"), "{line}");
}

#[test]
fn a_model_is_converted_to_another_type() {
    let machine = Machine::alone();
    let source = machine.path("source");
    Synthetic::new().write_ctranslate2_folder(&source, DType::F16);
    for (dtype, expected) in [
        ("f16", DType::F16),
        ("f32", DType::F32),
        ("bf16", DType::BF16),
    ] {
        let target = machine.path(dtype);
        let (from, to) = (source.to_str().unwrap(), target.to_str().unwrap());
        let arguments = [
            "convert",
            from,
            to,
            "--format",
            "safetensors",
            "--dtype",
            dtype,
        ];
        machine.run(&arguments).succeeded();
        let converted = Checkpoint::open(&target).unwrap();
        let original = Checkpoint::open(&source).unwrap();
        for name in original.tensor_names() {
            let tensor = converted.tensor(name).unwrap();
            assert_eq!(tensor.dtype, expected, "{name}");
            // The values of this model are exact in each of the types.
            let values = original.tensor(name).unwrap().to_f32();
            assert_eq!(tensor.to_f32(), values, "{name}");
        }
        // What is there is not written over.
        let line = machine.run(&arguments).one_error(1).to_owned();
        assert!(line.contains(to), "{line}");
    }
    // Nothing half-made lies about.
    assert_eq!(files(machine.folder.path()).len(), 4);
}

#[test]
fn a_broken_tokenizer_is_not_written() {
    let machine = Machine::alone();
    let source = machine.path("source");
    Synthetic::new().write_ctranslate2_folder(&source, DType::F16);
    let target = machine.path("target");
    let arguments = [
        "convert",
        source.to_str().unwrap(),
        target.to_str().unwrap(),
    ];
    for (tokenizer, wanted) in [
        (r#"{"model": {"#, "is no byte-level BPE tokenizer"),
        (
            r#"{"model": {"vocab": {"a": 99}, "merges": []}}"#,
            "another model's",
        ),
        (
            r#"{"model": {"vocab": {"a": 0}, "merges": ["a a"]}}"#,
            "merge 0",
        ),
    ] {
        fs::write(source.join("tokenizer.json"), tokenizer).unwrap();
        let line = machine.run(&arguments).one_error(1).to_owned();
        assert!(
            line.contains("tokenizer.json") && line.contains(wanted),
            "{line}"
        );
        assert_eq!(files(machine.folder.path()), std::slice::from_ref(&source));
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_model_is_one_line() {
    let machine = Machine::alone();
    let pipe = machine.path("model.safetensors");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    for path in [pipe.to_str().unwrap(), "/dev/zero"] {
        let line = machine.run(&["info", path]).one_error(1).to_owned();
        assert!(line.contains("neither a file nor a folder"), "{line}");
    }
    // In a folder it is no file of weights.
    let folder = machine.folder.path().to_str().unwrap();
    let line = machine.run(&["info", folder]).one_error(1).to_owned();
    assert!(line.contains("holds no weights"), "{line}");
}

#[cfg(unix)]
#[test]
fn a_conversion_that_the_disk_has_no_room_for_leaves_nothing() {
    let machine = Machine::alone();
    let source = machine.path("source");
    Synthetic::new().write_ctranslate2_folder(&source, DType::F16);
    let target = machine.path("target");
    let arguments = [
        "convert",
        source.to_str().unwrap(),
        target.to_str().unwrap(),
    ];
    let run = machine.run_in(2, &arguments);
    let line = run.one_error(1);
    let told = format!("not enough disk space in {}", target.display());
    assert!(line.contains(&told), "{line}");
    assert_eq!(files(machine.folder.path()), [source]);
}

#[test]
fn a_folder_that_cannot_be_written_is_one_line() {
    let machine = Machine::alone();
    let source = machine.path("source");
    Synthetic::new().write_ctranslate2_folder(&source, DType::F16);
    fs::write(machine.path("file"), "").unwrap();
    let target = machine.path("file/target");
    let arguments = [
        "convert",
        source.to_str().unwrap(),
        target.to_str().unwrap(),
    ];
    let line = machine.run(&arguments).one_error(1).to_owned();
    assert!(line.contains("cannot"), "{line}");
}
