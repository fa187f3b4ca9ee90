//! Vector forms of the exponential, the logarithm and GELU.

use std::f32::consts::LOG2_E;

use rten_simd::ops::{BitOps, FloatOps, IntOps, NumOps, ToFloat};
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

/// `2^x` for `x <= 0`, within 1.4 ulp; 2^-125 where it would be less.
///
/// `x = n + f` with `|f| <= 1/2`; `2^f` is a polynomial, 1 at 0, whose coefficients make the largest relative error small, and `n` is added to
/// the exponent bits.
#[inline(always)]
fn exp_2_of_negative<I: Isa>(isa: I, x: I::F32) -> I::F32 {
    const LEAST: f32 = -125.0;
    /// Numbers of this size are whole, and their lowest bits count.
    const WHOLE: f32 = 1.5 * (1 << 23) as f32;
    const COEFFICIENTS: [f32; 6] = [
        std::f32::consts::LN_2,
        0.240_226_48,
        0.055_503_324,
        0.009_618_437,
        0.001_339_887_5,
        0.000_153_533_62,
    ];

    let (ops, int_ops) = (isa.f32(), isa.i32());
    // In this order NaN stays NaN.
    let x = ops.max(ops.splat(LEAST), x);
    let shifted = ops.add(x, ops.splat(WHOLE));
    let f = ops.sub(x, ops.sub(shifted, ops.splat(WHOLE)));
    let mut p = ops.splat(COEFFICIENTS[5]);
    for c in COEFFICIENTS[..5].iter().rev() {
        p = ops.mul_add(p, f, ops.splat(*c));
    }
    let p = ops.mul_add(p, f, ops.one()).reinterpret_cast::<I::I32>();
    let n = int_ops.shift_left::<23>(shifted.reinterpret_cast::<I::I32>());
    int_ops.add(p, n).reinterpret_cast::<I::F32>()
}

/// `log10 x` for normal `x > 0`, within 2 ulp or 5e-8, whichever is more.
///
/// `x = 2^n m` with `m` from 1/sqrt 2 to sqrt 2, and `ln m = 2 artanh s` with `s = (m - 1) / (m + 1)`,
/// whose series converges fast: `|s| < 0.172`.
#[inline(always)]
pub(super) fn log_10<I: Isa>(isa: I, x: I::F32) -> I::F32 {
    const LOG10_2_HIGH: f32 = 0.300_781_25;
    const LOG10_2_LOW: f32 = 2.487_456_6e-4;
    const SERIES: [f32; 4] = [1.0 / 3.0, 1.0 / 5.0, 1.0 / 7.0, 1.0 / 9.0];
    /// The bits of 1/sqrt 2: subtracting them leaves a multiple of 2^23, the exponent, and a rest.
    const ROOT_HALF: i32 = 0x3f35_04f3;

    let ops = isa.f32();
    let int_ops = isa.i32();

    let bits = x.reinterpret_cast::<I::I32>();
    let n = int_ops.shift_right::<23>(int_ops.sub(bits, int_ops.splat(ROOT_HALF)));
    let m = int_ops
        .sub(bits, int_ops.shift_left::<23>(n))
        .reinterpret_cast::<I::F32>();
    let s = ops.div(ops.sub(m, ops.one()), ops.add(m, ops.one()));
    let square = ops.mul(s, s);
    let mut series = ops.splat(SERIES[3]);
    for c in SERIES[..3].iter().rev() {
        series = ops.mul_add(series, square, ops.splat(*c));
    }
    let s = ops.mul(s, ops.splat(2.0 * std::f32::consts::LOG10_E));
    let log_m = ops.mul_add(ops.mul(s, square), series, s);
    let n = int_ops.to_float(n);
    // The high part has 8 bits, so its product with the exponent is exact.
    ops.mul_add(
        n,
        ops.splat(LOG10_2_HIGH),
        ops.mul_add(n, ops.splat(LOG10_2_LOW), log_m),
    )
}

/// `GELU(x) = x Φ(x)` with the exact normal distribution function, not its tanh approximation.
///
/// With `a = |x|`, `Φ(-a) = t P(t) exp(-a²/2)`, `t = 1 / (1 + 0.375 a)`: `P` is a minimax fit of the
/// scaled complementary error function (relative error 1.1e-8), so the left tail keeps its relative
/// precision, which `1 + erf` in `f32` loses; the result is within 6 ulp everywhere. Then `GELU(x) = max(x, 0) - a Φ(-a)`.
#[inline(always)]
pub(super) fn gelu<I: Isa>(isa: I, x: I::F32) -> I::F32 {
    const COEFFICIENTS: [f32; 10] = [
        0.14959238,
        0.14989889,
        0.12514722,
        0.10879835,
        -0.05829903,
        0.21980822,
        -0.42939633,
        0.34906977,
        -0.13587674,
        0.021257276,
    ];

    let ops = isa.f32();
    let a = ops.abs(x);
    let t = ops.reciprocal(ops.mul_add(a, ops.splat(0.375), ops.one()));
    let mut p = ops.splat(COEFFICIENTS[9]);
    for c in COEFFICIENTS[..9].iter().rev() {
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

/// What the numerators of a softmax have in common.
pub(super) struct Numerators {
    /// The largest score; negative infinity of none.
    pub(super) largest: f32,
    /// The sum of the numerators.
    pub(super) sum: f32,
}

/// Turns scores into `e^(scale (score - largest))`; what would be less than 2^-125 is that.
pub(super) fn softmax_numerators(scores: &mut [f32], scale: f32) -> Numerators {
    SoftmaxNumerators { scores, scale }.dispatch()
}

struct SoftmaxNumerators<'a> {
    scores: &'a mut [f32],
    scale: f32,
}

impl SimdOp for SoftmaxNumerators<'_> {
    type Output = Numerators;

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) -> Numerators {
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

        // Two at a time leave room in the registers for the exponential's coefficients.
        let scale = ops.splat(self.scale * LOG2_E);
        let mut sums = [ops.zero(); 2];
        for scores in whole.chunks_exact_mut(2 * lanes) {
            for (sum, scores) in sums.iter_mut().zip(scores.chunks_exact_mut(lanes)) {
                let e = numerators(isa, ops.load(scores), max, scale);
                ops.store(e, scores);
                *sum = ops.add(*sum, e);
            }
        }
        let [a, b] = sums;
        let mut sum = ops.add(a, b);
        for scores in rest.chunks_mut(lanes) {
            let (values, used) = ops.load_pad(scores);
            let e = ops.select(numerators(isa, values, max, scale), ops.zero(), used);
            // SAFETY: the mask has as many lanes as `scores` has elements.
            unsafe { ops.store_ptr_mask(e, scores.as_mut_ptr(), used) };
            sum = ops.add(sum, e);
        }
        Numerators {
            largest: max.to_array().as_ref()[0],
            sum: ops.sum(sum),
        }
    }
}

#[inline(always)]
fn numerators<I: Isa>(isa: I, scores: I::F32, max: I::F32, scale: I::F32) -> I::F32 {
    let ops = isa.f32();
    exp_2_of_negative(isa, ops.mul(ops.sub(scores, max), scale))
}

#[cfg(test)]
mod tests {
    use rten_simd::SimdUnaryOp;

    use super::*;

    struct Exp;

    impl SimdUnaryOp<f32> for Exp {
        #[inline(always)]
        fn eval<I: Isa>(&self, isa: I, x: I::F32) -> I::F32 {
            exp_of_negative(isa, x)
        }
    }

    struct Gelu;

    impl SimdUnaryOp<f32> for Gelu {
        #[inline(always)]
        fn eval<I: Isa>(&self, isa: I, x: I::F32) -> I::F32 {
            gelu(isa, x)
        }
    }

    struct Log10;

    impl SimdUnaryOp<f32> for Log10 {
        #[inline(always)]
        fn eval<I: Isa>(&self, isa: I, x: I::F32) -> I::F32 {
            log_10(isa, x)
        }
    }

    /// `n` numbers from `from` to `to`, and as many close to 0.
    fn sweep(from: f32, to: f32, n: usize) -> Vec<f32> {
        let wide = (0..n).map(|i| from + (to - from) * (i as f32 / (n - 1) as f32));
        let small = (0..n).map(|i| from.signum() * 10.0_f32.powf(-20.0 * i as f32 / n as f32));
        wide.chain(small).collect()
    }

    /// The largest error in units of the last place of `expected`.
    fn largest_ulps(xs: &[f32], op: &impl SimdUnaryOp<f32>, expected: impl Fn(f64) -> f64) -> f64 {
        let mut actual = xs.to_vec();
        op.map_mut(&mut actual);
        let ulps = |(x, actual): (&f32, f32)| {
            let expected = expected(f64::from(*x));
            let rounded = (expected as f32).abs();
            if rounded < 1e-37 {
                // Subnormal, or next to it.
                assert!(actual.abs() < 1e-36, "{x}: {actual}");
                return 0.0;
            }
            let ulp = f64::from(rounded.next_up()) - f64::from(rounded);
            (f64::from(actual) - expected).abs() / ulp
        };
        xs.iter().zip(actual).map(ulps).fold(0.0, f64::max)
    }

    /// `x Φ(x)`: by the series of `Φ` at 0, or the continued fraction of its tail.
    fn gelu_in_f64(x: f64) -> f64 {
        let a = x.abs();
        let density = (-a * a / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let tail = if a < 3.0 {
            let (mut term, mut sum) = (a, a);
            for n in 1..100 {
                term *= a * a / f64::from(2 * n + 1);
                sum += term;
            }
            0.5 - density * sum
        } else {
            density
                / (1..300)
                    .rev()
                    .fold(a, |fraction, n| a + f64::from(n) / fraction)
        };
        if x < 0.0 { x * tail } else { x * (1.0 - tail) }
    }

    #[test]
    fn exponential_is_within_an_ulp() {
        let ulps = largest_ulps(&sweep(-87.0, 0.0, 400_000), &Exp, f64::exp);
        assert!(ulps < 1.1, "{ulps}");
        assert_eq!(Exp.scalar_eval(0.0), 1.0);
        assert_eq!(Exp.scalar_eval(-88.0), 0.0);
        assert_eq!(Exp.scalar_eval(f32::NEG_INFINITY), 0.0);
        assert!(Exp.scalar_eval(f32::NAN).is_nan());
    }

    #[test]
    fn logarithm_is_exact_for_powers_of_two_and_close_elsewhere() {
        let powers = (0..400_000).map(|i| 10.0_f32.powf(-37.0 + 75.0 * i as f32 / 400_000.0));
        let near_one = (0..40_000).map(|i| 0.5 + i as f32 / 20_000.0);
        for x in powers.chain(near_one) {
            let expected = f64::from(x).log10();
            let error = (f64::from(Log10.scalar_eval(x)) - expected).abs();
            assert!(error <= 1.2e-7 * expected.abs() + 3e-8, "{x}: {error:e}");
        }
        assert_eq!(Log10.scalar_eval(1.0), 0.0);
    }

    struct Exp2;

    impl SimdUnaryOp<f32> for Exp2 {
        #[inline(always)]
        fn eval<I: Isa>(&self, isa: I, x: I::F32) -> I::F32 {
            exp_2_of_negative(isa, x)
        }
    }

    #[test]
    fn powers_of_two_are_within_one_ulp_and_a_half() {
        let largest = largest_ulps(&sweep(-125.0, 0.0, 400_000), &Exp2, f64::exp2);
        assert!(largest < 1.4, "{largest}");
    }

    #[test]
    fn powers_of_two_have_their_limits() {
        assert_eq!(Exp2.scalar_eval(0.0), 1.0);
        assert_eq!(Exp2.scalar_eval(-3.0), 0.125);
        let least = 2_f32.powi(-125);
        assert_eq!(Exp2.scalar_eval(-1e30), least);
        assert_eq!(Exp2.scalar_eval(f32::NEG_INFINITY), least);
        assert!(Exp2.scalar_eval(f32::NAN).is_nan());
    }

    #[test]
    fn gelu_is_within_a_few_ulps() {
        let positive = largest_ulps(&sweep(0.0, 14.0, 400_000), &Gelu, gelu_in_f64);
        assert!(positive < 5.0, "{positive}");
        let negative = largest_ulps(&sweep(-14.0, 0.0, 400_000), &Gelu, gelu_in_f64);
        assert!(negative < 6.0, "{negative}");
    }

    #[test]
    fn gelu_has_its_limits() {
        assert_eq!(Gelu.scalar_eval(0.0), 0.0);
        assert_eq!(Gelu.scalar_eval(100.0), 100.0);
        assert_eq!(Gelu.scalar_eval(f32::INFINITY), f32::INFINITY);
        assert_eq!(Gelu.scalar_eval(-100.0), 0.0);
        assert_eq!(Gelu.scalar_eval(f32::NEG_INFINITY), 0.0);
        assert!(Gelu.scalar_eval(f32::NAN).is_nan());
    }

    #[test]
    fn softmax_sums_what_it_writes() {
        for n in [1, 3, 8, 31, 32, 33, 1500] {
            let scores: Vec<f32> = (0..n).map(|i| ((i * 37) % 101) as f32 - 150.0).collect();
            let max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let mut numerators = scores.clone();
            let Numerators { largest, sum } = softmax_numerators(&mut numerators, 0.25);
            assert_eq!(largest, max);
            let mut expected_sum = 0.0;
            for (score, numerator) in scores.iter().zip(&numerators) {
                let exponent = f64::from(score - max) * 0.25;
                let expected = exponent.exp();
                let error = (f64::from(*numerator) - expected).abs();
                // The exponent is rounded twice.
                assert!(error <= (1.5e-7 - 1.2e-7 * exponent) * expected);
                expected_sum += expected;
            }
            assert!(
                (f64::from(sum) - expected_sum).abs() < 1e-6 * expected_sum,
                "{n}: {sum}"
            );
        }
    }
}
