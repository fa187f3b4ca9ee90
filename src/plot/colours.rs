//! The colours of a quantity: dark is little, bright is much.

/// Points of the scale, evenly spaced, by red, green and blue: lightness grows evenly from the first to the last, so that the
/// picture reads the same in shades of grey and to the colour-blind.
const SCALE: [[u8; 3]; 7] = [
    [0, 0, 8],
    [40, 14, 92],
    [106, 23, 110],
    [172, 46, 92],
    [226, 90, 52],
    [250, 160, 20],
    [252, 250, 170],
];

/// The colour of a quantity from 0 to 1; what is outside counts as the nearer end, NaN as 0.
pub fn colour(quantity: f32) -> [u8; 3] {
    let last = SCALE.len() - 1;
    // Of a NaN and 0 the greater is 0.
    let position = (quantity.max(0.0) * last as f32).min(last as f32);
    let below = position as usize;
    let above = (below + 1).min(last);
    let part = position - below as f32;
    std::array::from_fn(|channel| {
        let (low, high) = (
            f32::from(SCALE[below][channel]),
            f32::from(SCALE[above][channel]),
        );
        (low + (high - low) * part).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_is_lighter() {
        let lightness = |quantity: f32| {
            let [red, green, blue] = colour(quantity).map(f32::from);
            0.2126 * red + 0.7152 * green + 0.0722 * blue
        };
        let steps: Vec<f32> = (0..=60).map(|step| lightness(step as f32 / 60.0)).collect();
        assert!(steps.windows(2).all(|pair| pair[0] < pair[1]), "{steps:?}");
        assert_eq!(colour(-1.0), SCALE[0]);
        assert_eq!(colour(f32::INFINITY), SCALE[6]);
        assert_eq!(colour(f32::NAN), SCALE[0]);
    }
}
