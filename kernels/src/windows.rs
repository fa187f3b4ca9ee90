//! Cutting PCM to windows, where the PCM is.

use burn::tensor::Tensor;

/// Cuts signals to windows of `length` samples, each `stride` samples after the one before, as many as
/// begin inside the signal. The last are filled with zeros.
///
/// # Shapes
/// - `pcm`: `[batch, samples]`
/// - returns `[batch, windows, length]`, with `windows` = samples / stride, rounded up
///
/// # Panics
///
/// `length` or `stride` is 0, or there are no samples.
pub fn cut_windows(pcm: Tensor<2>, length: usize, stride: usize) -> Tensor<3> {
    let [batch, samples] = pcm.dims();
    assert!(
        length > 0 && stride > 0 && samples > 0,
        "windows of {length} samples each {stride} of {samples}: all must be at least 1"
    );
    let windows = samples.div_ceil(stride);
    let needed = (windows - 1) * stride + length;
    let padded = match needed.checked_sub(samples) {
        None | Some(0) => pcm,
        Some(missing) => {
            let zeros = Tensor::zeros([batch, missing], (&pcm.device(), pcm.dtype()));
            Tensor::cat(vec![pcm, zeros], 1)
        }
    };
    padded.narrow(1, 0, needed).unfold(1, length, stride)
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::test_support::{tensor, values};

    #[test]
    fn windows_are_slices_with_zeros_at_the_end() {
        for samples in [1, 2, 5, 6, 7, 12] {
            let pcm: Vec<f32> = (1..=2 * samples).map(|x| x as f32).collect();
            for (length, stride) in [(1, 1), (3, 2), (2, 3), (4, 4), (20, 5)] {
                let cut = cut_windows(tensor(pcm.clone(), [2, samples]), length, stride);
                let windows = samples.div_ceil(stride);
                assert_eq!(cut.dims(), [2, windows, length]);
                let mut expected = Vec::new();
                for signal in pcm.chunks(samples) {
                    for window in 0..windows {
                        let at = |i: usize| signal.get(window * stride + i);
                        expected.extend((0..length).map(|i| at(i).copied().unwrap_or(0.0)));
                    }
                }
                assert_eq!(values(cut), expected, "{samples}, {length}, {stride}");
            }
        }
    }
}
