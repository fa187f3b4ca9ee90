//! What can go wrong while reading or fetching a checkpoint. Every message is one line: what is
//! wrong, and what to do about it.

use std::path::{Path, PathBuf};

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error while reading, writing or fetching a checkpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no file or folder of that name.
    #[error("there is no file or folder {}", .0.display())]
    NotFound(PathBuf),

    /// The path is of a pipe, a socket or a device.
    #[error("{} is neither a file nor a folder: weights are read from a file on the disk", .0.display())]
    NotAFile(PathBuf),

    /// Reading or writing a file failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried: "read", "write", "create" ...
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },

    /// The folder holds no file of a known weight format.
    #[error(
        "the folder {} holds no weights: expected model.safetensors (or model.safetensors.index.json with its shards), model.bin, pytorch_model.bin, a .pt, a ggml .bin or a .gguf",
        .0.display()
    )]
    NoWeights(PathBuf),

    /// The file's content is of no known weight format.
    #[error(
        "{} is not a Whisper checkpoint: {what}; expected Hugging Face safetensors, a CTranslate2 model.bin, a PyTorch .pt or .bin, a ggml .bin, or a .gguf",
        path.display()
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// What it looks like instead.
        what: String,
    },

    /// The format or one of its variants is known, but not read.
    #[error("{} is {format}, which is not read: {advice}", path.display())]
    UnsupportedFormat {
        /// The file.
        path: PathBuf,
        /// The format, with its article: "an OpenAI or PyTorch file".
        format: String,
        /// What to use instead.
        advice: String,
    },

    /// The file is truncated or corrupt.
    #[error("{} is truncated or corrupt: {what}; fetch or copy it again", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },

    /// A tensor of the checkpoint is missing or is not what the model's dimensions ask for.
    #[error("{}: tensor {tensor}: {what}", path.display())]
    Tensor {
        /// The weight file.
        path: PathBuf,
        /// Canonical name of the tensor.
        tensor: String,
        /// Found against expected.
        what: String,
    },

    /// A tensor was asked for that a Whisper checkpoint of these dimensions does not have.
    #[error("a checkpoint of these dimensions has no tensor {0}")]
    NoSuchTensor(String),

    /// Tensors cannot be written in this type.
    #[error("tensors are written as f32, f16 or bf16, not as {0}")]
    CannotWrite(crate::dtype::DType),

    /// A JSON file beside the weights does not say what it should.
    #[error("{}: {what}", path.display())]
    Config {
        /// The JSON file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },

    /// The caller has asked for an end. Nothing is left of what was begun.
    #[error("interrupted: nothing was written")]
    Cancelled,

    /// There is no tokenizer beside the weights.
    #[error(
        "there is no tokenizer.json (nor vocab.json with merges.txt) in {}, and the vocabulary is not a published one: copy the model's tokenizer.json there",
        .0.display()
    )]
    MissingTokenizer(PathBuf),

    /// The name is neither in the catalogue nor an existing path.
    #[error(
        "unknown model {name:?}{}; known models: {known}; a path to a file or folder, or a Hub repository as owner/name, works too",
        suggestion.as_ref().map(|nearest| format!(": did you mean {nearest:?}?")).unwrap_or_default()
    )]
    UnknownModel {
        /// The name that was asked for.
        name: String,
        /// The nearest name of the catalogue, if one is near.
        suggestion: Option<&'static str>,
        /// All names, separated by commas.
        known: String,
    },

    /// No cache folder is known on this machine.
    #[error("no cache folder is known for this user: set WHISPER_RS_CACHE to a folder")]
    NoCacheFolder,

    /// The cache cannot be written.
    #[error("cannot keep models in {}: {source}; give a folder that can be written (--cache_dir or WHISPER_RS_CACHE)", folder.display())]
    CacheNotWritable {
        /// The folder that was to be made or written.
        folder: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },

    /// The disk is full, or would be.
    #[error("not enough disk space in {}: {what}; free some, or use a folder of another disk (for the cache: --cache_dir or WHISPER_RS_CACHE)", folder.display())]
    NoSpace {
        /// The folder that the files are to be in.
        folder: PathBuf,
        /// How much is missing, or the operating system's answer.
        what: String,
    },

    /// The model is not on this machine, and the network is not to be used, or was not asked.
    #[error("{}", not_here(name, *why))]
    NotHere {
        /// What was asked for.
        name: String,
        /// Why it is not fetched, where it was to be.
        why: Option<&'static str>,
    },

    /// The model is on this machine, but not one of the cache: it is not this crate's to remove.
    #[error("{name} is not in the cache but in {}: remove it there", folder.display())]
    NotInCache {
        /// What was asked for.
        name: String,
        /// Where it is.
        folder: PathBuf,
    },

    /// One source could not give the model.
    #[error("{source_name}: {why}")]
    Source {
        /// The source: "Hugging Face Hub", "package index" ...
        source_name: String,
        /// Why it failed.
        why: String,
    },

    /// No source could give the model.
    #[error(
        "cannot fetch model {name:?}: {}. Check the network, or give a path to a folder that holds the model (model.safetensors or model.bin, with config.json and tokenizer.json)",
        failures.join("; ")
    )]
    NotFetched {
        /// The model.
        name: String,
        /// One line for each source that was tried.
        failures: Vec<String>,
    },
}

impl Error {
    pub(crate) fn io(action: &'static str, path: impl AsRef<Path>, source: std::io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        if action == "read" && source.kind() == std::io::ErrorKind::NotFound {
            return Self::NotFound(path);
        }
        Self::Io {
            action,
            path,
            source,
        }
    }

    pub(crate) fn corrupt(path: impl AsRef<Path>, what: impl Into<String>) -> Self {
        Self::Corrupt {
            path: path.as_ref().to_path_buf(),
            what: one_line(what),
        }
    }

    pub(crate) fn unsupported(
        path: impl AsRef<Path>,
        format: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::UnsupportedFormat {
            path: path.as_ref().to_path_buf(),
            format: one_line(format),
            advice: advice.into(),
        }
    }

    pub(crate) fn tensor(
        path: impl AsRef<Path>,
        tensor: impl Into<String>,
        what: impl Into<String>,
    ) -> Self {
        Self::Tensor {
            path: path.as_ref().to_path_buf(),
            tensor: one_line(tensor),
            what: one_line(what),
        }
    }

    pub(crate) fn config(path: impl AsRef<Path>, what: impl Into<String>) -> Self {
        Self::Config {
            path: path.as_ref().to_path_buf(),
            what: one_line(what),
        }
    }

    #[cfg(feature = "fetch")]
    pub(crate) fn source(source_name: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Source {
            source_name: source_name.into(),
            why: why.into(),
        }
    }
}

fn not_here(name: &str, why: Option<&str>) -> String {
    match why {
        Some(why) => format!(
            "{name} is not on this machine, and {why}: fetch it with `whisper-rs models fetch {name}` where the network may be used, or give the path of a folder that holds the model"
        ),
        None => format!(
            "{name} is no model, file or folder on this machine; `whisper-rs models fetch {name}` fetches it"
        ),
    }
}

/// What a file says, made fit for a message: names in a file may be of any length and hold any characters.
fn one_line(text: impl Into<String>) -> String {
    const LONGEST: usize = 400;
    let text = text.into();
    if text.chars().count() <= LONGEST && !text.contains(char::is_control) {
        return text;
    }
    let mut line: String = (text.chars().take(LONGEST))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        line.push_str(" ...");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_one_line_whatever_a_file_says() {
        let line =
            Error::corrupt("model.bin", format!("a\nb\u{1b}[31m{}", "c".repeat(1000))).to_string();
        assert!(
            !line.contains(char::is_control) && line.len() < 600,
            "{line}"
        );
        assert_eq!(one_line("a name"), "a name");
    }
}
