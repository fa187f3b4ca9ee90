//! How the values of a tensor are written.

/// Values in a block of the ggml types, which share its scale.
pub(crate) const BLOCK_VALUES: usize = 32;

/// Element type of a stored tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DType {
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 half precision.
    F16,
    /// bfloat16: the upper half of a single.
    BF16,
    /// CTranslate2's int8: a value is the integer divided by the scale of its row.
    Int8,
    /// CTranslate2's int16: a value is the integer divided by the one scale of the tensor.
    Int16,
    /// ggml's q4_0: blocks of 32 values of 4 bits with an f16 scale.
    Q4_0,
    /// ggml's q4_1: as q4_0, with an f16 minimum.
    Q4_1,
    /// ggml's q5_0: blocks of 32 values of 5 bits with an f16 scale.
    Q5_0,
    /// ggml's q5_1: as q5_0, with an f16 minimum.
    Q5_1,
    /// ggml's q8_0: blocks of 32 values of 8 bits with an f16 scale.
    Q8_0,
}

impl DType {
    /// Values of one unit of storage, and its bytes: one element, or one block.
    pub(crate) fn unit(self) -> (usize, usize) {
        match self {
            Self::F32 => (1, 4),
            Self::F16 | Self::BF16 | Self::Int16 => (1, 2),
            Self::Int8 => (1, 1),
            Self::Q4_0 => (BLOCK_VALUES, 18),
            Self::Q4_1 => (BLOCK_VALUES, 20),
            Self::Q5_0 => (BLOCK_VALUES, 22),
            Self::Q5_1 => (BLOCK_VALUES, 24),
            Self::Q8_0 => (BLOCK_VALUES, 34),
        }
    }

    /// Whether values of this type are floating-point numbers as they stand, which need no scale.
    pub fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F16 | Self::BF16)
    }

    /// Bytes of a tensor of this shape. `None` where the product overflows, or where the rows (the
    /// last axis) are not whole blocks.
    pub fn byte_length(self, shape: &[usize]) -> Option<usize> {
        let (values, bytes) = self.unit();
        if values > 1 && shape.last()? % values != 0 {
            return None;
        }
        let count = shape
            .iter()
            .try_fold(1usize, |product, &length| product.checked_mul(length))?;
        (count / values).checked_mul(bytes)
    }
}

impl std::fmt::Display for DType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::BF16 => "bf16",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Q4_0 => "q4_0",
            Self::Q4_1 => "q4_1",
            Self::Q5_0 => "q5_0",
            Self::Q5_1 => "q5_1",
            Self::Q8_0 => "q8_0",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_that_overflow_are_found() {
        assert_eq!(DType::F16.byte_length(&[3, 5]), Some(30));
        assert_eq!(DType::F32.byte_length(&[]), Some(4));
        assert_eq!(DType::F32.byte_length(&[usize::MAX, 2]), None);
        assert_eq!(DType::F32.byte_length(&[1 << 32, 1 << 32, 0]), None);
    }

    #[test]
    fn rows_are_whole_blocks() {
        assert_eq!(DType::Q4_0.byte_length(&[3, 64]), Some(3 * 2 * 18));
        assert_eq!(DType::Q8_0.byte_length(&[64]), Some(68));
        assert_eq!(DType::Q8_0.byte_length(&[64, 33]), None);
        assert_eq!(DType::Q8_0.byte_length(&[]), None);
        assert_eq!(DType::Q5_1.byte_length(&[usize::MAX / 24, 32]), None);
    }
}
