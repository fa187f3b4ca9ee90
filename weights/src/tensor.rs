//! One tensor of a checkpoint, as it is stored.

use std::borrow::Cow;
use std::ops::Range;

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use crate::blocks;
use crate::dtype::DType;

/// A tensor of a checkpoint: its type, its shape and its row-major little-endian bytes, borrowed
/// from the mapped file wherever the file holds them plainly.
///
/// The bytes are not aligned for their type: formats pack tensors without padding. Quantised
/// tensors are kept as the file has them; [`to_f32`](Self::to_f32) is what they stand for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TensorView<'a> {
    /// Element type.
    pub dtype: DType,
    /// Lengths of the axes, outermost first.
    pub shape: Vec<usize>,
    /// The elements; `dtype.byte_length(shape)` bytes.
    pub bytes: Cow<'a, [u8]>,
    /// What the integers of [`DType::Int8`] (one number for each row, the first axis) and
    /// [`DType::Int16`] (one number) are to be divided by; empty for all other types.
    pub scales: Vec<f32>,
}

impl TensorView<'_> {
    /// Number of elements.
    pub fn len(&self) -> usize {
        let (values, bytes) = self.dtype.unit();
        self.bytes.len() / bytes * values
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Some rows of a matrix, borrowed; nothing where a row is no whole number of blocks, or there are not as many.
    pub fn rows(&self, rows: Range<usize>) -> Option<TensorView<'_>> {
        let &[n_rows, columns] = self.shape.as_slice() else {
            return None;
        };
        let (values, bytes) = self.dtype.unit();
        if !columns.is_multiple_of(values) || rows.end > n_rows || rows.start > rows.end {
            return None;
        }
        let row_bytes = columns / values * bytes;
        let scales = match self.dtype {
            DType::Int8 => self.scales.get(rows.clone())?.to_vec(),
            _ => self.scales.clone(),
        };
        Some(TensorView {
            dtype: self.dtype,
            shape: vec![rows.len(), columns],
            bytes: Cow::Borrowed(
                self.bytes
                    .get(rows.start * row_bytes..rows.end * row_bytes)?,
            ),
            scales,
        })
    }

    /// The elements as `f32`. Floats widen without loss; quantised values are what their format
    /// defines them to be.
    pub fn to_f32(&self) -> Vec<f32> {
        let mut out = vec![0.0; self.len()];
        match self.dtype {
            DType::F32 => {
                for (value, bytes) in out.iter_mut().zip(self.bytes.as_chunks().0) {
                    *value = f32::from_le_bytes(*bytes);
                }
            }
            DType::F16 => widen(&self.bytes, &mut out, f16::from_le_bytes, |halves, out| {
                halves.convert_to_f32_slice(out)
            }),
            DType::BF16 => widen(&self.bytes, &mut out, bf16::from_le_bytes, |halves, out| {
                halves.convert_to_f32_slice(out)
            }),
            DType::Int8 => {
                for (value, &byte) in out.iter_mut().zip(self.bytes.iter()) {
                    *value = f32::from(byte.cast_signed());
                }
                divide_rows(&mut out, &self.scales);
            }
            DType::Int16 => {
                for (value, bytes) in out.iter_mut().zip(self.bytes.chunks_exact(2)) {
                    *value = f32::from(i16::from_le_bytes([bytes[0], bytes[1]]));
                }
                divide_rows(&mut out, &self.scales);
            }
            DType::Q4_0 | DType::Q4_1 | DType::Q5_0 | DType::Q5_1 | DType::Q8_0 => {
                blocks::widen(self.dtype, &self.bytes, &mut out);
            }
        }
        out
    }

    /// The same tensor as f32, f16 or bf16, rounded to nearest even where that type is narrower.
    /// Values are not quantised: a tensor that is to be of a quantised type becomes f32.
    pub fn to_dtype(&self, dtype: DType) -> TensorView<'_> {
        let (dtype, bytes) = if dtype == self.dtype && dtype.is_float() {
            (dtype, Cow::Borrowed(self.bytes.as_ref()))
        } else {
            let values = self.to_f32();
            match dtype {
                DType::F16 => (dtype, narrow(&values, |x| f16::from_f32(x).to_le_bytes())),
                DType::BF16 => (dtype, narrow(&values, |x| bf16::from_f32(x).to_le_bytes())),
                _ => (DType::F32, narrow(&values, f32::to_le_bytes)),
            }
        };
        TensorView {
            dtype,
            shape: self.shape.clone(),
            bytes,
            scales: Vec::new(),
        }
    }
}

fn narrow<const N: usize>(
    values: &[f32],
    to_le_bytes: impl Fn(f32) -> [u8; N],
) -> Cow<'static, [u8]> {
    Cow::Owned(values.iter().flat_map(|&x| to_le_bytes(x)).collect())
}

/// Divides as many rows of equal length as there are scales.
fn divide_rows(values: &mut [f32], scales: &[f32]) {
    let row = values.len() / scales.len().max(1);
    for (row, scale) in values.chunks_exact_mut(row.max(1)).zip(scales) {
        for value in row {
            *value /= scale;
        }
    }
}

/// Converts two-byte floats block by block: the block is small enough to stay in the cache, and
/// gives the conversion instructions the aligned slice that the file does not.
fn widen<H: Copy + Default>(
    bytes: &[u8],
    out: &mut [f32],
    from_le_bytes: impl Fn([u8; 2]) -> H,
    convert: fn(&[H], &mut [f32]),
) {
    const BLOCK: usize = 1024;
    let mut halves = [H::default(); BLOCK];
    for (out, bytes) in out.chunks_mut(BLOCK).zip(bytes.chunks(2 * BLOCK)) {
        let halves = &mut halves[..out.len()];
        for (half, pair) in halves.iter_mut().zip(bytes.as_chunks().0) {
            *half = from_le_bytes(*pair);
        }
        convert(halves, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(dtype: DType, bytes: &[u8]) -> TensorView<'_> {
        TensorView {
            dtype,
            shape: vec![bytes.len() / dtype.unit().1],
            bytes: bytes.into(),
            scales: Vec::new(),
        }
    }

    #[test]
    fn half_precision_widens_exactly_at_any_alignment() {
        // Every half there is, in a buffer that starts at an odd address.
        let mut bytes = vec![0u8];
        bytes.extend((0..=u16::MAX).flat_map(|bits| bits.to_le_bytes()));
        for (dtype, widen) in [
            (
                DType::F16,
                (|b| f16::from_bits(b).to_f32()) as fn(u16) -> f32,
            ),
            (DType::BF16, |b| bf16::from_bits(b).to_f32()),
        ] {
            let values = view(dtype, &bytes[1..]).to_f32();
            assert_eq!(values.len(), 65_536);
            for (bits, value) in values.iter().enumerate() {
                let expected = widen(bits as u16);
                assert!(
                    value.to_bits() == expected.to_bits() || value.is_nan() && expected.is_nan()
                );
            }
        }
    }

    #[test]
    fn single_precision_is_read_at_any_alignment() {
        let values = [1.5f32, -0.0, f32::MIN_POSITIVE, 3.402_823_4e38];
        let mut bytes = vec![0u8; 3];
        bytes.extend(values.iter().flat_map(|x| x.to_le_bytes()));
        assert_eq!(view(DType::F32, &bytes[3..]).to_f32(), values);
    }

    #[test]
    fn narrowing_rounds_to_nearest_even() {
        // 1 + 2^-11 lies midway between two halves: the even one is 1.
        let bytes = (1.0f32 + 2f32.powi(-11)).to_le_bytes();
        let tensor = view(DType::F32, &bytes);
        assert_eq!(tensor.to_dtype(DType::F16).to_f32(), [1.0]);
        assert_eq!(tensor.to_dtype(DType::F32).bytes, tensor.bytes);
        assert_eq!(
            tensor.to_dtype(DType::BF16).to_dtype(DType::F16).to_f32(),
            [1.0]
        );
    }

    #[test]
    fn integers_are_divided_by_the_scale_of_their_row_or_of_the_tensor() {
        let rows = TensorView {
            dtype: DType::Int8,
            shape: vec![2, 3],
            bytes: vec![127, 0, 129, 1, 2, 128].into(),
            scales: vec![2.0, 4.0],
        };
        assert_eq!(rows.to_f32(), [63.5, 0.0, -63.5, 0.25, 0.5, -32.0]);
        let whole = TensorView {
            dtype: DType::Int16,
            shape: vec![3],
            bytes: [1024i16, -1, 3]
                .iter()
                .flat_map(|x| x.to_le_bytes())
                .collect::<Vec<_>>()
                .into(),
            scales: vec![8.0],
        };
        assert_eq!(whole.to_f32(), [128.0, -0.125, 0.375]);
        let f16 = whole.to_dtype(DType::F16);
        assert_eq!((f16.dtype, f16.to_f32()), (DType::F16, whole.to_f32()));
        assert_eq!(whole.to_dtype(DType::Int16).dtype, DType::F32);
    }
}
