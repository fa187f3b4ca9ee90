//! GGUF, as Candle's `tensor-tools` writes Whisper models: transformers' names, no metadata that matters.
//!
//! Version 2 or 3, little-endian: the magic, u32 version, u64 number of tensors, u64 number of values; each value is a string
//! key, u32 type and what the type asks for; each tensor is a string name, u32 number of axes, u64 axes (innermost first), u32
//! type, u64 offset; then, from the next multiple of the alignment, the data. A string is a u64 length and bytes.
//!
//! No length is trusted: every one is checked against what is left of the file.

use std::collections::HashMap;
use std::path::Path;

use super::reader::Reader;
use super::{
    Data, MAX_TENSORS, MappedFile, Stored, StoredType, Weights, add, ggml_type, show_shape,
    too_many_tensors,
};
use crate::error::{Error, Result};

const FORMAT: &str = "GGUF";

/// More axes than ggml has.
const MAX_RANK: usize = 4;

/// Where tensors begin unless the file says otherwise.
const DEFAULT_ALIGNMENT: u64 = 32;

/// Whether a file begins with GGUF's magic.
pub(super) fn recognise(head: &[u8]) -> bool {
    head.starts_with(b"GGUF")
}

pub(super) fn open(path: &Path) -> Result<Weights> {
    let file = MappedFile::open(path)?;
    let mut reader = Reader::new(path, &file.map);
    let _magic = reader.u32()?;
    let version = reader.u32()?;
    if !(2..=3).contains(&version) {
        return Err(Error::unsupported(
            path,
            format!("a GGUF file of version {version}"),
            "use one of version 2 or 3, little-endian",
        ));
    }
    let (tensor_count, value_count) = (reader.u64()?, reader.u64()?);
    if tensor_count > MAX_TENSORS as u64 {
        return Err(too_many_tensors(path));
    }
    let mut alignment = DEFAULT_ALIGNMENT;
    for _ in 0..value_count {
        let key = string(&mut reader)?;
        let kind = reader.u32()?;
        if key == b"general.alignment" && kind == 4 {
            alignment = u64::from(reader.u32()?);
        } else {
            skip_value(&mut reader, kind)?;
        }
    }
    if !alignment.is_power_of_two() {
        return Err(reader.corrupt(format!("its alignment is {alignment}")));
    }
    let mut headers = Vec::new();
    for _ in 0..tensor_count {
        headers.push(header(&mut reader)?);
    }
    let data = (reader.position() as u64).next_multiple_of(alignment);
    let mut found = Vec::new();
    for Header {
        name,
        dtype,
        shape,
        offset,
    } in headers
    {
        let data = match &dtype {
            StoredType::Read(read) => {
                let length = read.byte_length(&shape);
                let start = data
                    .checked_add(offset)
                    .and_then(|start| usize::try_from(start).ok());
                let end = start
                    .zip(length)
                    .and_then(|(start, length)| start.checked_add(length));
                match (start, end) {
                    (Some(start), Some(end)) if end <= file.map.len() => start..end,
                    _ => {
                        let shape = show_shape(&shape);
                        let what = format!(
                            "the tensor {name} of type {read} and shape {shape} reaches past the end"
                        );
                        return Err(reader.corrupt(what));
                    }
                }
            }
            // Its type is refused when the tensor turns out to be one that Whisper has.
            StoredType::Unread(_) => 0..0,
        };
        let stored = Stored {
            file: 0,
            data: Data::Mapped(data),
            dtype,
            shape,
            scales: None,
        };
        found.push((name.to_string(), stored));
    }
    let mut tensors = HashMap::new();
    add(&mut tensors, path, found)?;
    Ok(Weights::new(FORMAT, vec![file], tensors))
}

/// What a file says of a tensor.
struct Header<'a> {
    name: &'a str,
    dtype: StoredType,
    shape: Vec<usize>,
    /// From where the data begins.
    offset: u64,
}

fn header<'a>(reader: &mut Reader<'a>) -> Result<Header<'a>> {
    let at = reader.position();
    let name = std::str::from_utf8(string(reader)?)
        .map_err(|_| reader.corrupt(format!("the tensor at byte {at} has no name")))?;
    if name.is_empty() {
        return Err(reader.corrupt(format!("the tensor at byte {at} has no name")));
    }
    let rank = reader.u32()? as usize;
    if rank > MAX_RANK {
        return Err(reader.corrupt(format!("the tensor at byte {at} has {rank} axes")));
    }
    let mut shape = Vec::with_capacity(rank);
    for _ in 0..rank {
        // A length that no memory has is one that no file has.
        shape.push(usize::try_from(reader.u64()?).unwrap_or(usize::MAX));
    }
    shape.reverse();
    let code = reader.u32()?;
    let dtype = ggml_type::stored_type(code as usize).ok_or_else(|| {
        reader.corrupt(format!(
            "the tensor at byte {at} has the unknown type {code}"
        ))
    })?;
    let offset = reader.u64()?;
    Ok(Header {
        name,
        dtype,
        shape,
        offset,
    })
}

fn string<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8]> {
    let length = reader.u64()?;
    reader.take(usize::try_from(length).unwrap_or(usize::MAX), "a string")
}

/// Passes over a value of the metadata.
fn skip_value(reader: &mut Reader<'_>, kind: u32) -> Result<()> {
    const STRING: u32 = 8;
    const ARRAY: u32 = 9;
    match kind {
        STRING => {
            string(reader)?;
        }
        ARRAY => {
            let (kind, count) = (reader.u32()?, reader.u64()?);
            if kind == STRING {
                for _ in 0..count {
                    string(reader)?;
                }
            } else {
                let length = count.checked_mul(size_of_value(reader, kind)?);
                let length = length.and_then(|length| usize::try_from(length).ok());
                reader.skip(length.unwrap_or(usize::MAX), "a list")?;
            }
        }
        _ => {
            let size = size_of_value(reader, kind)?;
            reader.skip(size as usize, "a value")?;
        }
    }
    Ok(())
}

/// Bytes of a number of that type.
fn size_of_value(reader: &Reader<'_>, kind: u32) -> Result<u64> {
    Ok(match kind {
        // u8, i8, bool
        0 | 1 | 7 => 1,
        // u16, i16
        2 | 3 => 2,
        // u32, i32, f32
        4..=6 => 4,
        // u64, i64, f64
        10..=12 => 8,
        other => {
            return Err(reader.corrupt(format!(
                "a value of the metadata has the unknown type {other}"
            )));
        }
    })
}
