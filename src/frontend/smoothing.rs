//! Smoothing of the features over neighbouring mel bins and frames.

/// Whether the normalised features are averaged with their neighbours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Smoothing {
    /// The features as openai/whisper has them.
    #[default]
    Off,
    /// The mean over the 3x3 neighbourhood in mel and time. Cells outside the file's own features are
    /// left out of the mean, as PyTorch's `avg_pool2d(x, 3, stride=1, padding=1,
    /// count_include_pad=False)` does.
    Average3x3,
}

/// The frames on each side that a smoothed frame depends on.
pub(super) const HALO: usize = 1;

/// Averages `frames` over their 3x3 neighbourhoods.
///
/// # Shapes
/// - `frames`: `[count, n_mels]`, with the neighbours of the wanted frames
/// - `wanted`: which of `frames` are wanted
/// - returns `[wanted, n_mels]`
///
/// Frames before the first and after the last of `frames`, and mel bins below the lowest and above
/// the highest, do not exist.
pub(super) fn average_3x3(
    frames: &[f32],
    n_mels: usize,
    wanted: std::ops::Range<usize>,
) -> Vec<f32> {
    let count = frames.len() / n_mels;
    let mut smoothed = Vec::with_capacity(wanted.len() * n_mels);
    for frame in wanted {
        let near = frame.saturating_sub(HALO)..(frame + HALO + 1).min(count);
        for mel in 0..n_mels {
            let bins = mel.saturating_sub(1)..(mel + 2).min(n_mels);
            let cells = near.len() * bins.len();
            let sum: f32 = near
                .clone()
                .flat_map(|t| &frames[t * n_mels..][bins.clone()])
                .sum();
            smoothed.push(sum / cells as f32);
        }
    }
    smoothed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_edges_and_inside() {
        // Three frames of three mel bins.
        let frames = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
        let all = average_3x3(&frames, 3, 0..3);
        assert_eq!(all[0], (1.0 + 2.0 + 4.0 + 5.0) / 4.0);
        assert_eq!(all[1], (1.0 + 2.0 + 3.0 + 4.0 + 5.0 + 6.0) / 6.0);
        assert_eq!(all[4], 5.0);
        assert_eq!(all[8], (5.0 + 6.0 + 8.0 + 9.0) / 4.0);
        assert_eq!(average_3x3(&frames, 3, 1..2), all[3..6]);
        assert_eq!(average_3x3(&frames[..3], 3, 0..1), [1.5, 2.0, 2.5]);
    }
}
