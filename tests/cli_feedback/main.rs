//! What a run tells while it goes on, and how it ends when it is told to.
#![cfg(feature = "cli")]

#[path = "../common/mod.rs"]
mod common;
mod endings;
mod interrupts;
mod messages;
mod running;
