#![no_main]

// The targets are `whisper_rs` to what they share with its tests.
extern crate self as whisper_rs;

#[path = "../../src/audio/mod.rs"]
#[allow(dead_code)] // decoding a reader is a part of it
mod audio;
#[path = "../../src/error.rs"]
#[allow(dead_code)]
mod error;
#[path = "../../tests/common/hostile_audio.rs"]
mod hostile_audio;

use audio::Audio;
use error::Error;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hostile_audio::decode(bytes);
});
