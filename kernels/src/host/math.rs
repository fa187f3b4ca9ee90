//! Vector forms of the exponential and of GELU.

use std::f32::consts::LOG2_E;

use rten_simd::ops::{BitOps, FloatOps, IntOps, NumOps};
use rten_simd::{Isa, Simd, SimdOp};

/// `e^x` for `x <= 0`, within 1 ulp; exactly 0 where the result would be subnormal (`x < -87.33`).
///
/// `x = n ln 2 + r` with `|r| <= ln 2 / 2`; `e^r` is a polynomial and `2^n` goes into the exponent
/// bits. `ln 2` is subtracted in two parts, so `r` keeps its precision.
#[inline(always)]
pub(super) fn exp_of_negative<I: Isa>(isa: I, x: I::F32) -> I::F32 {
    // The polynomial is the truncated series with its last terms adjusted to the interval.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    const SMALLEST: f32 = -87.336_54;
    const COEFFICIENTS: [f32; 6] = [
        0.5,
        0.16666666,
        0.041665796,
        0.008333452,
        0.0013981999,
        0.00019875691,
    ];

    let ops = isa.f32();
    let int_ops = isa.i32();

    let vanishes = ops.lt(x, ops.splat(SMALLEST));
    let n = ops.round_ties_even(ops.mul(x, ops.splat(LOG2_E)));
    let r = ops.mul_sub_from(n, ops.splat(LN_2_HIGH), x);
    let r = ops.mul_sub_from(n, ops.splat(LN_2_LOW), r);

    let mut p = ops.splat(COEFFICIENTS[5]);
    for c in COEFFICIENTS[..5].iter().rev() {
        p = ops.mul_add(p, r, ops.splat(*c));
    }
    // e^r = 1 + (r + r^2 p)
    let e = ops.add(ops.one(), ops.mul_add(ops.mul(r, r), p, r));

    let exponent = int_ops.shift_left::<23>(int_ops.add(ops.to_int_trunc(n), int_ops.splat(127)));
    let scaled = ops.mul(e, exponent.reinterpret_cast::<I::F32>());
    ops.select(ops.zero(), scaled, vanishes)
}

/// `GELU(x) = x Φ(x)` with the exact normal distribution function, not its tanh approximation.
///
/// With `a = |x|`, `Φ(-a) = t P(t) exp(-a²/2)`, `t = 1 / (1 + 0.35 a)`: `P` is a minimax fit of the
/// scaled complementary error function (relative error 3.2e-8), so the left tail keeps its relative
/// precision, which `1 + erf` in `f32` loses. Then `GELU(x) = max(x, 0) - a Φ(-a)`.
#[inline(always)]
pub(super) fn gelu<I: Isa>(isa: I, x: I::F32) -> I::F32 {
    const COEFFICIENTS: [f32; 9] = [
        0.1396214,
        0.13986187,
        0.119832866,
        0.10550802,
        -0.023109883,
        0.15917425,
        -0.25571436,
        0.14397176,
        -0.029145943,
    ];

    let ops = isa.f32();
    let a = ops.abs(x);
    let t = ops.reciprocal(ops.mul_add(a, ops.splat(0.35), ops.one()));
    let mut p = ops.splat(COEFFICIENTS[8]);
    for c in COEFFICIENTS[..8].iter().rev() {
        p = ops.mul_add(p, t, ops.splat(*c));
    }

    // a² loses up to half an ulp, which for a large a is a large part of the exponential: the lost
    // part is found with a fused product and put back.
    let square = ops.mul(a, a);
    let lost = ops.neg(ops.mul_sub_from(a, a, square));
    let half = ops.splat(0.5);
    let e = exp_of_negative(isa, ops.mul(square, ops.splat(-0.5)));
    let e = ops.mul_sub_from(ops.mul(e, half), lost, e);

    let tail = ops.mul(ops.mul(a, t), ops.mul(p, e));
    let positive = ops.max(x, ops.zero());
    // NaN stays NaN through `a`; an infinite x makes `inf * 0`.
    let gelu = ops.sub(positive, tail);
    ops.select(positive, gelu, ops.gt(a, ops.splat(14.0)))
}

/// Turns scores into `e^(scale (score - max))` and returns their sum.
pub(super) fn softmax_numerators(scores: &mut [f32], scale: f32) -> f32 {
    SoftmaxNumerators { scores, scale }.dispatch()
}

struct SoftmaxNumerators<'a> {
    scores: &'a mut [f32],
    scale: f32,
}

impl SimdOp for SoftmaxNumerators<'_> {
    type Output = f32;

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) -> f32 {
        let ops = isa.f32();
        let lanes = ops.len();
        let lowest = ops.splat(f32::NEG_INFINITY);

        let (whole, rest) = self
            .scores
            .split_at_mut(self.scores.len() / (4 * lanes) * (4 * lanes));
        let mut maxima = [lowest; 4];
        for scores in whole.chunks_exact(4 * lanes) {
            for (max, scores) in maxima.iter_mut().zip(ops.load_many::<4>(scores)) {
                *max = ops.max(*max, scores);
            }
        }
        let [a, b, c, d] = maxima;
        let mut max = ops.max(ops.max(a, b), ops.max(c, d));
        for scores in rest.chunks(lanes) {
            let (scores, used) = ops.load_pad(scores);
            max = ops.max(max, ops.select(scores, lowest, used));
        }
        let max = ops.fold_splat(max, f32::NEG_INFINITY, f32::max);

        let scale = ops.splat(self.scale);
        let mut sums = [ops.zero(); 4];
        for scores in whole.chunks_exact_mut(4 * lanes) {
            for (sum, scores) in sums.iter_mut().zip(scores.chunks_exact_mut(lanes)) {
                let e = numerators(isa, ops.load(scores), max, scale);
                ops.store(e, scores);
                *sum = ops.add(*sum, e);
            }
        }
        let [a, b, c, d] = sums;
        let mut sum = ops.add(ops.add(a, b), ops.add(c, d));
        for scores in rest.chunks_mut(lanes) {
            let (values, used) = ops.load_pad(scores);
            let e = ops.select(numerators(isa, values, max, scale), ops.zero(), used);
            // SAFETY: the mask has as many lanes as `scores` has elements.
            unsafe { ops.store_ptr_mask(e, scores.as_mut_ptr(), used) };
            sum = ops.add(sum, e);
        }
        ops.sum(sum)
    }
}

#[inline(always)]
fn numerators<I: Isa>(isa: I, scores: I::F32, max: I::F32, scale: I::F32) -> I::F32 {
    let ops = isa.f32();
    exp_of_negative(isa, ops.mul(ops.sub(scores, max), scale))
}
