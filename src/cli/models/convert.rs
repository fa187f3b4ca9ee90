//! `whisper-rs models convert`: any checkpoint that is read, as Hugging Face safetensors.

use std::path::PathBuf;

use clap::ValueEnum;
use whisper_rs::{Error, Tokenizer};
use whisper_weights::{Checkpoint, DType};

use super::{Models, StoreArguments};
use crate::cli::feedback::interrupt::Interrupt;
use crate::cli::feedback::messages;

/// The arguments of `models convert`.
#[derive(Debug, clap::Args)]
pub struct ConvertArguments {
    /// Model: a name, or the path of a file or folder with weights; a name is fetched if it is not on this machine
    #[arg(value_name = "SRC")]
    pub source: String,

    /// Folder to write, which must not be there or be empty
    #[arg(value_name = "DST")]
    pub target: PathBuf,

    /// Format to write
    #[arg(long, value_enum, default_value = "safetensors")]
    pub format: TargetFormat,

    /// Type of the weights [default: as they are stored]
    #[arg(long, value_enum, value_name = "TYPE")]
    pub dtype: Option<TargetType>,

    #[command(flatten)]
    pub store: StoreArguments,
}

/// The formats that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TargetFormat {
    /// A folder with model.safetensors, configuration and tokenizer, as transformers loads it
    Safetensors,
}

/// The types that weights can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TargetType {
    F16,
    F32,
    Bf16,
}

impl From<TargetType> for DType {
    fn from(kind: TargetType) -> Self {
        match kind {
            TargetType::F16 => DType::F16,
            TargetType::F32 => DType::F32,
            TargetType::Bf16 => DType::BF16,
        }
    }
}

pub fn run(arguments: &ConvertArguments) -> Result<(), Error> {
    let source = Models::open(&arguments.store)?.fetch(&arguments.source)?;
    let checkpoint = Checkpoint::open(source)?;
    // What is written is to be of use here too: another vocabulary's tokenizer is not. Of a vocabulary that is not one of
    // Whisper's there is nothing to compare with.
    if !checkpoint.languages().is_empty() {
        Tokenizer::new(&checkpoint.tokenizer_json()?, checkpoint.dims().n_vocab)?;
    }
    // Where signals cannot be watched for, they end the program as ever, and leave what is begun.
    let interrupt = Interrupt::watch(|| messages::error("interrupted")).ok();
    let working = (interrupt.as_ref())
        .map(|interrupt| interrupt.while_working(|| messages::note("ending: nothing is kept")));
    let cancelled = interrupt.as_ref().map(Interrupt::token).cloned();
    let cancelled = cancelled.unwrap_or_default();
    match arguments.format {
        TargetFormat::Safetensors => checkpoint.write_safetensors_unless(
            &arguments.target,
            arguments.dtype.map(DType::from),
            cancelled.as_flag(),
        )?,
    }
    drop(working);
    messages::note(format!("wrote {}", arguments.target.display()));
    Ok(())
}
