//! Values and comparisons for the tests.

use burn::tensor::{Tensor, TensorData};

/// `n` reproducible values, normally distributed with the given deviation.
pub(crate) fn normal(seed: u64, n: usize, deviation: f32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    };
    let box_muller =
        |u: f64, v: f64| (-2.0 * u.ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos();
    (0..n)
        .map(|_| box_muller(uniform(), uniform()) as f32 * deviation)
        .collect()
}

pub(crate) fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(
        TensorData::new(values, shape),
        &burn::tensor::Device::flex(),
    )
}

pub(crate) fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

/// The values that `compute` returns on rayon pools of one, two and three threads are the same
/// bits.
pub(crate) fn same_on_any_number_of_threads(compute: impl Fn() -> Vec<f32> + Sync) {
    let on = |threads: usize| -> Vec<u32> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(&compute)
            .into_iter()
            .map(f32::to_bits)
            .collect()
    };
    let one = on(1);
    assert!(one == on(2), "two threads differ from one");
    assert!(one == on(3), "three threads differ from one");
}

/// The largest difference from `expected`.
pub(crate) fn largest_difference(actual: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(actual.len(), expected.len());
    let difference = |(a, e): (&f32, &f64)| {
        let d = (f64::from(*a) - e).abs();
        if d.is_nan() { f64::INFINITY } else { d }
    };
    actual
        .iter()
        .zip(expected)
        .map(difference)
        .fold(0.0, f64::max)
}
