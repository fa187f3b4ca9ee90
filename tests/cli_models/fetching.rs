//! Models are fetched, found, listed and removed.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use whisper_weights::DType;

use crate::common::{Run, data, whisper_rs};
use crate::hub::{Fault, Server};
use crate::machine::{Machine, REPOSITORY, files, hub, json};
use crate::synthetic::Synthetic;

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
    command.args(["--model", crate::common::model("tiny.en")]);
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
