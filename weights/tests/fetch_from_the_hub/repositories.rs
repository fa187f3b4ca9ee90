//! What a repository may hold, and whom it is for.

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use whisper_weights::{DType, FetchEvent, Silent};

use crate::support::hub::Fault;
use crate::world::{REPOSITORY, World};

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
