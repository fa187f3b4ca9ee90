//! ggml's quantised blocks (ggml-quants.c and ggml-common.h of ggml): 32 values that share a scale, and in some types a
//! minimum. Numbers are little-endian, nothing is aligned.

use half::f16;

use crate::dtype::{BLOCK_VALUES, DType};

/// Widens whole blocks of one of the quantised types. `bytes` holds `out.len() / 32` blocks.
pub(crate) fn widen(dtype: DType, bytes: &[u8], out: &mut [f32]) {
    let (_, block_bytes) = dtype.unit();
    let blocks = bytes.chunks_exact(block_bytes);
    for (block, out) in blocks.zip(out.chunks_exact_mut(BLOCK_VALUES)) {
        let scale = half_at(block, 0);
        match dtype {
            DType::Q4_0 => {
                low_bits(&block[2..], out);
                scale_by(out, scale, -8.0);
            }
            DType::Q4_1 => {
                low_bits(&block[4..], out);
                add_minimum(out, scale, half_at(block, 2));
            }
            DType::Q5_0 => {
                low_bits(&block[6..], out);
                fifth_bits(&block[2..6], out);
                scale_by(out, scale, -16.0);
            }
            DType::Q5_1 => {
                low_bits(&block[8..], out);
                fifth_bits(&block[4..8], out);
                add_minimum(out, scale, half_at(block, 2));
            }
            DType::Q8_0 => {
                for (value, &byte) in out.iter_mut().zip(&block[2..]) {
                    *value = f32::from(byte.cast_signed());
                }
                scale_by(out, scale, 0.0);
            }
            // The other types have no blocks: `DType::unit` says one value each.
            _ => {}
        }
    }
}

fn half_at(block: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

/// Four bits of each value: the low halves of 16 bytes are the first 16 values, the high halves the others.
fn low_bits(bytes: &[u8], out: &mut [f32]) {
    let (first, second) = out.split_at_mut(BLOCK_VALUES / 2);
    for ((byte, first), second) in bytes.iter().zip(first).zip(second) {
        *first = f32::from(byte & 0x0F);
        *second = f32::from(byte >> 4);
    }
}

/// The fifth bit of value `i` is bit `i` of a u32.
fn fifth_bits(bytes: &[u8], out: &mut [f32]) {
    for (byte, values) in bytes.iter().zip(out.chunks_exact_mut(8)) {
        for (bit, value) in values.iter_mut().enumerate() {
            *value += f32::from((byte >> bit & 1) << 4);
        }
    }
}

fn scale_by(values: &mut [f32], scale: f32, offset: f32) {
    for value in values {
        *value = (*value + offset) * scale;
    }
}

fn add_minimum(values: &mut [f32], scale: f32, minimum: f32) {
    for value in values {
        *value = *value * scale + minimum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widened(dtype: DType, block: &[u8]) -> Vec<f32> {
        let mut out = vec![0.0; BLOCK_VALUES];
        widen(dtype, block, &mut out);
        out
    }

    /// Blocks by hand: scale 0.5, minimum 3, and integers that go up by one from value to value.
    #[test]
    fn blocks_are_read_as_their_types_define() {
        let (scale, minimum) = (
            f16::from_f32(0.5).to_le_bytes(),
            f16::from_f32(3.0).to_le_bytes(),
        );
        // Value i is i mod 16 in its low four bits.
        let low: Vec<u8> = (0..16u8).map(|i| i | i << 4).collect();
        // Values from 16 on have the fifth bit.
        let fifth = 0xFFFF_0000u32.to_le_bytes();
        let four = |i: usize| (i % 16) as f32;
        let five = |i: usize| i as f32;
        let expect = |values: Vec<f32>, value: &dyn Fn(usize) -> f32| {
            assert_eq!(values, (0..32).map(value).collect::<Vec<_>>());
        };
        expect(widened(DType::Q4_0, &[&scale, &low[..]].concat()), &|i| {
            (four(i) - 8.0) / 2.0
        });
        expect(
            widened(DType::Q4_1, &[&scale, &minimum, &low[..]].concat()),
            &|i| four(i) / 2.0 + 3.0,
        );
        expect(
            widened(DType::Q5_0, &[&scale, &fifth[..], &low[..]].concat()),
            &|i| (five(i) - 16.0) / 2.0,
        );
        let block = [&scale, &minimum, &fifth[..], &low[..]].concat();
        expect(widened(DType::Q5_1, &block), &|i| five(i) / 2.0 + 3.0);
        let signed: Vec<u8> = (-16..16i8).map(i8::cast_unsigned).collect();
        expect(
            widened(DType::Q8_0, &[&scale, &signed[..]].concat()),
            &|i| (five(i) - 16.0) / 2.0,
        );
    }
}
