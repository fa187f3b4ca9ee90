//! Texts that stand side by side without touching.

/// Deals texts to lanes: each has its place from left to right, in order of its left end, and goes to the first lane in which
/// nothing reaches into it. `None` is a text that has room in none.
pub(super) fn lanes(places: &[(f64, f64)], count: usize) -> Vec<Option<usize>> {
    let mut ends = vec![f64::NEG_INFINITY; count];
    let mut dealt = Vec::with_capacity(places.len());
    for &(left, right) in places {
        let lane = ends.iter().position(|&end| end <= left);
        if let Some(lane) = lane {
            ends[lane] = right;
        }
        dealt.push(lane);
    }
    dealt
}

#[cfg(test)]
mod tests {
    use super::lanes;

    #[test]
    fn what_would_touch_goes_to_the_next_lane() {
        let places = [(0.0, 4.0), (1.0, 2.0), (1.5, 3.0), (2.0, 5.0), (4.0, 6.0)];
        assert_eq!(
            lanes(&places, 2),
            [Some(0), Some(1), None, Some(1), Some(0)]
        );
        assert_eq!(lanes(&places[..1], 0), [None]);
    }
}
