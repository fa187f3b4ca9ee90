//! Files of bytes and holes: models of true size that take no room on a disk.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use half::f16;
use whisper_weights::{DType, ModelDims, for_each_tensor};

use super::synthetic::{Synthetic, encode};

/// A part of a file.
pub enum Piece {
    Bytes(Vec<u8>),
    Zeros(u64),
}

impl Piece {
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Zeros(count) => *count,
        }
    }
}

/// A tensor as a writer is given it: canonical name, shape, type, data.
pub struct Tensor {
    pub name: String,
    pub shape: Vec<usize>,
    pub dtype: DType,
    pub data: Piece,
}

/// All tensors of a small model, with their values.
pub fn tensors(model: &Synthetic, dtype: DType) -> Vec<Tensor> {
    let tensor = |(name, (shape, values)): (&String, &(Vec<usize>, Vec<f32>))| Tensor {
        name: name.clone(),
        shape: shape.clone(),
        dtype,
        data: Piece::Bytes(encode(values, dtype)),
    };
    model.tensors.iter().map(tensor).collect()
}

/// All tensors of a model of any size, all zeros.
pub fn zeros(dims: &ModelDims) -> Vec<Tensor> {
    let mut tensors = Vec::new();
    for_each_tensor(dims, |name, shape| {
        let count: usize = shape.iter().product();
        let data = Piece::Zeros((count * size_of::<f16>()) as u64);
        tensors.push(Tensor {
            name,
            shape,
            dtype: DType::F16,
            data,
        });
    });
    tensors
}

/// Writes a file of these pieces, with holes for the zeros.
pub fn write(path: &Path, pieces: &[Piece]) {
    let mut file = File::create(path).unwrap();
    for piece in pieces {
        match piece {
            Piece::Bytes(bytes) => file.write_all(bytes).unwrap(),
            Piece::Zeros(count) => {
                file.seek(SeekFrom::Current(*count as i64)).unwrap();
            }
        }
    }
    let length = file.stream_position().unwrap();
    file.set_len(length).unwrap();
}

/// The bytes of these pieces.
pub fn bytes(pieces: Vec<Piece>) -> Vec<u8> {
    pieces
        .into_iter()
        .flat_map(|piece| match piece {
            Piece::Bytes(bytes) => bytes,
            Piece::Zeros(count) => vec![0; count as usize],
        })
        .collect()
}

/// A safetensors file in the names of openai/whisper.
pub fn safetensors(tensors: Vec<Tensor>) -> Vec<Piece> {
    let mut header = serde_json::Map::new();
    let mut end = 0;
    let mut data = Vec::new();
    for tensor in tensors {
        let start = end;
        end += tensor.data.len();
        let about = serde_json::json!({
            "dtype": tensor.dtype.to_string().to_uppercase(), "shape": tensor.shape,
            "data_offsets": [start, end]
        });
        header.insert(tensor.name, about);
        data.push(tensor.data);
    }
    let header = serde_json::Value::Object(header).to_string();
    let mut pieces = vec![
        Piece::Bytes((header.len() as u64).to_le_bytes().to_vec()),
        Piece::Bytes(header.into_bytes()),
    ];
    pieces.extend(data);
    pieces
}
