//! `whisper-rs models info`: what a model on this machine is.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Serialize, Serializer};
use whisper_rs::frontend::note_on_filters;
use whisper_rs::{Error, Tokenizer};
use whisper_weights::{Checkpoint, ModelDims, Origin, for_each_tensor};

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
    /// The files of weights, with their hashes.
    files: Vec<WeightFile>,
    format: &'static str,
    /// Tensors by the type that they are stored in.
    dtypes: BTreeMap<String, usize>,
    parameters: usize,
    /// openai/whisper's `ModelDimensions`, in their order.
    #[serde(serialize_with = "as_map")]
    dims: [(&'static str, usize); 10],
    multilingual: bool,
    /// Codes of the languages that it has tokens for.
    languages: Vec<&'static str>,
    /// Why the tokenizer cannot be used, if it cannot.
    tokenizer_error: Option<String>,
    /// Cross-attention heads (layer, head) that follow the audio in time.
    alignment_heads: Option<Vec<(usize, usize)>>,
    /// `files` where the model's files say them, `published` where they are those of a model of these dimensions.
    alignment_heads_origin: &'static str,
    /// What was taken from elsewhere because no file of the model says it.
    notes: Vec<String>,
}

/// One of the files of weights.
#[derive(Debug, Serialize)]
struct WeightFile {
    path: PathBuf,
    bytes: u64,
    sha256: String,
}

pub fn run(arguments: &InfoArguments) -> Result<(), Error> {
    let path = Models::open(&arguments.store)?.find(&arguments.model)?;
    let info = Info::of(&Checkpoint::open(path)?)?;
    if arguments.json {
        output_lines::print_json(&info)
    } else {
        output_lines::print(info.text().trim_end())
    }
}

impl Info {
    fn of(checkpoint: &Checkpoint) -> Result<Self, Error> {
        let dims = checkpoint.dims();
        let mut parameters = 0;
        for_each_tensor(dims, |_, shape| {
            parameters += shape.iter().product::<usize>()
        });
        let files = checkpoint.sha256().into_iter().map(|(path, sha256)| {
            let bytes = std::fs::metadata(path).map_err(|source| Error::Io {
                path: path.to_path_buf(),
                source,
            })?;
            Ok(WeightFile {
                path: path.to_path_buf(),
                bytes: bytes.len(),
                sha256,
            })
        });
        let tokenizer = checkpoint
            .tokenizer_json()
            .map_err(Error::from)
            .and_then(|json| Tokenizer::new(&json, dims.n_vocab));
        Ok(Info {
            files: files.collect::<Result<_, Error>>()?,
            format: checkpoint.format(),
            dtypes: checkpoint
                .dtypes()
                .into_iter()
                .map(|(dtype, count)| (dtype.to_string(), count))
                .collect(),
            parameters,
            dims: by_name(dims),
            multilingual: dims.is_multilingual(),
            languages: checkpoint
                .languages()
                .iter()
                .map(|(code, _)| *code)
                .collect(),
            tokenizer_error: tokenizer.err().map(|error| error.to_string()),
            alignment_heads: checkpoint.alignment_heads().map(<[_]>::to_vec),
            alignment_heads_origin: match checkpoint.alignment_heads_origin() {
                Origin::Files => "files",
                Origin::Published => "published",
                _ => "none",
            },
            notes: (checkpoint.notes().into_iter())
                .chain(note_on_filters(checkpoint))
                .collect(),
        })
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: &str| text += &format!("{name:<16} {value}\n");
        for file in &self.files {
            let megabytes = file.bytes as f64 / 1e6;
            line(
                "file",
                &format!("{} ({megabytes:.1} MB)", file.path.display()),
            );
            line("sha256", &file.sha256);
        }
        line("format", self.format);
        let dtypes = self.dtypes.iter();
        let dtypes: Vec<String> = dtypes
            .map(|(dtype, n)| format!("{dtype} ({n} tensors)"))
            .collect();
        line("types", &dtypes.join(", "));
        line(
            "parameters",
            &format!("{:.1} M", self.parameters as f64 / 1e6),
        );
        for (name, value) in &self.dims {
            line(name, &value.to_string());
        }
        let kind = if self.multilingual {
            "multilingual"
        } else {
            "English alone"
        };
        line("vocabulary", kind);
        let languages = &self.languages;
        line(
            "languages",
            &format!("{}: {}", languages.len(), languages.join(" ")),
        );
        let heads = match &self.alignment_heads {
            Some(heads) => {
                let heads: Vec<String> = heads
                    .iter()
                    .map(|(layer, head)| format!("{layer}.{head}"))
                    .collect();
                format!(
                    "{} (layer.head; {})",
                    heads.join(" "),
                    self.alignment_heads_origin
                )
            }
            None => "not known".to_owned(),
        };
        line("alignment heads", &heads);
        if let Some(error) = &self.tokenizer_error {
            line("tokenizer", error);
        }
        for note in &self.notes {
            line("note", note);
        }
        text
    }
}

fn as_map<S: Serializer>(
    pairs: &[(&'static str, usize)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().copied())
}

/// The dimensions by openai/whisper's names.
fn by_name(dims: &ModelDims) -> [(&'static str, usize); 10] {
    [
        ("n_mels", dims.n_mels),
        ("n_audio_ctx", dims.n_audio_ctx),
        ("n_audio_state", dims.n_audio_state),
        ("n_audio_head", dims.n_audio_head),
        ("n_audio_layer", dims.n_audio_layer),
        ("n_vocab", dims.n_vocab),
        ("n_text_ctx", dims.n_text_ctx),
        ("n_text_state", dims.n_text_state),
        ("n_text_head", dims.n_text_head),
        ("n_text_layer", dims.n_text_layer),
    ]
}
