//! The integers that weights are kept in.

use super::words::Words;

/// An integer type of weights, which are multiplied as 16-bit numbers whatever they are kept in.
pub(crate) trait Integer: Copy + Default + Send + Sync {
    /// The largest magnitude of a weight.
    const LIMIT: i16;

    /// The largest root of the sum of squares of a row of `inputs` weights.
    fn most_norm(inputs: usize) -> f64;

    /// The integer of this value, which is within the limit.
    fn narrow(value: i16) -> Self;

    /// The integer's value.
    fn widen(self) -> i16;

    /// As many pairs of consecutive integers as there are lanes.
    ///
    /// # Safety
    ///
    /// They can be read, and the chip has the instruction set.
    unsafe fn load<W: Words>(integers: *const Self) -> W::Vector;
}

impl Integer for i8 {
    const LIMIT: i16 = 127;

    fn most_norm(inputs: usize) -> f64 {
        f64::from(Self::LIMIT) * (inputs as f64).sqrt()
    }

    #[inline(always)]
    fn narrow(value: i16) -> i8 {
        value as i8
    }

    #[inline(always)]
    fn widen(self) -> i16 {
        self.into()
    }

    #[inline(always)]
    unsafe fn load<W: Words>(integers: *const i8) -> W::Vector {
        // SAFETY: the caller vouches for it.
        unsafe { W::load_widened(integers) }
    }
}

impl Integer for i16 {
    const LIMIT: i16 = i16::MAX;

    /// As much room is left for the other side of a product.
    fn most_norm(_: usize) -> f64 {
        f64::from(i32::MAX).sqrt().floor()
    }

    #[inline(always)]
    fn narrow(value: i16) -> i16 {
        value
    }

    #[inline(always)]
    fn widen(self) -> i16 {
        self
    }

    #[inline(always)]
    unsafe fn load<W: Words>(integers: *const i16) -> W::Vector {
        // SAFETY: the caller vouches for it.
        unsafe { W::load(integers.cast()) }
    }
}
