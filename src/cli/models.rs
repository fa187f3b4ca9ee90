//! From `--model` to weights on this machine, with the progress of what has to be fetched.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use whisper_weights::{Error, Event, Fetcher, Silent};

use super::messages;
use super::progress::{Progress, Unit};

/// The models that can be had.
pub struct Models {
    fetcher: Fetcher,
}

impl Models {
    /// Models are kept in `folder`, or in the user's cache folder.
    pub fn open(folder: Option<&Path>) -> Result<Self, Error> {
        let fetcher = Fetcher::from_env()?;
        Ok(Models {
            fetcher: match folder {
                Some(folder) => fetcher.with_cache(folder),
                None => fetcher,
            },
        })
    }

    /// The models that are on this machine alone, if `offline`.
    pub fn offline(mut self, offline: bool) -> Self {
        if offline {
            self.fetcher = self.fetcher.offline(true);
        }
        self
    }

    /// Refuses a name that no source can have and a path that is not there, at once and without any network.
    pub fn check(&self, model: &str) -> Result<(), Error> {
        match self.fetcher.clone().offline(true).fetch(model, &Silent) {
            Err(error @ (Error::UnknownModel { .. } | Error::NotFound(_))) => Err(error),
            _ => Ok(()),
        }
    }

    /// The model's file or folder, fetched if it is not on this machine.
    pub fn fetch(&self, model: &str) -> Result<PathBuf, Error> {
        let download: RefCell<Option<Progress>> = RefCell::new(None);
        self.fetcher.fetch(model, &|event: Event<'_>| match event {
            Event::Started { what, total } => {
                let total = total.map(|bytes| bytes as f64);
                let label = format!("fetching {model} ({what})");
                let begun = Progress::begin(label, Unit::Bytes, total);
                download.replace(Some(begun));
            }
            Event::Advanced { done } => {
                if let Some(download) = download.borrow_mut().as_mut() {
                    download.set(done as f64);
                }
            }
            Event::Finished => {
                if let Some(download) = download.take() {
                    download.finish();
                }
            }
            Event::Message(line) => match download.borrow().as_ref() {
                Some(download) => download.interrupt(|| messages::note(line)),
                None => messages::note(line),
            },
            // Other events are news that a progress bar has no place for.
            _ => {}
        })
    }
}
