//! Median filter over the frames of one row.

use std::cmp::Ordering;

/// Number of values that each median is taken of (openai/whisper timing.py:164).
pub(super) const WIDTH: usize = 7;
const HALF: usize = WIDTH / 2;

/// Filters rows of one length, and keeps the memory that it needs for that.
#[derive(Debug, Default)]
pub(super) struct MedianFilter {
    padded: Vec<f32>,
}

impl MedianFilter {
    /// Replaces each value of `row` by the median of the [`WIDTH`] values around it, the row being reflected at both
    /// ends without its first and last value doubled (openai/whisper timing.py:19-54).
    ///
    /// A row of three values or less, too short to be reflected, stays as it is. NaN counts as greater than all
    /// numbers.
    pub(super) fn apply(&mut self, row: &mut [f32]) {
        let n = row.len();
        if n <= HALF {
            return;
        }
        self.padded.clear();
        self.padded.extend((1..=HALF).rev().map(|i| row[i]));
        self.padded.extend_from_slice(row);
        self.padded.extend((1..=HALF).map(|i| row[n - 1 - i]));

        let windows = self.padded.windows(WIDTH);
        if row.iter().any(|value| value.is_nan()) {
            for (value, window) in row.iter_mut().zip(windows) {
                *value = median_by_sorting(window);
            }
        } else {
            for (value, window) in row.iter_mut().zip(windows) {
                *value = median(window);
            }
        }
    }
}

/// The median of seven numbers, none of them NaN.
///
/// The extremes of any five of them cannot be it: they are dropped, the sixth is taken in, and so on until three are
/// left. There is no branch in this, so that the compiler does several medians at once.
fn median(window: &[f32]) -> f32 {
    let mut kept = [window[0], window[1], window[2], window[3], window[4]];
    extremes_to_the_ends(&mut kept);
    let mut kept = [kept[1], kept[2], kept[3], window[5]];
    extremes_to_the_ends(&mut kept);
    let mut kept = [kept[1], kept[2], window[6]];
    extremes_to_the_ends(&mut kept);
    kept[1]
}

/// Brings the least value to the front and the greatest to the end.
fn extremes_to_the_ends<const N: usize>(values: &mut [f32; N]) {
    for i in 1..N {
        order(values, 0, i);
    }
    for i in 1..N - 1 {
        order(values, i, N - 1);
    }
}

/// Swaps two values that are in the wrong order.
fn order<const N: usize>(values: &mut [f32; N], low: usize, high: usize) {
    let (a, b) = (values[low], values[high]);
    values[low] = if a < b { a } else { b };
    values[high] = if a < b { b } else { a };
}

fn median_by_sorting(window: &[f32]) -> f32 {
    let mut sorted = [0.0; WIDTH];
    sorted.copy_from_slice(window);
    sorted.sort_unstable_by(|a, b| match (a.is_nan(), b.is_nan()) {
        (false, false) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
        (a, b) => a.cmp(&b),
    });
    sorted[HALF]
}

#[cfg(test)]
mod tests {
    use super::super::testing::{f32s, reference};
    use super::*;

    #[test]
    fn rows_are_filtered_as_openai_filters_them() {
        let cases = reference("median_filter.json");
        assert!(cases.len() > 40, "{}", cases.len());
        let mut filter = MedianFilter::default();
        for case in &cases {
            let mut row = f32s(&case["row"]);
            filter.apply(&mut row);
            let expected = f32s(&case["filtered"]);
            assert_eq!(row.len(), expected.len());
            for (value, expected) in row.iter().zip(expected) {
                assert!(
                    *value == expected || (value.is_nan() && expected.is_nan()),
                    "{}: {row:?}",
                    case["name"]
                );
            }
        }
    }

    #[test]
    fn the_median_of_any_order_is_the_middle_one() {
        // All 0-1 sequences: a network that orders these orders everything.
        for bits in 0..1u32 << WIDTH {
            let window: Vec<f32> = (0..WIDTH).map(|i| (bits >> i & 1) as f32).collect();
            let expected = if bits.count_ones() as usize > HALF {
                1.0
            } else {
                0.0
            };
            assert_eq!(median(&window), expected, "{window:?}");
            assert_eq!(median_by_sorting(&window), expected, "{window:?}");
        }
    }
}
