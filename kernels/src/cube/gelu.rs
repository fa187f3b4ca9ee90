//! GELU in registers.

use cubecl::prelude::*;

/// `GELU(x) = x Φ(x)` with the exact normal distribution function: the expression of
/// `host/math.rs`, whose fit it shares.
#[cube]
pub(super) fn gelu(x: f32) -> f32 {
    let a = x.abs();
    let t = 1.0f32 / (1.0f32 + 0.375f32 * a);
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
    let tail = a * t * p * (-0.5f32 * a * a).exp();
    max(x, 0.0f32) - tail
}
