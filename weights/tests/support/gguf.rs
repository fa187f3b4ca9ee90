//! Writes GGUF files.

use super::ggml::type_code;
use super::pieces::{Piece, Tensor};

const ALIGNMENT: u64 = 64;

/// A file of these tensors, with metadata of every shape before them.
pub fn file(tensors: Vec<Tensor>) -> Vec<Piece> {
    let mut head = b"GGUF".to_vec();
    head.extend(3u32.to_le_bytes());
    head.extend((tensors.len() as u64).to_le_bytes());
    head.extend(4u64.to_le_bytes());
    for (key, kind, value) in [
        (
            "general.alignment",
            4u32,
            (ALIGNMENT as u32).to_le_bytes().to_vec(),
        ),
        ("general.architecture", 8, string("whisper")),
        ("a.list.of.numbers", 9, list(5, 3, &[0; 12])),
        (
            "a.list.of.strings",
            9,
            list(8, 2, &[string("a"), string("")].concat()),
        ),
    ] {
        head.extend(string(key));
        head.extend(kind.to_le_bytes());
        head.extend(value);
    }
    let mut offset = 0;
    let mut data = Vec::new();
    for tensor in tensors {
        head.extend(string(&tensor.name));
        head.extend((tensor.shape.len() as u32).to_le_bytes());
        for &length in tensor.shape.iter().rev() {
            head.extend((length as u64).to_le_bytes());
        }
        head.extend((type_code(tensor.dtype) as u32).to_le_bytes());
        head.extend(u64::to_le_bytes(offset));
        let end = offset + tensor.data.len();
        offset = end.next_multiple_of(ALIGNMENT);
        data.push(tensor.data);
        data.push(Piece::Zeros(offset - end));
    }
    // The file ends with the last tensor.
    data.pop();
    let padding = (head.len() as u64).next_multiple_of(ALIGNMENT) - head.len() as u64;
    let mut pieces = vec![Piece::Bytes(head), Piece::Zeros(padding)];
    pieces.extend(data);
    pieces
}

fn string(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
}

fn list(kind: u32, count: u64, values: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &count.to_le_bytes(), values].concat()
}
