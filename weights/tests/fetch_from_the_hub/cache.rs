//! What is on the machine already, and the disk that it is kept on.

use std::cell::RefCell;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;

use whisper_weights::{DType, Error, FetchEvent, Fetcher, Place, Silent};

use crate::support::hub::Fault;
use crate::support::synthetic::Synthetic;
use crate::world::{REPOSITORY, World};

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
