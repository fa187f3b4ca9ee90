//! The constants of the features: window, twiddle factors and mel filterbank, as one tensor.
//!
//! The filterbank's numbers are those of openai/whisper's `mel_filters.npz`, not computed anew, so
//! that they are the same to the last bit. Each filter is a triangle over a few neighbouring bins;
//! the files hold, for each filter, the first bin and the number of bins as little-endian u16 and
//! then the weights as little-endian f32.
//!
//! The tensor holds, one after the other: the window `[400]`; the real and the imaginary parts of
//! the twiddle factors `exp(-2 pi i n k / 400)`, `[11, 20]` each, by `k` and `n`; of each filter
//! the first bin, the number of bins and where its weights begin, `[n_mels]` each (whole numbers);
//! and the weights.

use super::N_FFT;
use crate::{Error, Result};

/// Bins of the real Fourier transform.
pub(crate) const N_BINS: usize = N_FFT / 2 + 1;

/// The transform of 400 points is one of 20 by 20.
pub(crate) const RADIX: usize = 20;

/// Residues of the bins modulo 20 that hold every bin or its mirror image.
pub(crate) const RESIDUES: usize = RADIX / 2 + 1;

/// Where the parts of the tensor begin.
pub(crate) const TWIDDLE_RE: usize = N_FFT;
pub(crate) const TWIDDLE_IM: usize = TWIDDLE_RE + RESIDUES * RADIX;
pub(crate) const FILTERS: usize = TWIDDLE_IM + RESIDUES * RADIX;

/// The constants for `n_mels` mel bins.
///
/// # Errors
///
/// [`Error::MelBins`] unless there are 80 or 128.
pub(super) fn tables(n_mels: usize) -> Result<Vec<f32>> {
    let filters = filters(n_mels)?;
    let mut tables = hann_window();
    let angle =
        |k: usize, n: usize| -std::f64::consts::TAU * ((k * n) % N_FFT) as f64 / N_FFT as f64;
    for part in [f64::cos, f64::sin] {
        for k in 0..RESIDUES {
            tables.extend((0..RADIX).map(|n| part(angle(k, n)) as f32));
        }
    }
    tables.extend(filters.iter().map(|filter| filter.first as f32));
    tables.extend(filters.iter().map(|filter| filter.weights.len() as f32));
    let mut begin = FILTERS + 3 * n_mels;
    for filter in &filters {
        tables.push(begin as f32);
        begin += filter.weights.len();
    }
    tables.extend(filters.iter().flat_map(|filter| &filter.weights));
    Ok(tables)
}

/// The weights of the mel filterbank that [`LogMel`](crate::LogMel) applies, `[n_mels, 201]` by mel bin and frequency:
/// those of openai/whisper's `mel_filters.npz`.
///
/// # Errors
///
/// [`Error::MelBins`] unless there are 80 or 128 mel bins.
pub fn mel_filterbank(n_mels: usize) -> Result<Vec<f32>> {
    let mut weights = vec![0.0; n_mels * N_BINS];
    for (row, filter) in weights.chunks_exact_mut(N_BINS).zip(filters(n_mels)?) {
        row[filter.first..][..filter.weights.len()].copy_from_slice(&filter.weights);
    }
    Ok(weights)
}

/// The filters of one of the two filterbanks that are compiled in.
fn filters(n_mels: usize) -> Result<Vec<Filter>> {
    let bytes: &[u8] = match n_mels {
        80 => include_bytes!("filters_80.bin"),
        128 => include_bytes!("filters_128.bin"),
        _ => return Err(Error::MelBins { n_mels }),
    };
    let filters = parse(bytes);
    assert_eq!(filters.len(), n_mels, "the filterbank compiled in is whole");
    Ok(filters)
}

/// The periodic Hann window as `torch.hann_window` computes it: in f32, the angles too.
///
/// A loud low tone leaks through the window's own rounding errors into quiet mel bins, so an exact
/// window would be further from the reference than this one.
fn hann_window() -> Vec<f32> {
    let step = (std::f64::consts::TAU / N_FFT as f64) as f32;
    (0..N_FFT)
        .map(|i| {
            let angle = i as f32 * step;
            let cos = f64::from(angle).cos() as f32;
            cos * -0.5 + 0.5
        })
        .collect()
}

/// A triangle over neighbouring frequency bins.
struct Filter {
    first: usize,
    weights: Vec<f32>,
}

fn parse(mut bytes: &[u8]) -> Vec<Filter> {
    let mut filters = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk::<4>() {
        let first = usize::from(u16::from_le_bytes([head[0], head[1]]));
        let count = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let (weights, rest) = rest.split_at(count * size_of::<f32>());
        let weights = weights.as_chunks().0;
        let weights = weights.iter().map(|&w| f32::from_le_bytes(w)).collect();
        filters.push(Filter { first, weights });
        bytes = rest;
    }
    filters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_filterbanks_are_there_and_no_other() {
        for n_mels in [80, 128] {
            let tables = tables(n_mels).unwrap();
            let (heads, weights) = tables[FILTERS..].split_at(3 * n_mels);
            let mut begin = FILTERS + 3 * n_mels;
            for mel in 0..n_mels {
                let [first, count, at] = [0, 1, 2].map(|i| heads[i * n_mels + mel] as usize);
                assert!(first + count <= N_BINS && count > 0);
                assert_eq!(at, begin);
                begin += count;
            }
            assert_eq!(begin, tables.len());
            assert!(weights.iter().all(|&weight| weight > 0.0));
        }
        assert!(matches!(tables(64), Err(Error::MelBins { n_mels: 64 })));
    }

    #[test]
    fn the_dense_filterbank_has_the_same_weights() {
        for n_mels in [80, 128] {
            let dense = mel_filterbank(n_mels).unwrap();
            assert_eq!(dense.len(), n_mels * N_BINS);
            let sparse: Vec<f32> = (filters(n_mels).unwrap().into_iter())
                .flat_map(|filter| filter.weights)
                .collect();
            let dense: Vec<f32> = dense.into_iter().filter(|&weight| weight > 0.0).collect();
            assert_eq!(dense, sparse);
        }
        assert!(mel_filterbank(64).is_err());
    }

    #[test]
    fn a_filter_is_a_triangle_of_unit_area() {
        // Slaney's normalisation: each triangle has area 1 in Hz; the bins are 40 Hz apart.
        let filters = parse(include_bytes!("filters_80.bin"));
        let wide = &filters[79].weights;
        let area: f32 = wide.iter().sum::<f32>() * 40.0;
        assert!((area - 1.0).abs() < 0.02, "{area}");
        let peak = wide.iter().copied().fold(0.0, f32::max);
        assert!(wide[0] < peak && wide[wide.len() - 1] < peak);
    }
}
