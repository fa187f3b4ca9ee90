//! One tensor of a checkpoint, as it is stored.

use std::borrow::Cow;

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

/// Element type of a stored tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DType {
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 half precision.
    F16,
    /// bfloat16: the upper half of a single.
    BF16,
}

impl DType {
    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
        }
    }
}

impl std::fmt::Display for DType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::BF16 => "bf16",
        })
    }
}

/// A tensor of a checkpoint: its type, its shape and its row-major little-endian bytes, borrowed
/// from the mapped file wherever the file holds them plainly.
///
/// The bytes are not aligned for their type: formats pack tensors without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorView<'a> {
    /// Element type.
    pub dtype: DType,
    /// Lengths of the axes, outermost first.
    pub shape: Vec<usize>,
    /// The elements; `shape.product() * dtype.size()` bytes.
    pub bytes: Cow<'a, [u8]>,
}

impl TensorView<'_> {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.dtype.size()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The elements as `f32`. Every stored type converts without loss.
    pub fn to_f32(&self) -> Vec<f32> {
        let mut out = vec![0.0; self.len()];
        match self.dtype {
            DType::F32 => {
                for (value, bytes) in out.iter_mut().zip(self.bytes.chunks_exact(4)) {
                    *value = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
                }
            }
            DType::F16 => widen(&self.bytes, &mut out, f16::from_le_bytes, |halves, out| {
                halves.convert_to_f32_slice(out)
            }),
            DType::BF16 => widen(&self.bytes, &mut out, bf16::from_le_bytes, |halves, out| {
                halves.convert_to_f32_slice(out)
            }),
        }
        out
    }

    /// The same tensor in another type, rounded to nearest even where that type is narrower.
    pub fn to_dtype(&self, dtype: DType) -> TensorView<'_> {
        let bytes = if dtype == self.dtype {
            Cow::Borrowed(self.bytes.as_ref())
        } else {
            let values = self.to_f32();
            Cow::Owned(match dtype {
                DType::F32 => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
                DType::F16 => values
                    .iter()
                    .flat_map(|&x| f16::from_f32(x).to_le_bytes())
                    .collect(),
                DType::BF16 => values
                    .iter()
                    .flat_map(|&x| bf16::from_f32(x).to_le_bytes())
                    .collect(),
            })
        };
        TensorView {
            dtype,
            shape: self.shape.clone(),
            bytes,
        }
    }
}

/// Converts two-byte floats block by block: the block is small enough to stay in the cache, and
/// gives the conversion instructions the aligned slice that the file does not.
fn widen<H: Copy + Default>(
    bytes: &[u8],
    out: &mut [f32],
    from_le_bytes: fn([u8; 2]) -> H,
    convert: fn(&[H], &mut [f32]),
) {
    const BLOCK: usize = 1024;
    let mut halves = [H::default(); BLOCK];
    for (out, bytes) in out.chunks_mut(BLOCK).zip(bytes.chunks(2 * BLOCK)) {
        let halves = &mut halves[..out.len()];
        for (half, pair) in halves.iter_mut().zip(bytes.chunks_exact(2)) {
            *half = from_le_bytes([pair[0], pair[1]]);
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
            shape: vec![bytes.len() / dtype.size()],
            bytes: bytes.into(),
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
}
