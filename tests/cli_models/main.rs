//! What a user does with `whisper-rs models`: list, fetch, look at, find, convert and remove models, on networks and
//! disks good and bad.
#![cfg(feature = "cli")]

#[path = "../../weights/tests/support/hub.rs"]
#[allow(dead_code, reason = "the tests of fetching use the rest")]
mod hub;
#[path = "../../weights/tests/support/synthetic.rs"]
#[allow(dead_code, reason = "the tests of formats use the rest")]
mod synthetic;

#[path = "../common/mod.rs"]
mod common;
mod converting;
mod describing;
mod fetching;
mod machine;
