//! Times in hundredths of a second, as LRC and ASS count them.

use crate::text::python_round;

/// Seconds in whole hundredths, halves to the even one; negative times are 0.
pub(super) fn centiseconds(seconds: f64) -> i64 {
    python_round(seconds * 100.0).max(0)
}
