//! Dynamic time warping: the cheapest monotonic path through a matrix.

/// Where a step came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Diagonal,
    Up,
    Left,
}

/// The path from the first cell to the last with the least sum of costs, each step going down, right or both
/// (openai/whisper timing.py:57-105): (row, column) of each cell on it.
///
/// A step is taken from the diagonal or from above only when that is strictly the cheapest of the three: ties go
/// left. Sums are f64: openai's table begins as f32, but Numba makes it f64 when it is multiplied by infinity. Costs
/// that are NaN win no comparison, so that a path through them goes left and then up along a border before the first
/// column, whose cells have the column -1; so does the path through a matrix without columns.
///
/// # Shapes
///
/// - costs: `[rows, columns]`, row by row
pub(super) fn dtw(costs: &[f32], [rows, columns]: [usize; 2]) -> Vec<(isize, isize)> {
    let steps = steps(costs, [rows, columns]);
    let (mut row, mut column) = (rows, columns);
    let mut path = Vec::with_capacity(rows + columns);
    while row > 0 || column > 0 {
        path.push((row as isize - 1, column as isize - 1));
        let step = match (row, column) {
            (0, _) => Step::Left,
            (_, 0) => Step::Up,
            _ => steps[(row - 1) * columns + column - 1],
        };
        if step != Step::Left {
            row -= 1;
        }
        if step != Step::Up {
            column -= 1;
        }
    }
    path.reverse();
    path
}

/// The step that each cell is best reached by. Only one row of sums is kept beside the current one.
fn steps(costs: &[f32], [rows, columns]: [usize; 2]) -> Vec<Step> {
    let mut steps = Vec::with_capacity(rows * columns);
    let mut above = vec![f64::INFINITY; columns + 1];
    above[0] = 0.0;
    let mut current = vec![f64::INFINITY; columns + 1];
    for row in 0..rows {
        current[0] = f64::INFINITY;
        for column in 1..=columns {
            let (diagonal, up, left) = (above[column - 1], above[column], current[column - 1]);
            let (sum, step) = if diagonal < up && diagonal < left {
                (diagonal, Step::Diagonal)
            } else if up < diagonal && up < left {
                (up, Step::Up)
            } else {
                (left, Step::Left)
            };
            current[column] = f64::from(costs[row * columns + column - 1]) + sum;
            steps.push(step);
        }
        std::mem::swap(&mut above, &mut current);
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::super::testing::{f32s, reference, size};
    use super::*;

    #[test]
    fn paths_are_those_of_openai() {
        let cases = reference("dtw.json");
        assert!(cases.len() > 40, "{}", cases.len());
        for case in &cases {
            let shape = [size(&case["rows"]), size(&case["columns"])];
            let path = dtw(&f32s(&case["costs"]), shape);
            let expected: Vec<(isize, isize)> =
                serde_json::from_value(case["path"].clone()).unwrap();
            assert_eq!(path, expected, "{}", case["name"]);
        }
    }
}
