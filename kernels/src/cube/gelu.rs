//! GELU in registers.

use cubecl::prelude::*;

/// `GELU(x) = x Φ(x)` with the exact normal distribution function: the expression of
/// `host/math.rs`, whose fit it shares.
#[cube]
pub(super) fn gelu(x: f32) -> f32 {
    let a = x.abs();
    gelu_of(x, 1.0f32 / argument(a), (-0.5f32 * a * a).exp())
}

/// What the fit takes the reciprocal of, for an absolute value.
#[cube]
pub(super) fn argument(a: f32) -> f32 {
    1.0f32 + 0.375f32 * a
}

/// GELU of `x`, given the reciprocal `t` of its [`argument`] and `e^(-x^2 / 2)`.
#[cube]
pub(super) fn gelu_of(x: f32, t: f32, bell: f32) -> f32 {
    let p = 0.021257276f32;
    let p = p * t - 0.13587674f32;
    let p = p * t + 0.34906977f32;
    let p = p * t - 0.42939633f32;
    let p = p * t + 0.21980822f32;
    let p = p * t - 0.05829903f32;
    let p = p * t + 0.10879835f32;
    let p = p * t + 0.12514722f32;
    let p = p * t + 0.14989889f32;
    let p = p * t + 0.14959238f32;
    max(x, 0.0f32) - x.abs() * t * p * bell
}
