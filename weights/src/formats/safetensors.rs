//! Hugging Face safetensors.

use safetensors::{Dtype, SafeTensors};

use super::{Data, MappedFile, Stored, StoredType};
use crate::dtype::DType;
use crate::error::{Error, Result};

/// Name of the format.
pub(super) const FORMAT: &str = "safetensors";

/// Whether a file begins like safetensors: a length of eight bytes, then a JSON object. The
/// length itself is not looked at: one that is absurd is a corrupt file, not another format.
pub(super) fn recognise(head: &[u8]) -> bool {
    head.get(8) == Some(&b'{')
}

/// The tensors of one file, by the file's own names.
pub(super) fn read(file: &MappedFile, index: usize) -> Result<Vec<(String, Stored)>> {
    let bytes: &[u8] = &file.map;
    let corrupt = |what: String| Error::corrupt(&file.path, what);
    let Some(length) = bytes.first_chunk::<8>() else {
        return Err(corrupt(format!(
            "it has {} bytes, fewer than any header",
            bytes.len()
        )));
    };
    let header_length = u64::from_le_bytes(*length);
    if header_length > (bytes.len() - 8) as u64 {
        return Err(corrupt(format!(
            "its header claims {header_length} bytes, but the whole file has {}",
            bytes.len()
        )));
    }
    // The library checks the rest: every range in bounds, in order, without gaps, of the length
    // that shape and type ask for, and the last one ending with the file.
    let (header_length, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|error| corrupt(explain(&error)))?;
    let data = 8 + header_length;
    let tensors = metadata.tensors().into_iter().map(|(name, info)| {
        let (start, end) = info.data_offsets;
        let dtype = match info.dtype {
            Dtype::F32 => StoredType::Read(DType::F32),
            Dtype::F16 => StoredType::Read(DType::F16),
            Dtype::BF16 => StoredType::Read(DType::BF16),
            other => StoredType::Unread(format!("{other:?}")),
        };
        (
            name,
            Stored {
                file: index,
                data: Data::Mapped(data + start..data + end),
                dtype,
                shape: info.shape.clone(),
                scales: None,
            },
        )
    });
    Ok(tensors.collect())
}

fn explain(error: &safetensors::SafeTensorError) -> String {
    use safetensors::SafeTensorError as E;
    match error {
        E::MetadataIncompleteBuffer => {
            "its tensors do not fill the file exactly: bytes are missing or too many".into()
        }
        other => format!("its header is not valid ({other})"),
    }
}
