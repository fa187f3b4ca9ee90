//! Statistics of a series of measurements.

/// Measurements in the order they were taken, at least one, none of them NaN.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    values: Vec<f64>,
    sorted: Vec<f64>,
}

impl Series {
    /// A series of `values`; `None` when there are none, or when one is NaN.
    pub fn new(values: Vec<f64>) -> Option<Self> {
        if values.is_empty() || values.iter().any(|value| value.is_nan()) {
            return None;
        }
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        Some(Self { values, sorted })
    }

    /// The values divided by those of `base` that were taken beside them, one ratio a pair. `None` when the series are not of
    /// one length, or when a ratio is no number.
    ///
    /// The median of such ratios stands still where the machine's load moves both series.
    pub fn ratio(&self, base: &Series) -> Option<Series> {
        if self.values.len() != base.values.len() {
            return None;
        }
        let pairs = self.values.iter().zip(&base.values);
        Series::new(pairs.map(|(value, base)| value / base).collect())
    }

    /// The values in the order they were taken.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// How many there are; never 0.
    #[expect(clippy::len_without_is_empty, reason = "a series is never empty")]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// The least value.
    pub fn min(&self) -> f64 {
        self.sorted[0]
    }

    /// The greatest value.
    pub fn max(&self) -> f64 {
        self.sorted[self.sorted.len() - 1]
    }

    /// The arithmetic mean.
    pub fn mean(&self) -> f64 {
        self.values.iter().sum::<f64>() / self.values.len() as f64
    }

    /// The middle value, or the mean of the two in the middle.
    pub fn median(&self) -> f64 {
        self.percentile(50.0)
    }

    /// The value below which `percent` (0 to 100; what is outside counts as the nearer end) of the values lie, with a
    /// straight line between neighbours, as NumPy's `percentile` takes it.
    pub fn percentile(&self, percent: f64) -> f64 {
        let last = self.sorted.len() - 1;
        // A NaN becomes the position 0.
        let position = (percent / 100.0 * last as f64).clamp(0.0, last as f64);
        let below = self.sorted[position as usize];
        let above = self.sorted[(position as usize + 1).min(last)];
        match position.fract() {
            // Nothing is added to infinity times zero.
            0.0 => below,
            part => below + (above - below) * part,
        }
    }

    /// The distance from the first to the third quartile.
    pub fn interquartile_range(&self) -> f64 {
        self.percentile(75.0) - self.percentile(25.0)
    }

    /// The interquartile range over the median: 0.1 says that the middle half of the values lies within a tenth of the
    /// median. 0 where all of that half are equal.
    pub fn relative_spread(&self) -> f64 {
        match self.interquartile_range() {
            0.0 => 0.0,
            range => range / self.median().abs(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f64]) -> Series {
        Series::new(values.to_vec()).unwrap()
    }

    #[test]
    fn percentiles_are_numpys() {
        // numpy.percentile([15, 20, 35, 40, 50], [0, 5, 25, 40, 50, 75, 95, 100])
        let five = series(&[35.0, 20.0, 15.0, 50.0, 40.0]);
        for (percent, value) in [
            (0.0, 15.0),
            (5.0, 16.0),
            (25.0, 20.0),
            (40.0, 29.0),
            (50.0, 35.0),
            (75.0, 40.0),
            (95.0, 48.0),
            (100.0, 50.0),
            (-3.0, 15.0),
            (200.0, 50.0),
        ] {
            assert!(
                (five.percentile(percent) - value).abs() < 1e-12,
                "{percent}"
            );
        }
        assert_eq!(series(&[4.0, 1.0, 3.0, 2.0]).median(), 2.5);
    }

    #[test]
    fn one_value_is_everything() {
        let one = series(&[3.0]);
        let all = [
            one.min(),
            one.max(),
            one.mean(),
            one.median(),
            one.percentile(99.0),
        ];
        assert_eq!(all, [3.0; 5]);
        assert_eq!((one.len(), one.relative_spread()), (1, 0.0));
    }

    #[test]
    fn spread_is_relative_to_the_median() {
        let values = series(&[8.0, 9.0, 10.0, 11.0, 12.0]);
        assert_eq!(
            (values.mean(), values.min(), values.max()),
            (10.0, 8.0, 12.0)
        );
        assert_eq!(values.interquartile_range(), 2.0);
        assert_eq!(values.relative_spread(), 0.2);
    }

    #[test]
    fn ratios_are_of_pairs() {
        let ratio = series(&[1.0, 4.0, 9.0])
            .ratio(&series(&[2.0, 4.0, 3.0]))
            .unwrap();
        assert_eq!(ratio.values(), [0.5, 1.0, 3.0]);
        assert_eq!(series(&[1.0]).ratio(&series(&[1.0, 2.0])), None);
        assert_eq!(series(&[0.0]).ratio(&series(&[0.0])), None);
    }

    #[test]
    fn nothing_and_nan_are_no_series() {
        assert_eq!(Series::new(vec![]), None);
        assert_eq!(Series::new(vec![1.0, f64::NAN]), None);
    }
}
