//! A connection to the Hub for one repository.

use std::path::{Path, PathBuf};

use hf_hub::api::sync::{Api, ApiBuilder};
use hf_hub::{Repo, RepoType};

use super::super::settings::HubSettings;
use super::listing::Listing;
use crate::error::{Error, Result};

/// One repository, through hf-hub.
pub(super) struct Hub<'a> {
    pub(super) api: Api,
    pub(super) repository: &'a str,
    /// hf-hub's cache for this download alone: `blobs/<etag>.part` grows, then `blobs/<etag>`
    /// is there with a link to it.
    pub(super) cache: PathBuf,
    pub(super) settings: &'a HubSettings,
}

impl<'a> Hub<'a> {
    pub(super) fn new(
        settings: &'a HubSettings,
        repository: &'a str,
        cache: &Path,
    ) -> Result<Self> {
        let mut builder = ApiBuilder::from_cache(hf_hub::Cache::new(cache.to_path_buf()))
            .with_progress(false)
            .with_token(settings.token.clone())
            .with_user_agent("whisper-rs", env!("CARGO_PKG_VERSION"));
        if let Some(endpoint) = &settings.endpoint {
            builder = builder.with_endpoint(endpoint.clone());
        }
        let api = builder
            .build()
            .map_err(|e| Error::source(repository, one_line(&e)))?;
        Ok(Self {
            api,
            repository,
            cache: cache.to_path_buf(),
            settings,
        })
    }

    pub(super) fn failure(&self, why: impl std::fmt::Display) -> Error {
        Error::source(
            format!("Hugging Face Hub ({})", self.repository),
            one_line(&why),
        )
    }

    /// Asks for the repository's files. This is also the probe whether the Hub can be reached.
    pub(super) fn list(&self) -> Result<Listing> {
        let repo = self
            .api
            .repo(Repo::new(self.repository.into(), RepoType::Model));
        let response = repo
            .info_request()
            .query("blobs", "true")
            .config()
            .timeout_resolve(Some(self.settings.connect_timeout))
            .timeout_connect(Some(self.settings.connect_timeout))
            .timeout_global(Some(self.settings.answer_timeout))
            .build()
            .call();
        let mut response = response.map_err(|e| self.failure(explain(&e.to_string())))?;
        let text = response
            .body_mut()
            .read_to_string()
            .map_err(|e| self.failure(e))?;
        let listing: Listing = serde_json::from_str(&text)
            .map_err(|e| self.failure(format!("its answer is not understood: {e}")))?;
        // The names become paths here: nothing but plain names is looked at.
        Ok(Listing {
            siblings: listing
                .siblings
                .into_iter()
                .filter(|file| {
                    Path::new(&file.name)
                        .file_name()
                        .is_some_and(|n| n == &*file.name)
                })
                .collect(),
            ..listing
        })
    }
}

/// Adds to an error of the HTTP library what it means here.
pub(super) fn explain(error: &str) -> String {
    let meaning = if error.ends_with("status: 404") {
        "there is no such repository or file"
    } else if error.ends_with("status: 401") || error.ends_with("status: 403") {
        "the repository does not exist, or HF_TOKEN gives no access to it"
    } else if error.starts_with("timeout") {
        "it does not answer"
    } else {
        return error.to_string();
    };
    format!("{error} ({meaning})")
}

fn one_line(text: &impl std::fmt::Display) -> String {
    text.to_string()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
