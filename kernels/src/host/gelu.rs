//! GELU over slices.

use std::mem::MaybeUninit;

use rayon::prelude::*;
use rten_simd::{Isa, SimdUnaryOp};

use super::math;
use super::output::Output;

/// Elements that one task takes: 64 KiB, some ten microseconds of work.
const CHUNK: usize = 16 * 1024;

struct Gelu;

impl SimdUnaryOp<f32> for Gelu {
    #[inline(always)]
    fn eval<I: Isa>(&self, isa: I, x: I::F32) -> I::F32 {
        math::gelu(isa, x)
    }
}

/// GELU of every element, on this thread.
pub(super) fn gelu_serial(values: &mut [f32]) {
    Gelu.map_mut(values);
}

/// GELU of every element in place.
pub(crate) fn gelu_in_place(values: &mut [f32]) {
    if values.len() <= CHUNK {
        gelu_serial(values);
    } else {
        values.par_chunks_mut(CHUNK).for_each(gelu_serial);
    }
}

/// GELU of every element into a new vector.
pub(crate) fn gelu(values: &[f32]) -> Vec<f32> {
    let fill = |output: Output<'_>| {
        values.par_chunks(CHUNK).enumerate().for_each(|(i, chunk)| {
            // SAFETY: the chunks are disjoint, and the elements are only written.
            let target = unsafe {
                let start = output.at(i * CHUNK, chunk.len()).cast::<MaybeUninit<f32>>();
                std::slice::from_raw_parts_mut(start, chunk.len())
            };
            Gelu.map(chunk, target);
        });
    };
    // SAFETY: the chunks cover the values.
    unsafe { Output::collect(values.len(), fill) }
}
