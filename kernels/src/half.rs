//! Which numbers half precision holds.

use burn::tensor::f16;

/// Whether IEEE half precision holds every value exactly, so that a weight kept in it is the same weight.
pub fn half_holds(values: &[f32]) -> bool {
    // A weight that it does not hold shows among its first values, most often.
    values
        .iter()
        .all(|&value| f16::from_f32(value).to_f32().to_bits() == value.to_bits())
}
