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

use std::sync::Once;

use audio::Audio;
use error::Error;

/// Panics of the decoders are caught and make an error. All others are findings.
fn abort_on_our_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let place = panic.location().map_or("", |place| place.file());
            if !["/symphonia-", "/opus-decoder-"].iter().any(|decoder| place.contains(decoder)) {
                // libFuzzer's own, which aborts.
                report(panic);
            }
        }));
    });
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    abort_on_our_panics();
    hostile_audio::decode(bytes);
});
