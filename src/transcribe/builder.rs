//! Everything that is chosen before a model is loaded.

#[cfg(feature = "fetch")]
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use whisper_weights::Checkpoint;
#[cfg(feature = "fetch")]
use whisper_weights::{FetchProgress, Fetcher, Silent};

use super::Whisper;
use crate::compute_type::ComputeType;
use crate::frontend::{Normalisation, Smoothing};
use crate::{Result, device, threads};

/// Loads a [`Whisper`]; what is not set is as the command line has it.
///
/// ```no_run
/// use whisper_rs::{ComputeType, Whisper, weights};
///
/// let whisper = Whisper::builder("base")
///     .device("cpu")
///     .compute_type(ComputeType::Int8)
///     .cache_folder("models")
///     .load_with(&|event: weights::FetchEvent<'_>| eprintln!("{event:?}"))?;
/// # Ok::<(), whisper_rs::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "no model is loaded before `load`"]
pub struct WhisperBuilder {
    model: String,
    device: Choice,
    compute_type: ComputeType,
    smoothing: Smoothing,
    normalisation: Normalisation,
    threads: Option<usize>,
    #[cfg(feature = "fetch")]
    cache_folder: Option<PathBuf>,
    #[cfg(feature = "fetch")]
    offline: bool,
}

/// A device by its name, or itself.
#[derive(Clone, Debug)]
enum Choice {
    Named(String),
    Opened(Device),
}

impl WhisperBuilder {
    pub(super) fn new(model: &str) -> Self {
        Self {
            model: model.to_owned(),
            device: Choice::Named("auto".to_owned()),
            compute_type: ComputeType::Auto,
            smoothing: Smoothing::Off,
            normalisation: Normalisation::Off,
            threads: None,
            #[cfg(feature = "fetch")]
            cache_folder: None,
            #[cfg(feature = "fetch")]
            offline: false,
        }
    }

    /// The device by a name that [`device::open`] takes; `auto` where none is set.
    pub fn device(mut self, name: impl Into<String>) -> Self {
        self.device = Choice::Named(name.into());
        self
    }

    /// A device that is open already.
    pub fn on(mut self, device: &Device) -> Self {
        self.device = Choice::Opened(device.clone());
        self
    }

    /// The numbers to compute in; [`Auto`](ComputeType::Auto) where none are set.
    pub fn compute_type(mut self, compute_type: ComputeType) -> Self {
        self.compute_type = compute_type;
        self
    }

    /// The features smoothed over their neighbours, which OpenAI's transcripts are made without ([word error
    /// rates](crate::book::smoothing)).
    pub fn smoothing(mut self, smoothing: Smoothing) -> Self {
        self.smoothing = smoothing;
        self
    }

    /// Recordings made as loud as asked before they are heard, which openai/whisper does not do.
    pub fn normalisation(mut self, normalisation: Normalisation) -> Self {
        self.normalisation = normalisation;
        self
    }

    /// Threads for work on the CPU, of this process and all its models: see [`threads::configure`], which a program may call
    /// itself. Where none are set, the pool of threads is left as it is.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// The folder that keeps fetched models, in the place of the user's cache folder.
    #[cfg(feature = "fetch")]
    pub fn cache_folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.cache_folder = Some(folder.as_ref().to_path_buf());
        self
    }

    /// Use models of this machine alone, and no network. Without it the environment decides ([`Fetcher::from_env`]).
    #[cfg(feature = "fetch")]
    pub fn offline(mut self, offline: bool) -> Self {
        self.offline = offline;
        self
    }

    /// Loads the model. One that is not on this machine is fetched without a word; without the feature `fetch`, models are files
    /// and folders alone.
    ///
    /// # Errors
    ///
    /// - [`Error::Weights`](crate::Error::Weights) when the model's name is unknown, no source has it, a tensor or the
    ///   tokenizer is missing or unreadable
    /// - [`Error::Model`](crate::Error::Model) when the checkpoint's dimensions are not those of a Whisper model or its
    ///   tensors do not fit them
    /// - [`Error::Tokenizer`](crate::Error::Tokenizer) when the tokenizer belongs to another model
    /// - [`Error::Device`](crate::Error::Device) when the device is unknown, not compiled in or not here, or cannot compute in
    ///   these numbers
    /// - [`Error::Option`](crate::Error::Option) when the threads cannot be had
    pub fn load(&self) -> Result<Whisper> {
        #[cfg(feature = "fetch")]
        return self.load_with(&Silent);
        #[cfg(not(feature = "fetch"))]
        self.load_checkpoint(&Checkpoint::open(&self.model)?)
    }

    /// Loads the model, and tells of its download where there is one.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    #[cfg(feature = "fetch")]
    pub fn load_with(&self, progress: &dyn FetchProgress) -> Result<Whisper> {
        let fetcher = Fetcher::open(self.cache_folder.as_deref(), self.offline)?;
        let path = fetcher.fetch(&self.model, progress)?;
        self.load_checkpoint(&Checkpoint::open(path)?)
    }

    /// Loads a checkpoint that is open already, in the place of a model by its name.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn load_checkpoint(&self, checkpoint: &Checkpoint) -> Result<Whisper> {
        // The threads first: to choose a device takes work on the CPU.
        if let Some(threads) = self.threads {
            threads::configure(threads)?;
        }
        let device = match &self.device {
            Choice::Named(name) => device::open(name)?,
            Choice::Opened(device) => device.clone(),
        };
        let whisper = Whisper::from_checkpoint_as(checkpoint, &device, self.compute_type)?;
        Ok(whisper
            .with_smoothing(self.smoothing)
            .with_normalisation(self.normalisation))
    }
}
