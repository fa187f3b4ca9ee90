//! Reductions over the units of a cube.

use cubecl::prelude::*;

/// Units of the cubes that reduce.
pub(super) const UNITS: usize = 256;

/// The largest value of the cube's units. Every unit must call it; `shared` is `[UNITS]`.
#[cube]
pub(super) fn largest_of_all(value: f32, shared: &mut Shared<[f32]>) -> f32 {
    let unit = UNIT_POS as usize;
    shared[unit] = value;
    sync_cube();
    #[unroll]
    for halving in 0..comptime!(UNITS.ilog2() as usize) {
        let reach = comptime!(UNITS >> (halving + 1));
        if unit < reach {
            shared[unit] = max(shared[unit], shared[unit + reach]);
        }
        sync_cube();
    }
    let largest = shared[0usize];
    sync_cube();
    largest
}

/// The sum over the cube's units. Every unit must call it; `shared` is `[UNITS]`.
#[cube]
pub(super) fn sum_of_all(value: f32, shared: &mut Shared<[f32]>) -> f32 {
    let unit = UNIT_POS as usize;
    shared[unit] = value;
    sync_cube();
    #[unroll]
    for halving in 0..comptime!(UNITS.ilog2() as usize) {
        let reach = comptime!(UNITS >> (halving + 1));
        if unit < reach {
            shared[unit] = shared[unit] + shared[unit + reach];
        }
        sync_cube();
    }
    let sum = shared[0usize];
    sync_cube();
    sum
}
