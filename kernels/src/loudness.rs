//! Peak and RMS normalisation of PCM, where the PCM is.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// How loud PCM is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Normalisation {
    /// It is left as it is, as openai/whisper does.
    #[default]
    #[serde(rename = "none")]
    Off,
    /// The largest magnitude becomes 1.
    Peak,
    /// The root of the mean square becomes 0.1 (-20 dB of full scale), or less if the largest magnitude
    /// would exceed 1: nothing is clipped.
    Rms,
}

/// The root of the mean square that [`Normalisation::Rms`] aims at.
const RMS: f32 = 0.1;

/// What is taken for silence: below half a step of 16-bit samples nothing is amplified.
const SILENCE: f32 = 0.5 / 32768.0;

/// How loud signals are: measured on the device, block by block if they are long.
#[derive(Clone, Debug)]
pub struct Loudness {
    /// Largest magnitude, `[batch, 1]`.
    peak: Tensor<2>,
    /// Mean of the squares, `[batch, 1]`.
    mean_square: Tensor<2>,
    samples: usize,
}

impl Loudness {
    /// The loudness of signals.
    ///
    /// # Shapes
    /// - `pcm`: `[batch, samples]`, at least one sample
    pub fn of(pcm: Tensor<2>) -> Loudness {
        let [_, samples] = pcm.dims();
        Loudness {
            peak: pcm.clone().abs().max_dim(1),
            mean_square: pcm.square().mean_dim(1),
            samples,
        }
    }

    /// The loudness of this and of the samples that follow it.
    #[must_use]
    pub fn then(self, next: Loudness) -> Loudness {
        let samples = self.samples + next.samples;
        let share = next.samples as f64 / samples.max(1) as f64;
        Loudness {
            peak: self.peak.max_pair(next.peak),
            mean_square: self.mean_square * (1.0 - share) + next.mean_square * share,
            samples,
        }
    }

    /// The factors that make the signals as loud as asked, on the device. Silence keeps its own.
    ///
    /// # Shapes
    /// - returns `[batch, 1]`: multiply PCM `[batch, samples]` by it
    pub fn gain(&self, normalisation: Normalisation) -> Tensor<2> {
        let ones = self.peak.ones_like();
        let silent = self.peak.clone().lower_equal_elem(SILENCE);
        let to_full_scale = self.peak.clone().clamp_min(SILENCE).recip();
        let gain = match normalisation {
            Normalisation::Off => ones.clone(),
            Normalisation::Peak => to_full_scale,
            Normalisation::Rms => {
                let rms = self.mean_square.clone().sqrt().clamp_min(f32::MIN_POSITIVE);
                (rms.recip() * RMS).min_pair(to_full_scale)
            }
        };
        gain.mask_where(silent, ones)
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::test_support::{normal, tensor, values};

    /// Peak and root of the mean square, in f64.
    fn measured(pcm: &[f32]) -> (f64, f64) {
        let peak = pcm
            .iter()
            .fold(0.0, |peak: f64, &x| peak.max(f64::from(x.abs())));
        let squares: f64 = pcm.iter().map(|&x| f64::from(x).powi(2)).sum();
        (peak, (squares / pcm.len() as f64).sqrt())
    }

    fn normalised(pcm: &[f32], blocks: &[usize], normalisation: Normalisation) -> Vec<f32> {
        let mut begin = 0;
        let mut loudness: Option<Loudness> = None;
        for &length in blocks {
            let block = tensor(pcm[begin..begin + length].to_vec(), [1, length]);
            let block = Loudness::of(block);
            loudness = Some(match loudness {
                Some(before) => before.then(block),
                None => block,
            });
            begin += length;
        }
        let gain = loudness.unwrap().gain(normalisation);
        values(tensor(pcm.to_vec(), [1, pcm.len()]) * gain)
    }

    #[test]
    fn peak_and_rms_are_as_asked_whatever_the_blocks() {
        let quiet = normal(1, 10_000, 0.003);
        for blocks in [vec![10_000], vec![9_000, 1_000], vec![1, 4_999, 5_000]] {
            let (peak, _) = measured(&normalised(&quiet, &blocks, Normalisation::Peak));
            assert!((peak - 1.0).abs() < 1e-5, "{peak}");
            let (_, rms) = measured(&normalised(&quiet, &blocks, Normalisation::Rms));
            assert!((rms - 0.1).abs() < 1e-5, "{rms}");
            assert_eq!(normalised(&quiet, &blocks, Normalisation::Off), quiet);
        }
    }

    #[test]
    fn nothing_is_clipped() {
        let mut clicks = vec![1e-3; 10_000];
        clicks[5] = 0.9;
        let (peak, rms) = measured(&normalised(&clicks, &[10_000], Normalisation::Rms));
        assert!((peak - 1.0).abs() < 1e-5 && rms < 0.1, "{peak} {rms}");
    }

    #[test]
    fn silence_stays_silent() {
        for normalisation in [Normalisation::Peak, Normalisation::Rms] {
            let silence = vec![0.0; 100];
            assert_eq!(normalised(&silence, &[100], normalisation), silence);
            let dither = vec![1e-6; 100];
            assert_eq!(normalised(&dither, &[100], normalisation), dither);
        }
    }

    #[test]
    fn each_signal_has_its_own_gain() {
        let pcm = tensor(vec![0.1, -0.2, 0.05, 0.4, -0.1, 0.0], [2, 3]);
        let gain = values(Loudness::of(pcm).gain(Normalisation::Peak));
        assert!((gain[0] - 5.0).abs() < 1e-5 && (gain[1] - 2.5).abs() < 1e-5);
    }
}
