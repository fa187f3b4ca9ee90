//! `whisper-rs models`: the models that can be had and those that are here, in whatever format.

mod convert;
mod info;
mod list;
mod store;

use std::process::ExitCode;

use clap::Subcommand;
use whisper_rs::Error;

use super::feedback::messages;
use super::{ended, output_lines};

pub use store::{Models, StoreArguments};

/// What can be done with models.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// List the models that have a name, and which of them are on this machine
    List(list::ListArguments),
    /// Tell what a model on this machine is: format, dimensions, types, vocabulary, languages, hashes
    Info(info::InfoArguments),
    /// Fetch a model, and print where it is
    Fetch(NameArguments),
    /// Print where a model is on this machine
    Path(NameArguments),
    /// Remove a model from the cache, with what an interrupted fetch left of it
    Remove(NameArguments),
    /// Write a model as a folder of Hugging Face safetensors, which transformers loads
    Convert(convert::ConvertArguments),
}

/// A model by name.
#[derive(Debug, clap::Args)]
pub struct NameArguments {
    /// Name such as tiny.en or base, or a Hub repository as owner/name
    #[arg(value_name = "NAME")]
    pub name: String,

    #[command(flatten)]
    pub store: StoreArguments,
}

/// Does what is asked for; what fails is one line.
pub fn run(command: &ModelsCommand) -> ExitCode {
    let done = match command {
        ModelsCommand::List(arguments) => list::run(arguments),
        ModelsCommand::Info(arguments) => info::run(arguments),
        ModelsCommand::Fetch(arguments) => fetch(arguments),
        ModelsCommand::Path(arguments) => path(arguments),
        ModelsCommand::Remove(arguments) => remove(arguments),
        ModelsCommand::Convert(arguments) => convert::run(arguments),
    };
    ended(done)
}

fn fetch(arguments: &NameArguments) -> Result<(), Error> {
    let folder = Models::open(&arguments.store)?.fetch_sound(&arguments.name)?;
    output_lines::print(&folder.display().to_string())
}

fn path(arguments: &NameArguments) -> Result<(), Error> {
    let folder = Models::open(&arguments.store)?.find(&arguments.name)?;
    output_lines::print(&folder.display().to_string())
}

fn remove(arguments: &NameArguments) -> Result<(), Error> {
    let bytes = (Models::open(&arguments.store)?.fetcher).remove(&arguments.name)?;
    let megabytes = bytes as f64 / 1e6;
    messages::note(format!("removed {}: {megabytes:.1} MB", arguments.name));
    Ok(())
}
