//! From a model's name to weights on this machine, with the progress of what has to be fetched.

use std::cell::RefCell;
use std::path::PathBuf;

use whisper_weights::{Error, FetchEvent, Fetcher, Silent};

use crate::cli::feedback::messages;
use crate::cli::feedback::progress::{ProgressDisplay, Unit};
use crate::cli::flags::heading;
use crate::cli::flags::values::Optional;

/// Where models are looked for: the flags of every subcommand that takes a model.
#[derive(Debug, Clone, clap::Args)]
#[command(rename_all = "snake_case")]
pub struct StoreArguments {
    /// Folder that keeps fetched models; --cache_dir is the same [default: the user's cache folder]
    #[arg(
        long,
        alias = "cache_dir",
        alias = "cache-dir",
        default_value = "None",
        hide_default_value = true,
        value_name = "DIR",
        help_heading = heading::MODEL,
        hide_short_help = true,
    )]
    pub model_dir: Optional<PathBuf>,

    /// Use models of this machine alone, and no network; --local_files_only is the same
    #[arg(
        long,
        alias = "local_files_only",
        alias = "local-files-only",
        help_heading = heading::MODEL,
        hide_short_help = true,
    )]
    pub offline: bool,
}

/// The models that can be had.
pub struct Models {
    pub fetcher: Fetcher,
}

impl Models {
    pub fn open(arguments: &StoreArguments) -> Result<Self, Error> {
        let fetcher = Fetcher::open(arguments.model_dir.0.as_deref(), arguments.offline)?;
        Ok(Models { fetcher })
    }

    /// Refuses a name that no source can have and a path that is not there, at once and without any network.
    pub fn check(&self, model: &str) -> Result<(), Error> {
        match self.fetcher.clone().offline(true).fetch(model, &Silent) {
            Err(error @ (Error::UnknownModel { .. } | Error::NotFound(_) | Error::Io { .. })) => {
                Err(error)
            }
            _ => Ok(()),
        }
    }

    /// The model's file or folder, fetched if it is not on this machine.
    pub fn fetch(&self, model: &str) -> Result<PathBuf, Error> {
        self.telling(model, |progress| self.fetcher.fetch(model, progress))
    }

    /// The same, but a copy in the cache that is truncated or corrupt is replaced.
    pub fn fetch_sound(&self, model: &str) -> Result<PathBuf, Error> {
        self.telling(model, |progress| self.fetcher.fetch_sound(model, progress))
    }

    /// Fetches with progress bar and notes.
    fn telling(
        &self,
        model: &str,
        fetch: impl FnOnce(&dyn whisper_weights::FetchProgress) -> Result<PathBuf, Error>,
    ) -> Result<PathBuf, Error> {
        let download: RefCell<Option<ProgressDisplay>> = RefCell::new(None);
        fetch(&|event: FetchEvent<'_>| match event {
            FetchEvent::Started { what, total } => {
                let total = total.map(|bytes| bytes as f64);
                let label = format!("fetching {model} ({what})");
                let begun = ProgressDisplay::begin(label, Unit::Bytes, total);
                download.replace(Some(begun));
            }
            FetchEvent::Advanced { done } => {
                if let Some(download) = download.borrow_mut().as_mut() {
                    download.set(done as f64);
                }
            }
            FetchEvent::Finished => {
                if let Some(download) = download.take() {
                    download.finish();
                }
            }
            FetchEvent::Message(line) => match download.borrow().as_ref() {
                Some(download) => download.interrupt(|| messages::note(line)),
                None => messages::note(line),
            },
            // Other events are news that a progress bar has no place for.
            _ => {}
        })
    }

    /// The model's file or folder on this machine.
    pub fn find(&self, model: &str) -> Result<PathBuf, Error> {
        self.check(model)?;
        self.fetcher.find(model)?.ok_or_else(|| Error::NotHere {
            name: model.to_owned(),
            why: None,
        })
    }
}
