//! PyTorch's files: OpenAI's `.pt`, and `pytorch_model.bin`, as zip archives or as the bare pickles of before PyTorch 1.6.
//!
//! The pickle is read by pytorch-reader (burn-store's reader, which needs no Burn): it builds tensors and plain values, and
//! keeps everything else as a name. No pickle is ever executed. What is left to do here is names, and limits on what a
//! file may claim and on what its pickle may take.

use std::io::{BufReader, Cursor};
use std::path::Path;

use pytorch_reader::{PytorchError, PytorchReader};
use serde::Deserialize;
use zip::ZipArchive;

use super::pickle_cost::{self, Stopped};
use super::{Data, MappedFile, Stored, StoredType, Weights, add};
use crate::archive;
use crate::dims::ModelDims;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::formats::names::canonical_name;

/// Name of the format.
pub(super) const FORMAT: &str = "PyTorch";

/// What reading the pickles of any file may take, in bytes.
const SMALL_PICKLE: u64 = 2 << 20;

/// What it may take beside that for each byte of the pickles. OpenAI's base takes 211, most of them for copies.
const PICKLE_PER_BYTE: u64 = 256;

/// What it may take beside that for each byte of the whole file. OpenAI's base takes less than one tenth of a byte.
const PICKLE_PER_BYTE_OF_FILE: u64 = 32;

/// What it may take at most, however large the file is. OpenAI's base takes 6 MB, and has a fifth of the tensors of large-v3.
const LARGEST_PICKLE: u64 = 64 << 20;

/// Where a tar archive says that it is one.
const TAR_MAGIC: std::ops::Range<usize> = 257..262;

/// Whether a file begins like a zip archive, or like a pickle.
pub(super) fn recognise(head: &[u8]) -> bool {
    archive::recognise(head) || matches!(head, [0x80, 2..=5, ..])
}

/// Opens a single file.
pub(super) fn open(path: &Path) -> Result<Weights> {
    let file = MappedFile::open(path)?;
    let mut tensors = std::collections::HashMap::new();
    add(&mut tensors, path, read(&file, 0)?)?;
    let stated = stated_dims(&file)?;
    let mut weights = Weights::new(FORMAT, vec![file], tensors);
    weights.stated_dims = stated;
    Ok(weights)
}

/// The tensors of one file, by the file's own names.
pub(super) fn read(file: &MappedFile, index: usize) -> Result<Vec<(String, Stored)>> {
    check_archive(file)?;
    check_pickles(file)?;
    let reader = PytorchReader::new(&file.path).map_err(|error| explain(file, &error))?;
    let mut claimed = 0u64;
    let mut tensors = Vec::new();
    for (name, tensor) in reader.into_tensors() {
        if canonical_name(&name).is_some() {
            claimed = claimed.saturating_add(tensor.byte_len() as u64);
        }
        let dtype = match tensor.dtype() {
            pytorch_reader::DType::F32 => StoredType::Read(DType::F32),
            pytorch_reader::DType::F16 => StoredType::Read(DType::F16),
            pytorch_reader::DType::BF16 => StoredType::Read(DType::BF16),
            other => StoredType::Unread(format!("{other:?}").to_lowercase()),
        };
        let stored = Stored {
            file: index,
            shape: tensor.shape().to_vec(),
            data: Data::Torch(tensor),
            dtype,
            scales: None,
        };
        tensors.push((name, stored));
    }
    // A view may repeat what is stored once, so that a small file stands for very large tensors.
    if claimed > archive::largest_content(file.map.len() as u64) {
        let what = format!(
            "its tensors claim {claimed} bytes, but the whole file has {}",
            file.map.len()
        );
        return Err(Error::corrupt(&file.path, what));
    }
    Ok(tensors)
}

/// The dimensions that OpenAI's files hold beside the weights.
#[derive(Deserialize)]
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

fn stated_dims(file: &MappedFile) -> Result<Option<ModelDims>> {
    match PytorchReader::load_config::<Dims, _>(&file.path, Some("dims")) {
        Ok(dims) => Ok(Some(ModelDims {
            n_mels: dims.n_mels,
            n_audio_ctx: dims.n_audio_ctx,
            n_audio_state: dims.n_audio_state,
            n_audio_head: dims.n_audio_head,
            n_audio_layer: dims.n_audio_layer,
            n_vocab: dims.n_vocab,
            n_text_ctx: dims.n_text_ctx,
            n_text_state: dims.n_text_state,
            n_text_head: dims.n_text_head,
            n_text_layer: dims.n_text_layer,
        })),
        // Other files than OpenAI's.
        Err(PytorchError::KeyNotFound(_)) => Ok(None),
        Err(error) => Err(explain(file, &error)),
    }
}

/// Refuses zip bombs, and archives that name files outside of themselves.
fn check_archive(file: &MappedFile) -> Result<()> {
    if archive::recognise(&file.map) {
        archive::check(&file.map).map_err(|what| Error::corrupt(&file.path, what))?;
    }
    Ok(())
}

/// Refuses pickles that would take far more memory than the file is large.
fn check_pickles(file: &MappedFile) -> Result<()> {
    let bytes: &[u8] = &file.map;
    let outcome = if archive::recognise(bytes) {
        charge_archive(bytes)
    } else if bytes.get(TAR_MAGIC) == Some(b"ustar") {
        return Err(Error::unsupported(
            &file.path,
            "a PyTorch file in a tar archive",
            "save the model with PyTorch 0.1.10 or newer",
        ));
    } else {
        let length = bytes.len() as u64;
        let mut allowance = allowance(length, length);
        let mut rest = bytes;
        (0..pickle_cost::MOST_PICKLES)
            .try_for_each(|_| pickle_cost::charge(&mut rest, &mut allowance))
    };
    match outcome {
        Err(Stopped::TooMuch) => Err(Error::corrupt(
            &file.path,
            "its pickle makes far more objects than a model of its size can need",
        )),
        // The reader says what is wrong with a malformed one.
        Ok(()) | Err(Stopped::Malformed) => Ok(()),
    }
}

/// What reading so many bytes of pickles in a file of so many bytes may take.
fn allowance(pickles: u64, file: u64) -> u64 {
    let by_pickles = pickles.saturating_mul(PICKLE_PER_BYTE);
    let by_file = file.saturating_mul(PICKLE_PER_BYTE_OF_FILE);
    (SMALL_PICKLE.saturating_add(by_pickles.min(by_file))).min(LARGEST_PICKLE)
}

/// Charges every pickle that the reader may take for that of the tensors, together.
fn charge_archive(bytes: &[u8]) -> Result<(), Stopped> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| Stopped::Malformed)?;
    let mut pickles = Vec::new();
    let mut packed = 0u64;
    for index in 0..archive.len() {
        // What cannot be unpacked here cannot be there.
        let Ok(member) = archive.by_index(index) else {
            continue;
        };
        if member.name().unwrap_or_default().ends_with("data.pkl") {
            // What it takes of the file, and not what it unpacks to: that may be anything.
            packed = packed.saturating_add(member.compressed_size());
            pickles.push(index);
        }
    }
    let mut allowance = allowance(packed, bytes.len() as u64);
    for index in pickles {
        let Ok(member) = archive.by_index(index) else {
            continue;
        };
        let charged = pickle_cost::charge(&mut BufReader::new(member), &mut allowance);
        if let Err(Stopped::TooMuch) = charged {
            return charged;
        }
    }
    Ok(())
}

fn explain(file: &MappedFile, error: &PytorchError) -> Error {
    Error::corrupt(&file.path, error.to_string())
}
