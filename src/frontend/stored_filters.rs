//! The Mel filters that a file of weights holds, held against those that are applied.

use whisper_kernels::mel_filterbank;
use whisper_weights::{Checkpoint, MelFilters};

/// How far a stored weight may be off, in parts of the largest one, and still be the same number by another rounding: one
/// part in 2048, the last bit of an f16.
const ROUNDING: f32 = 1.0 / 2048.0;

/// What there is to say where a checkpoint holds Mel filters, as ggml files do, that are not openai/whisper's: the features
/// are made with the latter all the same. `None` where they are the same, or there are none.
pub fn note_on_filters(checkpoint: &Checkpoint) -> Option<String> {
    note(&checkpoint.mel_filters()?)
}

fn note(stored: &MelFilters) -> Option<String> {
    // A number of Mel bins that has no filterbank is refused where the model is loaded.
    let applied = mel_filterbank(stored.n_mels).ok()?;
    let largest = applied.iter().copied().fold(0.0, f32::max);
    let differ = (stored.values.iter().zip(&applied))
        .filter(|(stored, applied)| {
            let off = (*stored - *applied).abs();
            off.is_nan() || off > ROUNDING * largest
        })
        .count();
    (differ > 0 || stored.values.len() != applied.len()).then(|| {
        format!(
            "the Mel filters in the file differ from openai/whisper's in {differ} of {} weights: openai/whisper's are used",
            applied.len()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(values: Vec<f32>) -> MelFilters {
        MelFilters {
            n_mels: 80,
            n_frequencies: 201,
            values,
        }
    }

    #[test]
    fn openais_filters_need_no_word_however_they_are_rounded() {
        let applied = mel_filterbank(80).unwrap();
        assert_eq!(note(&filters(applied.clone())), None);
        let rounded = applied.iter().map(|&w| half::f16::from_f32(w).to_f32());
        assert_eq!(note(&filters(rounded.collect())), None);
    }

    #[test]
    fn other_filters_are_told_of() {
        for value in [0.01, f32::NAN] {
            let mut values = mel_filterbank(80).unwrap();
            values[7] = value;
            let note = note(&filters(values)).unwrap();
            assert!(note.contains("in 1 of 16080 weights"), "{note}");
        }
        assert!(note(&filters(Vec::new())).is_some());
    }
}
