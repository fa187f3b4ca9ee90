//! Discrete Fourier transforms of 5, of 4 by 5, and so of 20 points, in registers.
//!
//! 4 and 5 have no common divisor, so the transform of 20 points is one of 4 by 5 without twiddle
//! factors in between (the prime factor algorithm, Good 1958): input `n = 5 a + 4 b`, output
//! `k = 5 c + 16 d`, both modulo 20.

use cubecl::prelude::*;

/// Cosines and sines of 72 and 144 degrees.
const COS_1: f32 = 0.309_017;
const COS_2: f32 = -0.809_017;
const SIN_1: f32 = 0.951_056_5;
const SIN_2: f32 = 0.587_785_25;

/// The transform of 5 real numbers: bins 0, 1 and 2. Bins 4 and 3 are the conjugates of 1 and 2.
#[derive(CubeType)]
struct RealDft5 {
    re_0: f32,
    re_1: f32,
    im_1: f32,
    re_2: f32,
    im_2: f32,
}

/// The transform of `x[begin..begin + 5]`.
#[cube]
fn real_dft_5(x: &Array<f32>, #[comptime] begin: usize) -> RealDft5 {
    let x_0 = x[comptime!(begin)];
    let x_1 = x[comptime!(begin + 1)];
    let x_2 = x[comptime!(begin + 2)];
    let x_3 = x[comptime!(begin + 3)];
    let x_4 = x[comptime!(begin + 4)];
    let even_1 = x_1 + x_4;
    let odd_1 = x_1 - x_4;
    let even_2 = x_2 + x_3;
    let odd_2 = x_2 - x_3;
    RealDft5 {
        re_0: x_0 + (even_1 + even_2),
        re_1: x_0 + (COS_1 * even_1 + COS_2 * even_2),
        im_1: -(SIN_1 * odd_1 + SIN_2 * odd_2),
        re_2: x_0 + (COS_2 * even_1 + COS_1 * even_2),
        im_2: -(SIN_2 * odd_1 - SIN_1 * odd_2),
    }
}

/// The transform of 20 real numbers: bins 0 to 10, of which the others are conjugates.
///
/// # Shapes
/// - `x`: `[20]`
/// - `re`, `im`: `[11]`
#[cube]
pub(super) fn real_dft_20(x: &Array<f32>, re: &mut Array<f32>, im: &mut Array<f32>) {
    // Of the transforms of 4 points: bin 0, bin 2, and the real and negated imaginary part of bin 1.
    let mut sums = Array::<f32>::new(5usize);
    let mut alternating = Array::<f32>::new(5usize);
    let mut quarter_re = Array::<f32>::new(5usize);
    let mut quarter_im = Array::<f32>::new(5usize);
    #[unroll]
    for b in 0..5usize {
        let a_0 = x[comptime!((4 * b) % 20)];
        let a_1 = x[comptime!((5 + 4 * b) % 20)];
        let a_2 = x[comptime!((10 + 4 * b) % 20)];
        let a_3 = x[comptime!((15 + 4 * b) % 20)];
        let even = a_0 + a_2;
        let odd = a_1 + a_3;
        sums[b] = even + odd;
        alternating[b] = even - odd;
        quarter_re[b] = a_0 - a_2;
        quarter_im[b] = a_3 - a_1;
    }
    let p = real_dft_5(&sums, 0usize);
    let q = real_dft_5(&alternating, 0usize);
    // Bin 1 of 4: complex numbers u + i v, whose transform is that of u plus i times that of v.
    let u = real_dft_5(&quarter_re, 0usize);
    let v = real_dft_5(&quarter_im, 0usize);

    re[0usize] = p.re_0;
    im[0usize] = 0.0;
    re[4usize] = p.re_1;
    im[4usize] = -p.im_1;
    re[8usize] = p.re_2;
    im[8usize] = -p.im_2;
    re[10usize] = q.re_0;
    im[10usize] = 0.0;
    re[6usize] = q.re_1;
    im[6usize] = q.im_1;
    re[2usize] = q.re_2;
    im[2usize] = q.im_2;
    re[5usize] = u.re_0;
    im[5usize] = v.re_0;
    re[1usize] = u.re_1 - v.im_1;
    im[1usize] = u.im_1 + v.re_1;
    re[9usize] = u.re_1 + v.im_1;
    im[9usize] = v.re_1 - u.im_1;
    // Bins 17 and 13, conjugated.
    re[3usize] = u.re_2 - v.im_2;
    im[3usize] = -(u.im_2 + v.re_2);
    re[7usize] = u.re_2 + v.im_2;
    im[7usize] = -(v.re_2 - u.im_2);
}

/// The squared magnitudes of the transform of 20 complex numbers.
///
/// # Shapes
/// - `re`, `im`, `power`: `[20]`
#[cube]
pub(super) fn power_of_dft_20(re: &Array<f32>, im: &Array<f32>, power: &mut Array<f32>) {
    // Of the transforms of 4 points: `[4, 5]`.
    let mut part_re = Array::<f32>::new(20usize);
    let mut part_im = Array::<f32>::new(20usize);
    #[unroll]
    for b in 0..5usize {
        let re_0 = re[comptime!((4 * b) % 20)];
        let im_0 = im[comptime!((4 * b) % 20)];
        let re_1 = re[comptime!((5 + 4 * b) % 20)];
        let im_1 = im[comptime!((5 + 4 * b) % 20)];
        let re_2 = re[comptime!((10 + 4 * b) % 20)];
        let im_2 = im[comptime!((10 + 4 * b) % 20)];
        let re_3 = re[comptime!((15 + 4 * b) % 20)];
        let im_3 = im[comptime!((15 + 4 * b) % 20)];
        let even_re = re_0 + re_2;
        let even_im = im_0 + im_2;
        let odd_re = re_1 + re_3;
        let odd_im = im_1 + im_3;
        let difference_re = re_0 - re_2;
        let difference_im = im_0 - im_2;
        let turned_re = im_1 - im_3;
        let turned_im = re_3 - re_1;
        part_re[b] = even_re + odd_re;
        part_im[b] = even_im + odd_im;
        part_re[comptime!(5 + b)] = difference_re + turned_re;
        part_im[comptime!(5 + b)] = difference_im + turned_im;
        part_re[comptime!(10 + b)] = even_re - odd_re;
        part_im[comptime!(10 + b)] = even_im - odd_im;
        part_re[comptime!(15 + b)] = difference_re - turned_re;
        part_im[comptime!(15 + b)] = difference_im - turned_im;
    }
    #[unroll]
    for c in 0..4usize {
        let u = real_dft_5(&part_re, comptime!(5 * c));
        let v = real_dft_5(&part_im, comptime!(5 * c));
        power[comptime!((5 * c) % 20)] = u.re_0 * u.re_0 + v.re_0 * v.re_0;
        let re_1 = u.re_1 - v.im_1;
        let im_1 = u.im_1 + v.re_1;
        power[comptime!((5 * c + 16) % 20)] = re_1 * re_1 + im_1 * im_1;
        let re_2 = u.re_2 - v.im_2;
        let im_2 = u.im_2 + v.re_2;
        power[comptime!((5 * c + 32) % 20)] = re_2 * re_2 + im_2 * im_2;
        let re_3 = u.re_2 + v.im_2;
        let im_3 = v.re_2 - u.im_2;
        power[comptime!((5 * c + 48) % 20)] = re_3 * re_3 + im_3 * im_3;
        let re_4 = u.re_1 + v.im_1;
        let im_4 = v.re_1 - u.im_1;
        power[comptime!((5 * c + 64) % 20)] = re_4 * re_4 + im_4 * im_4;
    }
}
