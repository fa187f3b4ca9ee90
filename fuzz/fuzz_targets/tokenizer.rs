#![no_main]

#[path = "../../weights/tests/support/hostile.rs"]
#[allow(dead_code)] // each target calls its part
mod hostile;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hostile::convert_tokenizer(bytes);
});
