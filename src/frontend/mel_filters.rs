//! The mel filterbank: which part of each frequency bin's power goes to which mel bin.
//!
//! The numbers are those of openai/whisper's `mel_filters.npz`, not computed anew, so that they are
//! the same to the last bit. Each filter is a triangle over a few neighbouring bins; the files hold,
//! for each filter, the first bin and the number of bins as little-endian u16 and then the weights as
//! little-endian f32.

use crate::error::{Error, Result};

use super::N_FFT;

/// Bins of the real Fourier transform.
pub(super) const N_BINS: usize = N_FFT / 2 + 1;

/// A triangle over neighbouring frequency bins.
struct Filter {
    first: usize,
    weights: Vec<f64>,
}

/// The filters for all mel bins.
pub(super) struct MelFilters {
    filters: Vec<Filter>,
}

impl MelFilters {
    /// The filterbank for 80 or 128 mel bins, the two that Whisper models use.
    pub(super) fn new(n_mels: usize) -> Result<MelFilters> {
        let bytes: &[u8] = match n_mels {
            80 => include_bytes!("mel_filters_80.bin"),
            128 => include_bytes!("mel_filters_128.bin"),
            _ => {
                return Err(Error::Model(format!(
                    "has {n_mels} mel bins; Whisper models have 80 or 128"
                )));
            }
        };
        parse(bytes)
            .filter(|filters| filters.len() == n_mels)
            .map(|filters| MelFilters { filters })
            .ok_or_else(|| Error::Model(format!("the filterbank for {n_mels} mel bins is damaged")))
    }

    /// Number of mel bins.
    pub(super) fn len(&self) -> usize {
        self.filters.len()
    }

    /// Sums the power of the frequency bins into mel bins.
    ///
    /// # Shapes
    /// - `power`: [`N_BINS`]
    /// - `mel`: `[n_mels]`
    pub(super) fn apply(&self, power: &[f64], mel: &mut [f64]) {
        for (mel, filter) in mel.iter_mut().zip(&self.filters) {
            *mel = filter
                .weights
                .iter()
                .zip(&power[filter.first..])
                .map(|(weight, power)| weight * power)
                .sum();
        }
    }
}

fn parse(mut bytes: &[u8]) -> Option<Vec<Filter>> {
    let mut filters = Vec::new();
    while !bytes.is_empty() {
        let (first, rest) = bytes.split_first_chunk::<2>()?;
        let (count, rest) = rest.split_first_chunk::<2>()?;
        let (first, count) = (
            usize::from(u16::from_le_bytes(*first)),
            usize::from(u16::from_le_bytes(*count)),
        );
        let (weights, rest) = rest.split_at_checked(count * size_of::<f32>())?;
        if first + count > N_BINS {
            return None;
        }
        let weights = weights
            .as_chunks()
            .0
            .iter()
            .map(|&weight| f32::from_le_bytes(weight).into())
            .collect();
        filters.push(Filter { first, weights });
        bytes = rest;
    }
    Some(filters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_filterbanks_are_there_and_no_other() {
        for n_mels in [80, 128] {
            assert_eq!(MelFilters::new(n_mels).unwrap().len(), n_mels);
        }
        assert!(matches!(MelFilters::new(64), Err(Error::Model(_))));
    }

    #[test]
    fn a_filter_is_a_triangle_of_unit_area() {
        // Slaney's normalisation: each triangle has area 1 in Hz; the bins are 40 Hz apart.
        let filters = MelFilters::new(80).unwrap();
        let wide = &filters.filters[79];
        let area: f64 = wide.weights.iter().sum::<f64>() * 40.0;
        assert!((area - 1.0).abs() < 0.02, "{area}");
        let peak = wide.weights.iter().copied().fold(0.0, f64::max);
        assert!(wide.weights[0] < peak && wide.weights[wide.weights.len() - 1] < peak);
    }

    #[test]
    fn damaged_bytes_are_no_filterbank() {
        assert!(parse(&[1]).is_none());
        assert!(parse(&[0, 0, 2, 0, 0, 0, 0, 0]).is_none());
        assert!(parse(&[201, 0, 1, 0, 0, 0, 0, 0]).is_none());
        assert!(parse(&[200, 0, 1, 0, 0, 0, 0, 0]).is_some());
    }
}
