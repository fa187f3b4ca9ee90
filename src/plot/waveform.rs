//! The outline of a recording's samples.

use std::ops::Range;

use crate::audio::{Audio, SAMPLE_RATE};
use crate::error::Result;

/// Samples that are read at a time.
const BLOCK: usize = 1 << 20;

/// The least and the greatest sample of each of a number of equal stretches of time.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Waveform {
    /// The time that is shown, in seconds.
    pub time: Range<f64>,
    /// Least and greatest sample of each stretch, in [-1, 1].
    pub extremes: Vec<(f32, f32)>,
}

impl Waveform {
    /// The waveform of the samples in a stretch of time, in at most `columns` columns: fewer where there are fewer samples.
    ///
    /// # Errors
    ///
    /// The audio could not be read.
    pub fn new(audio: &Audio, time: Range<f64>, columns: usize) -> Result<Self> {
        let sample = |seconds: f64| ((seconds * SAMPLE_RATE as f64) as usize).min(audio.len());
        let (first, end) = (sample(time.start), sample(time.end));
        let count = end.saturating_sub(first);
        let columns = columns.min(count);
        let mut extremes = vec![(f32::INFINITY, f32::NEG_INFINITY); columns];
        let mut block = vec![0.0; BLOCK.min(count)];
        for begin in (0..count).step_by(BLOCK) {
            let block = &mut block[..BLOCK.min(count - begin)];
            audio.read(first + begin, block)?;
            for (index, &sample) in (begin..).zip(block.iter()) {
                let (least, greatest) = &mut extremes[index * columns / count];
                *least = least.min(sample);
                *greatest = greatest.max(sample);
            }
        }
        Ok(Self { time, extremes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_column_has_its_extremes() {
        let samples: Vec<f32> = (0..16_000)
            .map(|index| {
                if index < 8000 {
                    0.25
                } else {
                    -0.5 * (index % 2) as f32
                }
            })
            .collect();
        let audio = Audio::from_samples(samples).unwrap();
        let whole = Waveform::new(&audio, 0.0..1.0, 4).unwrap();
        assert_eq!(
            whole.extremes,
            [(0.25, 0.25), (0.25, 0.25), (-0.5, 0.0), (-0.5, 0.0)]
        );
        let part = Waveform::new(&audio, 0.25..0.5, 1).unwrap();
        assert_eq!(part.extremes, [(0.25, 0.25)]);
        let nothing = Waveform::new(&audio, 2.0..3.0, 4).unwrap();
        assert!(nothing.extremes.is_empty());
    }
}
