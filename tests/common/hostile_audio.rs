//! What is done with audio of any content: by the fuzz target in `fuzz/`, and by the test that replays its corpus.
//!
//! Whatever the bytes are, there is audio whose every sample is a number, or an error of one line.

use std::io::Cursor;

use whisper_rs::{Audio, Error};

/// Decodes these bytes. `true` where that gives audio.
pub fn decode(bytes: &[u8]) -> bool {
    match Audio::from_reader(Cursor::new(bytes.to_vec()), "input") {
        Ok(audio) => {
            let mut samples = [0.0; 1000];
            for start in [0, audio.len() / 2, audio.len()] {
                audio.read(start, &mut samples).unwrap();
                assert!(samples.iter().all(|sample| (-1.0..=1.0).contains(sample)));
            }
            assert!(audio.warnings().iter().all(|line| !line.contains('\n')));
            true
        }
        Err(error) => {
            let line = match error {
                Error::Io { .. } => panic!("nothing was to be read from a file: {error}"),
                error => error.to_string(),
            };
            assert!(
                line.starts_with("input: ") && !line.contains('\n'),
                "{line:?}"
            );
            false
        }
    }
}
