//! Smoothing of the features over neighbouring mel bins and frames.

use serde::{Deserialize, Serialize};

/// Whether the normalised features are averaged with their neighbours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Smoothing {
    /// The features as openai/whisper has them.
    #[default]
    #[serde(rename = "none")]
    Off,
    /// The mean over the 3x3 neighbourhood in mel and time. Cells outside the file's own features are
    /// left out of the mean, as PyTorch's `avg_pool2d(x, 3, stride=1, padding=1,
    /// count_include_pad=False)` does.
    Average3x3,
}

impl Smoothing {
    /// The frames on each side that a frame depends on.
    pub(crate) fn halo(self) -> usize {
        match self {
            Smoothing::Off => 0,
            Smoothing::Average3x3 => 1,
        }
    }
}
