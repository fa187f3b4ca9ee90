//! A user fetches a model from the Hugging Face Hub, over networks good and bad.

mod cache;
mod networks;
mod repositories;
#[path = "../support/mod.rs"]
mod support;
mod world;
