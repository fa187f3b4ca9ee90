//! Writes ggml files.

use whisper_weights::{DType, ModelDims};

use super::pieces::{Piece, Tensor};

/// Frequencies of the Mel filters in these files.
pub const FREQUENCIES: usize = 201;

/// A file of these tensors. Types are those of the tensors; `vocabulary` is the text tokens in order of id.
pub fn file(dims: &ModelDims, vocabulary: &[&[u8]], tensors: Vec<Tensor>) -> Vec<Piece> {
    let mut start = b"lmgg".to_vec();
    let number = |bytes: &mut Vec<u8>, number: usize| bytes.extend((number as i32).to_le_bytes());
    for dimension in [
        dims.n_vocab,
        dims.n_audio_ctx,
        dims.n_audio_state,
        dims.n_audio_head,
        dims.n_audio_layer,
        dims.n_text_ctx,
        dims.n_text_state,
        dims.n_text_head,
        dims.n_text_layer,
        dims.n_mels,
        1,
        dims.n_mels,
        FREQUENCIES,
    ] {
        number(&mut start, dimension);
    }
    for index in 0..dims.n_mels * FREQUENCIES {
        start.extend((index as f32 / 4.0).to_le_bytes());
    }
    number(&mut start, vocabulary.len());
    for token in vocabulary {
        number(&mut start, token.len());
        start.extend(*token);
    }
    let mut pieces = vec![Piece::Bytes(start)];
    for Tensor {
        name,
        mut shape,
        dtype,
        data,
    } in tensors
    {
        if name.contains(".conv") && name.ends_with(".bias") {
            shape.push(1);
        }
        let mut head = Vec::new();
        number(&mut head, shape.len());
        number(&mut head, name.len());
        number(&mut head, type_code(dtype));
        for &length in shape.iter().rev() {
            number(&mut head, length);
        }
        head.extend(name.as_bytes());
        pieces.push(Piece::Bytes(head));
        pieces.push(data);
    }
    pieces
}

/// ggml's number of a type.
pub fn type_code(dtype: DType) -> usize {
    match dtype {
        DType::F32 => 0,
        DType::F16 => 1,
        DType::Q4_0 => 2,
        DType::Q4_1 => 3,
        DType::Q5_0 => 6,
        DType::Q5_1 => 7,
        DType::Q8_0 => 8,
        DType::BF16 => 30,
        other => panic!("no ggml type in these tests: {other}"),
    }
}
