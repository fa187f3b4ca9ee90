//! The element types that weights are kept in.

use burn::tensor::f16;
use rten_simd::Isa;
use rten_simd::ops::{BitOps, Extend};

/// An element type of weights, which are multiplied in `f32` whatever they are kept in.
pub(crate) trait Stored: Copy + Send + Sync {
    /// The element's value.
    fn widen(self) -> f32;

    /// Two vectors of consecutive elements.
    ///
    /// # Safety
    ///
    /// They can be read.
    unsafe fn load_two<I: Isa>(isa: I, elements: *const Self) -> [I::F32; 2];
}

impl Stored for f32 {
    #[inline(always)]
    fn widen(self) -> f32 {
        self
    }

    #[inline(always)]
    unsafe fn load_two<I: Isa>(isa: I, elements: *const f32) -> [I::F32; 2] {
        let ops = isa.f32();
        // SAFETY: the caller vouches for two vectors.
        unsafe {
            [
                ops.load_ptr(elements),
                ops.load_ptr(elements.add(ops.len())),
            ]
        }
    }
}

impl Stored for f16 {
    #[inline(always)]
    fn widen(self) -> f32 {
        self.to_f32()
    }

    #[inline(always)]
    unsafe fn load_two<I: Isa>(isa: I, elements: *const f16) -> [I::F32; 2] {
        let ops = isa.f16();
        // SAFETY: the caller vouches for two vectors of `f32`, which are one of `f16`; both types are 16 bits in IEEE's order.
        let halves = unsafe { ops.load_ptr(elements.cast()) };
        [ops.extend_low(halves), ops.extend_high(halves)]
    }
}
