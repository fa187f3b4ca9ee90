//! Python's `round`.

/// `x` rounded to an integer, halves to the even one, as Python's `round(x)`.
///
/// Values beyond `i64` give its nearest end, NaN gives 0 (Python raises an exception).
pub fn python_round(x: f64) -> i64 {
    x.round_ties_even() as i64
}

/// `x` rounded to `digits` decimals, as Python's `round(x, digits)`.
///
/// The double's exact value is rounded, so `round(2.675, 2)` is 2.67 (2.675 is stored a little below), and an exact
/// half goes to the even digit: `round(0.125, 2)` is 0.12. Scaling by a power of ten and rounding does not give this.
pub fn round_digits(x: f64, digits: usize) -> f64 {
    // Formatting rounds the exact decimal expansion, halves to even, and parsing finds the nearest double.
    format!("{x:.digits$}").parse().unwrap_or(x)
}
