//! The element types that weights are kept in.

use burn::tensor::f16;
use half::slice::HalfFloatSliceExt;
use rayon::prelude::*;
use rten_simd::Isa;
use rten_simd::ops::{BitOps, Extend};

/// An element type of weights, which are multiplied in `f32` whatever they are kept in.
pub(crate) trait Stored: Copy + Send + Sync {
    /// The element's value.
    fn widen(self) -> f32;

    /// The values of as many elements.
    fn widen_all(elements: &[Self], values: &mut [f32]);

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
    fn widen_all(elements: &[f32], values: &mut [f32]) {
        values.copy_from_slice(elements);
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

    fn widen_all(elements: &[f16], values: &mut [f32]) {
        elements.convert_to_f32_slice(values);
    }

    #[inline(always)]
    unsafe fn load_two<I: Isa>(isa: I, elements: *const f16) -> [I::F32; 2] {
        let ops = isa.f16();
        // SAFETY: the caller vouches for two vectors of `f32`, which are one of `f16`; both types are 16 bits in IEEE's order.
        let halves = unsafe { ops.load_ptr(elements.cast()) };
        [ops.extend_low(halves), ops.extend_high(halves)]
    }
}

/// Elements that one task rounds.
const TASK: usize = 64 * 1024;

/// The nearest numbers of half precision.
pub(crate) fn halved(values: &[f32]) -> Vec<f16> {
    let mut halves = vec![f16::ZERO; values.len()];
    (halves.par_chunks_mut(TASK))
        .zip(values.par_chunks(TASK))
        .for_each(|(halves, values)| halves.convert_from_f32_slice(values));
    halves
}
