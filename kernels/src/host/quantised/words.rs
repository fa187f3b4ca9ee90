//! Vectors of 32-bit words, each a pair of 16-bit numbers or a sum of such pairs' products.
//!
//! Multiplying pairs and adding up is one instruction or two on every chip, and never saturates: unlike
//! AVX2's product of bytes, whose sums of two leave 16 bits.

/// Numbers in a word.
pub(super) const PAIR: usize = 2;

/// Words of the widest vector.
pub(super) const MOST_LANES: usize = 16;

/// Two numbers as a word.
#[inline(always)]
pub(super) fn pair(first: i16, second: i16) -> i32 {
    i32::from(first as u16) | (i32::from(second) << 16)
}

/// The vectors of one instruction set.
///
/// # Safety
///
/// All methods may be called only where the chip has the instruction set.
pub(crate) trait Words: Copy {
    /// [`LANES`](Self::LANES) words.
    type Vector: Copy;
    /// Words of a vector.
    const LANES: usize;
    /// Vectors of columns in a tile of a product, so that sums and operands fill the registers.
    const TILE_VECTORS: usize;

    unsafe fn zero() -> Self::Vector;
    /// The word in every lane.
    unsafe fn splat(word: i32) -> Self::Vector;
    unsafe fn load(words: *const i32) -> Self::Vector;
    unsafe fn store(vector: Self::Vector, words: *mut i32);
    /// Twice as many bytes as there are lanes, widened to pairs.
    unsafe fn load_widened(bytes: *const i8) -> Self::Vector;
    /// `sum` and, in each word, the two products of the pairs there. What leaves 32 bits on the way comes back if the last sum
    /// does not.
    unsafe fn add_products(sum: Self::Vector, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Writes the sums as numbers, each times its scale and `factor`, and with its bias added, if there are biases.
    ///
    /// The scales and biases can be read and the target be written for as many elements as there are lanes.
    unsafe fn write_scaled(
        sums: Self::Vector,
        factor: f32,
        scales: *const f32,
        biases: Option<*const f32>,
        target: *mut f32,
    );
    /// Asks for the line of a byte that will be read soon; it need not exist.
    unsafe fn prefetch(byte: *const i8);

    /// The sum of all words.
    #[inline(always)]
    unsafe fn sum(vector: Self::Vector) -> i32 {
        let mut words = [0; MOST_LANES];
        // SAFETY: no vector has more lanes.
        unsafe { Self::store(vector, words.as_mut_ptr()) };
        words[..Self::LANES]
            .iter()
            .fold(0, |sum, word| sum.wrapping_add(*word))
    }
}

/// What can be computed with any vectors.
pub(super) trait WordsOp {
    type Output;

    /// # Safety
    ///
    /// The chip has the instruction set of `W`; further needs are those of the operation.
    unsafe fn eval<W: Words>(self) -> Self::Output;
}

/// Computes with the best vectors that the chip has.
///
/// # Safety
///
/// As the operation needs.
pub(super) unsafe fn dispatch<O: WordsOp>(op: O) -> O::Output {
    // SAFETY: the chip is asked before; the rest is the caller's.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512bw") {
                return x86_64::with_avx512(op);
            }
            if is_x86_feature_detected!("avx2") {
                return x86_64::with_avx2(op);
            }
        }
        op.eval::<Portable>()
    }
}

/// Arrays, which compilers turn into the vectors that every chip of an architecture has.
#[derive(Clone, Copy)]
pub(super) struct Portable;

impl Words for Portable {
    type Vector = [i32; 4];
    const LANES: usize = 4;
    const TILE_VECTORS: usize = 2;

    #[inline(always)]
    unsafe fn zero() -> Self::Vector {
        [0; 4]
    }

    #[inline(always)]
    unsafe fn splat(word: i32) -> Self::Vector {
        [word; 4]
    }

    #[inline(always)]
    unsafe fn load(words: *const i32) -> Self::Vector {
        // SAFETY: the caller vouches for four words.
        unsafe { words.cast::<Self::Vector>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn store(vector: Self::Vector, words: *mut i32) {
        // SAFETY: the caller vouches for four words.
        unsafe { words.cast::<Self::Vector>().write_unaligned(vector) }
    }

    #[inline(always)]
    unsafe fn load_widened(bytes: *const i8) -> Self::Vector {
        // SAFETY: the caller vouches for eight bytes.
        let bytes = unsafe { bytes.cast::<[[i8; 2]; 4]>().read_unaligned() };
        bytes.map(|[first, second]| pair(first.into(), second.into()))
    }

    #[inline(always)]
    unsafe fn add_products(sum: Self::Vector, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        let products = |a: i32, b: i32| {
            let second = (a >> 16) * (b >> 16);
            (i32::from(a as i16) * i32::from(b as i16)).wrapping_add(second)
        };
        std::array::from_fn(|i| sum[i].wrapping_add(products(a[i], b[i])))
    }

    #[inline(always)]
    unsafe fn write_scaled(
        sums: Self::Vector,
        factor: f32,
        scales: *const f32,
        biases: Option<*const f32>,
        target: *mut f32,
    ) {
        for (i, sum) in sums.into_iter().enumerate() {
            // SAFETY: the caller vouches for four elements.
            unsafe {
                let scaled = sum as f32 * (factor * *scales.add(i));
                target
                    .add(i)
                    .write(biases.map_or(scaled, |biases| scaled + *biases.add(i)));
            }
        }
    }

    #[inline(always)]
    unsafe fn prefetch(_: *const i8) {}
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use std::arch::x86_64::*;

    use super::{Words, WordsOp};

    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn with_avx2<O: WordsOp>(op: O) -> O::Output {
        // SAFETY: the caller vouches for the instruction set and for what the operation needs.
        unsafe { op.eval::<Avx2>() }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub(super) unsafe fn with_avx512<O: WordsOp>(op: O) -> O::Output {
        // SAFETY: as above.
        unsafe { op.eval::<Avx512>() }
    }

    #[derive(Clone, Copy)]
    pub(super) struct Avx2;

    impl Words for Avx2 {
        type Vector = __m256i;
        const LANES: usize = 8;
        const TILE_VECTORS: usize = 2;

        #[inline(always)]
        unsafe fn zero() -> __m256i {
            unsafe { _mm256_setzero_si256() }
        }

        #[inline(always)]
        unsafe fn splat(word: i32) -> __m256i {
            unsafe { _mm256_set1_epi32(word) }
        }

        #[inline(always)]
        unsafe fn load(words: *const i32) -> __m256i {
            unsafe { _mm256_loadu_si256(words.cast()) }
        }

        #[inline(always)]
        unsafe fn store(vector: __m256i, words: *mut i32) {
            unsafe { _mm256_storeu_si256(words.cast(), vector) }
        }

        #[inline(always)]
        unsafe fn load_widened(bytes: *const i8) -> __m256i {
            unsafe { _mm256_cvtepi8_epi16(_mm_loadu_si128(bytes.cast())) }
        }

        #[inline(always)]
        unsafe fn add_products(sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
            unsafe { _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)) }
        }

        #[inline(always)]
        unsafe fn write_scaled(
            sums: __m256i,
            factor: f32,
            scales: *const f32,
            biases: Option<*const f32>,
            target: *mut f32,
        ) {
            unsafe {
                let scales = _mm256_mul_ps(_mm256_set1_ps(factor), _mm256_loadu_ps(scales));
                let mut scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(sums), scales);
                if let Some(biases) = biases {
                    scaled = _mm256_add_ps(scaled, _mm256_loadu_ps(biases));
                }
                _mm256_storeu_ps(target, scaled);
            }
        }

        #[inline(always)]
        unsafe fn prefetch(byte: *const i8) {
            unsafe { _mm_prefetch::<_MM_HINT_T0>(byte) }
        }

        #[inline(always)]
        unsafe fn sum(vector: __m256i) -> i32 {
            unsafe {
                let high = _mm256_extracti128_si256::<1>(vector);
                let four = _mm_add_epi32(_mm256_castsi256_si128(vector), high);
                let two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
                _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<1>(two)))
            }
        }
    }

    /// With VNNI, which multiplies and adds at once.
    #[derive(Clone, Copy)]
    pub(super) struct Avx512;

    impl Words for Avx512 {
        type Vector = __m512i;
        const LANES: usize = 16;
        const TILE_VECTORS: usize = 4;

        #[inline(always)]
        unsafe fn zero() -> __m512i {
            unsafe { _mm512_setzero_si512() }
        }

        #[inline(always)]
        unsafe fn splat(word: i32) -> __m512i {
            unsafe { _mm512_set1_epi32(word) }
        }

        #[inline(always)]
        unsafe fn load(words: *const i32) -> __m512i {
            unsafe { _mm512_loadu_si512(words.cast()) }
        }

        #[inline(always)]
        unsafe fn store(vector: __m512i, words: *mut i32) {
            unsafe { _mm512_storeu_si512(words.cast(), vector) }
        }

        #[inline(always)]
        unsafe fn load_widened(bytes: *const i8) -> __m512i {
            unsafe { _mm512_cvtepi8_epi16(_mm256_loadu_si256(bytes.cast())) }
        }

        #[inline(always)]
        unsafe fn add_products(sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
            unsafe { _mm512_dpwssd_epi32(sum, a, b) }
        }

        #[inline(always)]
        unsafe fn write_scaled(
            sums: __m512i,
            factor: f32,
            scales: *const f32,
            biases: Option<*const f32>,
            target: *mut f32,
        ) {
            unsafe {
                let scales = _mm512_mul_ps(_mm512_set1_ps(factor), _mm512_loadu_ps(scales));
                let mut scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(sums), scales);
                if let Some(biases) = biases {
                    scaled = _mm512_add_ps(scaled, _mm512_loadu_ps(biases));
                }
                _mm512_storeu_ps(target, scaled);
            }
        }

        #[inline(always)]
        unsafe fn prefetch(byte: *const i8) {
            unsafe { _mm_prefetch::<_MM_HINT_T0>(byte) }
        }

        #[inline(always)]
        unsafe fn sum(vector: __m512i) -> i32 {
            unsafe { _mm512_reduce_add_epi32(vector) }
        }
    }
}
