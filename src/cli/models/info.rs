//! `whisper-rs models info`: what a model on this machine is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use whisper_rs::tokenizer::languages::LANGUAGES;
use whisper_rs::{Error, Tokenizer};
use whisper_weights::{Checkpoint, ModelDims};

use super::{Models, StoreArguments};
use crate::cli::output_lines;

/// The arguments of `models info`.
#[derive(Debug, clap::Args)]
pub struct InfoArguments {
    /// Model: the path of a file or folder with weights, or the name of a model on this machine
    #[arg(value_name = "PATH_OR_NAME")]
    pub model: String,

    /// Print it as JSON
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub store: StoreArguments,
}

/// What is told of a model.
#[derive(Debug, Serialize)]
struct Info {
    format: &'static str,
    files: Vec<WeightFile>,
    dims: Dims,
    parameters: usize,
    /// Parameters by the type that they are stored in.
    dtypes: BTreeMap<String, usize>,
    multilingual: bool,
    /// Codes of the languages that it knows; none where its vocabulary is not Whisper's.
    languages: Option<Vec<&'static str>>,
    /// Why there is no tokenizer that fits, if there is none.
    tokenizer_error: Option<String>,
    /// Cross-attention heads (layer, head) that follow the audio in time.
    alignment_heads: Option<Vec<(usize, usize)>>,
    suppress_tokens: Option<usize>,
}

/// One of the files of weights.
#[derive(Debug, Serialize)]
struct WeightFile {
    path: PathBuf,
    bytes: u64,
    sha256: String,
}

/// openai/whisper's `ModelDimensions`.
#[derive(Debug, Serialize)]
struct Dims {
    n_mels: usize,
    n_audio_ctx: usize,
    n_audio_state: usize,
    n_audio_head: usize,
    n_audio_layer: usize,
    n_vocab: usize,
    n_text_ctx: usize,
    n_text_state: usize,
    n_text_head: usize,
    n_text_layer: usize,
}
