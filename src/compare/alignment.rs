//! The alignment of two sequences with the fewest edits.

/// What happened to one unit (a word, a character) between the reference and the hypothesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Edit {
    /// The same in both.
    Hit,
    /// Another one in the hypothesis.
    Substitution,
    /// Not in the hypothesis.
    Deletion,
    /// Only in the hypothesis.
    Insertion,
}

/// Cells above which a table of edits is split, to 4 MiB.
const LARGEST_TABLE: usize = 1 << 22;

/// The edits that turn `reference` into `hypothesis`, in order, as few as can be (Levenshtein, all edits cost 1).
///
/// Hits, substitutions and deletions stand for one unit of the reference each; hits, substitutions and insertions for
/// one of the hypothesis. Among alignments of equally few edits the ends that both have in common are hits, and going
/// back from there deletions are preferred to insertions, and these to substitutions where either would do: as
/// RapidFuzz and so jiwer choose, up to about 2,000 units on each side. Longer sequences are split first (Hirschberg),
/// so that memory stays below 4 MiB and a few words per unit.
///
/// Time grows with the product of the lengths: 10,000 units on each side take under a second.
pub fn align<T: PartialEq>(reference: &[T], hypothesis: &[T]) -> Vec<Edit> {
    let mut edits = Vec::with_capacity(reference.len().max(hypothesis.len()));
    align_part(reference, hypothesis, LARGEST_TABLE, &mut edits);
    edits
}

fn align_part<T: PartialEq>(
    reference: &[T],
    hypothesis: &[T],
    largest_table: usize,
    edits: &mut Vec<Edit>,
) {
    let same = |(a, b): &(&T, &T)| a == b;
    let prefix = reference.iter().zip(hypothesis).take_while(same).count();
    let (reference, hypothesis) = (&reference[prefix..], &hypothesis[prefix..]);
    let backwards = reference.iter().rev().zip(hypothesis.iter().rev());
    let suffix = backwards.take_while(same).count();
    let reference = &reference[..reference.len() - suffix];
    let hypothesis = &hypothesis[..hypothesis.len() - suffix];

    edits.extend(std::iter::repeat_n(Edit::Hit, prefix));
    let cells = (reference.len() + 1).saturating_mul(hypothesis.len() + 1);
    if cells <= largest_table || reference.len() < 2 || hypothesis.is_empty() {
        align_by_table(reference, hypothesis, edits);
    } else {
        let (middle, split) = best_split(reference, hypothesis);
        let (first, second) = reference.split_at(middle);
        align_part(first, &hypothesis[..split], largest_table, edits);
        align_part(second, &hypothesis[split..], largest_table, edits);
    }
    edits.extend(std::iter::repeat_n(Edit::Hit, suffix));
}

/// Distances `[reference + 1, hypothesis + 1]` row by row, of which what to prefer is kept in a byte a cell.
fn align_by_table<T: PartialEq>(reference: &[T], hypothesis: &[T], edits: &mut Vec<Edit>) {
    let width = hypothesis.len() + 1;
    let mut table = vec![Edit::Deletion; (reference.len() + 1) * width];
    table[..width].fill(Edit::Insertion);
    let mut above: Vec<u32> = (0..=hypothesis.len() as u32).collect();
    let mut row = above.clone();
    for (i, unit) in reference.iter().enumerate() {
        row[0] = above[0] + 1;
        for (j, other) in hypothesis.iter().enumerate() {
            let hit = unit == other;
            let diagonal = above[j] + u32::from(!hit);
            let distance = diagonal.min(above[j + 1] + 1).min(row[j] + 1);
            table[(i + 1) * width + j + 1] = if above[j + 1] + 1 == distance {
                Edit::Deletion
            } else if row[j] < above[j] {
                Edit::Insertion
            } else if hit {
                Edit::Hit
            } else {
                Edit::Substitution
            };
            row[j + 1] = distance;
        }
        std::mem::swap(&mut above, &mut row);
    }

    let begin = edits.len();
    let (mut i, mut j) = (reference.len(), hypothesis.len());
    while i > 0 || j > 0 {
        let edit = table[i * width + j];
        edits.push(edit);
        i -= usize::from(edit != Edit::Insertion);
        j -= usize::from(edit != Edit::Deletion);
    }
    edits[begin..].reverse();
}

/// Where a best alignment is cut: the reference in its middle, and the hypothesis where that costs least.
fn best_split<T: PartialEq>(reference: &[T], hypothesis: &[T]) -> (usize, usize) {
    let middle = reference.len() / 2;
    let (first, second) = reference.split_at(middle);
    let before = last_row(first.iter(), hypothesis.iter());
    let after = last_row(second.iter().rev(), hypothesis.iter().rev());
    let costs = before.iter().zip(after.iter().rev()).map(|(a, b)| a + b);
    let split = costs.enumerate().min_by_key(|&(_, cost)| cost);
    (middle, split.map_or(0, |(split, _)| split))
}

/// The distances of the whole reference to every beginning of the hypothesis.
fn last_row<'a, T: PartialEq + 'a>(
    reference: impl Iterator<Item = &'a T>,
    hypothesis: impl Iterator<Item = &'a T> + Clone,
) -> Vec<u32> {
    let mut row: Vec<u32> = (0..).take(hypothesis.clone().count() + 1).collect();
    for unit in reference {
        let mut diagonal = row[0];
        row[0] += 1;
        for (j, other) in hypothesis.clone().enumerate() {
            let replaced = diagonal + u32::from(unit != other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(edits: &[Edit]) -> String {
        let letter = |edit: &Edit| match edit {
            Edit::Hit => '=',
            Edit::Substitution => 's',
            Edit::Deletion => 'd',
            Edit::Insertion => 'i',
        };
        edits.iter().map(letter).collect()
    }

    fn aligned(reference: &str, hypothesis: &str) -> String {
        letters(&align(reference.as_bytes(), hypothesis.as_bytes()))
    }

    #[test]
    fn small_alignments() {
        assert_eq!(aligned("", ""), "");
        assert_eq!(aligned("abc", ""), "ddd");
        assert_eq!(aligned("", "ab"), "ii");
        assert_eq!(aligned("kitten", "sitting"), "s===s=i");
        assert_eq!(aligned("abcd", "abxcd"), "==i==");
        assert_eq!(aligned("abcd", "acd"), "=d==");
    }

    #[test]
    fn splitting_costs_nothing() {
        let mut state = 1u64;
        let mut below = |n: u64| {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 33) % n
        };
        for _ in 0..200 {
            let [a, b] = [(); 2].map(|()| (0..below(60)).map(|_| below(4)).collect::<Vec<_>>());
            let mut split = Vec::new();
            align_part(&a, &b, 8, &mut split);
            let whole = align(&a, &b);
            let cost = |edits: &[Edit]| edits.iter().filter(|&&edit| edit != Edit::Hit).count();
            assert_eq!(cost(&split), cost(&whole), "{a:?} {b:?}");
            // The edits lead from one to the other.
            let (mut i, mut j) = (0, 0);
            for edit in &split {
                if *edit == Edit::Hit {
                    assert_eq!(a[i], b[j]);
                }
                i += usize::from(*edit != Edit::Insertion);
                j += usize::from(*edit != Edit::Deletion);
            }
            assert_eq!((i, j), (a.len(), b.len()));
        }
    }
}
