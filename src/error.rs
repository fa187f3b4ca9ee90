//! The one error type of this crate.

use std::path::PathBuf;

/// What can go wrong between an audio file and its transcript.
///
/// Each message is one line that says what is wrong and, where something can be done, what.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The input is no audio that can be decoded, or holds samples that cannot be used.
    #[error("{name}: {reason}")]
    Audio {
        /// The input's name, as the user gave it.
        name: String,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// A manifest of clips that cannot be read as one.
    #[error("{}: {reason}", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it, with the line.
        reason: String,
    },
    /// A file that cannot be read as a transcript.
    #[error("{}: {reason}", path.display())]
    Transcript {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// The tokenizer's vocabulary is unusable or does not fit the model.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
    /// The model's weights could not be found, fetched or read.
    #[error(transparent)]
    Weights(#[from] whisper_weights::Error),
    /// The checkpoint is readable but is not a Whisper model that this engine can run.
    #[error("model: {0}")]
    Model(String),
    /// A language that nobody knows, or that this model does not: which, and what to give instead.
    #[error("language {0}")]
    Language(String),
    /// An option has a value that makes no sense.
    #[error("{0}")]
    Option(String),
    /// The device is not compiled in or not present.
    #[error("device: {0}")]
    Device(String),
    /// A [`CancelToken`](crate::CancelToken) ended the work before it had any result.
    #[error("cancelled")]
    Cancelled,
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
