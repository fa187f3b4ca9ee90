//! ggml's numbers for element types, which its own files and GGUF share.

use super::StoredType;
use crate::dtype::DType;

/// The type of that number; `None` for a number that ggml does not have.
pub(super) fn stored_type(code: usize) -> Option<StoredType> {
    Some(StoredType::Read(match code {
        0 => DType::F32,
        1 => DType::F16,
        2 => DType::Q4_0,
        3 => DType::Q4_1,
        6 => DType::Q5_0,
        7 => DType::Q5_1,
        8 => DType::Q8_0,
        30 => DType::BF16,
        _ => {
            let name = match code {
                9 => "q8_1",
                10 => "q2_K",
                11 => "q3_K",
                12 => "q4_K",
                13 => "q5_K",
                14 => "q6_K",
                15 => "q8_K",
                16..=23 | 29 => "IQ",
                24 => "i8",
                25 => "i16",
                26 => "i32",
                27 => "i64",
                28 => "f64",
                _ => return None,
            };
            return Some(StoredType::Unread(name.into()));
        }
    }))
}
