//! Many channels to one, with the weights of ffmpeg's `-ac 1`.
//!
//! openai has ffmpeg mix to mono (`audio.py:50`). ffmpeg gives each loudspeaker position a weight
//! relative to the centre's 1: left and right 0.7071, surrounds 0.5, the low-frequency channel 0; then
//! scales the weights to a sum of 1. For stereo that is the plain mean.

use std::f64::consts::FRAC_1_SQRT_2;

// Weights of loudspeakers relative to the centre's.
pub(super) const CENTRE: f64 = 1.0;
/// Left and right of the front.
pub(super) const FRONT: f64 = FRAC_1_SQRT_2;
/// At the sides and the rear.
pub(super) const SURROUND: f64 = 0.5;
/// Low frequencies alone.
pub(super) const BASS: f64 = 0.0;

/// How the channels of a signal are mixed into one.
#[derive(Debug, PartialEq)]
pub(super) struct Downmix {
    /// One weight a channel, of sum 1.
    weights: Vec<f32>,
    /// The same in units of 1/32768, for 16-bit samples.
    integer_weights: Vec<i32>,
}

impl Downmix {
    /// The mix for channels of which only the number is known: they are taken to be in the usual
    /// layout of that many loudspeakers (that of WAV files without a channel mask), up to eight;
    /// more are averaged.
    pub(super) fn for_count(count: usize) -> Downmix {
        Downmix::from_weights(match count {
            2 => vec![FRONT, FRONT],
            3 => vec![FRONT, FRONT, BASS],
            4 => vec![FRONT, FRONT, CENTRE, SURROUND],
            5 => vec![FRONT, FRONT, CENTRE, SURROUND, SURROUND],
            6 => vec![FRONT, FRONT, CENTRE, BASS, SURROUND, SURROUND],
            7 => vec![FRONT, FRONT, CENTRE, BASS, SURROUND, SURROUND, SURROUND],
            8 => vec![
                FRONT, FRONT, CENTRE, BASS, SURROUND, SURROUND, SURROUND, SURROUND,
            ],
            _ => vec![1.0; count],
        })
    }

    /// One channel of so many, as it is.
    pub(super) fn alone(index: usize, count: usize) -> Downmix {
        let weight = |channel| if channel == index { 1.0 } else { 0.0 };
        Downmix::from_weights((0..count).map(weight).collect())
    }

    /// The mix by the weight of each channel, of any sum.
    pub(super) fn from_weights(mut weights: Vec<f64>) -> Downmix {
        // A file of low-frequency channels alone still has its sound there.
        if weights.iter().all(|&weight| weight == 0.0) {
            weights.fill(1.0);
        }
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= sum);

        let integer_weights = weights
            .iter()
            .map(|weight| (weight * 32768.0).round_ties_even() as i32)
            .collect();
        Downmix {
            weights: weights.into_iter().map(|weight| weight as f32).collect(),
            integer_weights,
        }
    }

    /// Number of channels that are mixed.
    pub(super) fn channels(&self) -> usize {
        self.weights.len()
    }

    /// Mixes one frame of as many samples as there are channels.
    pub(super) fn frame(&self, samples: &[f32]) -> f32 {
        if let [sample] = samples {
            return *sample;
        }
        self.weights
            .iter()
            .zip(samples)
            .map(|(weight, sample)| weight * sample)
            .sum()
    }

    /// Mixes planes of f32 samples, one a channel, into `out`.
    pub(super) fn planes(&self, planes: &[Vec<f32>], out: &mut Vec<f32>) {
        out.clear();
        let frames = planes.iter().map(Vec::len).min().unwrap_or(0);
        if let [plane] = planes {
            out.extend_from_slice(plane);
            return;
        }
        out.resize(frames, 0.0);
        for (plane, &weight) in planes.iter().zip(&self.weights) {
            for (out, sample) in out.iter_mut().zip(plane) {
                *out += weight * sample;
            }
        }
    }

    /// Mixes planes of 16-bit samples, one a channel, into `out`, in integers as ffmpeg does when
    /// neither rate nor sample type changes: halves are rounded up.
    pub(super) fn planes_16(&self, planes: &[Vec<i16>], out: &mut Vec<i16>) {
        out.clear();
        if let [plane] = planes {
            out.extend_from_slice(plane);
            return;
        }
        let frames = planes.iter().map(Vec::len).min().unwrap_or(0);
        out.extend((0..frames).map(|frame| {
            let sum: i64 = planes
                .iter()
                .zip(&self.integer_weights)
                .map(|(plane, &weight)| i64::from(plane[frame]) * i64::from(weight))
                .sum();
            ((sum + 16384) >> 15).clamp(i16::MIN.into(), i16::MAX.into()) as i16
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stereo_is_the_mean_with_halves_rounded_up() {
        let mix = Downmix::for_count(2);
        assert_eq!(mix.integer_weights, [16384, 16384]);
        let mut out = Vec::new();
        mix.planes_16(
            &[
                vec![1, -1, 3, 32767, -32768, -3],
                vec![0, 0, 4, 32767, -32768, -4],
            ],
            &mut out,
        );
        assert_eq!(out, [1, 0, 4, 32767, -32768, -3]);
        mix_f32_matches(&mix, &[0.25, -0.75], -0.25);
    }

    fn mix_f32_matches(mix: &Downmix, frame: &[f32], expected: f32) {
        let planes: Vec<Vec<f32>> = frame.iter().map(|&sample| vec![sample]).collect();
        let mut out = Vec::new();
        mix.planes(&planes, &mut out);
        assert!((out[0] - expected).abs() < 1e-6, "{out:?}");
        assert!((mix.frame(frame) - expected).abs() < 1e-6);
    }

    #[test]
    fn surround_weighs_the_centre_most_and_leaves_the_bass_out() {
        let mix = Downmix::for_count(6);
        let sum = 1.0 + 2.0 * FRAC_1_SQRT_2 + 2.0 * 0.5;
        mix_f32_matches(
            &mix,
            &[1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            (FRAC_1_SQRT_2 / sum) as f32,
        );
        mix_f32_matches(&mix, &[0.0, 0.0, 1.0, 0.0, 0.0, 0.0], (1.0 / sum) as f32);
        mix_f32_matches(&mix, &[0.0, 0.0, 0.0, 1.0, 0.0, 0.0], 0.0);
        mix_f32_matches(&mix, &[0.0, 0.0, 0.0, 0.0, 1.0, 0.0], (0.5 / sum) as f32);
    }

    #[test]
    fn a_channel_alone_is_as_it_is() {
        let mut out = Vec::new();
        let planes = [vec![1, -32768, 7], vec![5, 32767, -9]];
        for (index, plane) in planes.iter().enumerate() {
            let mix = Downmix::alone(index, 2);
            mix.planes_16(&planes, &mut out);
            assert_eq!(&out, plane);
        }
        mix_f32_matches(&Downmix::alone(1, 3), &[0.5, -0.25, 1.0], -0.25);
    }

    #[test]
    fn weights_always_sum_to_one() {
        for count in 1..40 {
            let mix = Downmix::for_count(count);
            assert_eq!(mix.channels(), count);
            let sum: i32 = mix.integer_weights.iter().sum();
            assert!(
                (sum - 32768).unsigned_abs() as usize <= count,
                "{count} channels: {sum}"
            );
            mix_f32_matches(&mix, &vec![0.5; count], 0.5);
        }
        let bass = Downmix::from_weights(vec![BASS]);
        assert_eq!(bass.weights, [1.0]);
    }
}
