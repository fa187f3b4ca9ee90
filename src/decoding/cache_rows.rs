//! In which row of the decoder's caches each hypothesis lies.

/// Hypotheses are ranked anew at every step, and most of them go on from different ones: they can stay where they lie, and
/// only those that share their beginning with another have to be copied.
#[derive(Debug)]
pub(super) struct CacheRows {
    /// Of each hypothesis, its row.
    rows: Vec<usize>,
}

impl CacheRows {
    /// One row, which holds the prompt.
    pub fn one() -> Self {
        Self { rows: vec![0] }
    }

    /// The row of each hypothesis.
    pub fn of_hypotheses(&self) -> &[usize] {
        &self.rows
    }

    /// Hypotheses by their rows.
    pub fn by_row<T: Copy>(&self, hypotheses: impl Iterator<Item = T>, filler: T) -> Vec<T> {
        let mut by_row = vec![filler; self.rows.len()];
        for (hypothesis, &row) in hypotheses.zip(&self.rows) {
            by_row[row] = hypothesis;
        }
        by_row
    }

    /// Gives the next hypotheses their rows, hypothesis `i` going on from what hypothesis `sources[i]` was; returns which
    /// row each row's contents come from. No row that is read is written: what is copied stays where it was as well, or
    /// lies beyond the rows that are left.
    pub fn advance(&mut self, sources: &[usize]) -> Vec<usize> {
        let n = sources.len();
        let mut source_of_row: Vec<Option<usize>> = vec![None; n];
        let mut next: Vec<Option<usize>> = vec![None; n];
        for (hypothesis, &source) in sources.iter().enumerate() {
            let row = self.rows[source];
            if row < n && source_of_row[row].is_none() {
                source_of_row[row] = Some(row);
                next[hypothesis] = Some(row);
            }
        }
        let free: Vec<usize> = (0..n).filter(|&row| source_of_row[row].is_none()).collect();
        let mut free = free.into_iter();
        let rows = next.into_iter().zip(sources).map(|(row, &source)| {
            row.or_else(|| {
                let row = free.next()?;
                source_of_row[row] = Some(self.rows[source]);
                Some(row)
            })
            .unwrap_or_default()
        });
        self.rows = rows.collect();
        source_of_row
            .into_iter()
            .map(Option::unwrap_or_default)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Follows hypotheses through steps on caches of letters; returns how many rows were copied.
    fn follow(steps: &[&[usize]]) -> usize {
        let mut rows = CacheRows::one();
        let mut caches = vec!["a".to_owned()];
        let mut expected = caches.clone();
        let mut copied = 0;
        for (step, &sources) in steps.iter().enumerate() {
            let from = rows.advance(sources);
            copied += from
                .iter()
                .enumerate()
                .filter(|(row, from)| row != *from)
                .count();
            let written = |row: usize| row < from.len() && from[row] != row;
            assert!(from.iter().all(|&read| !written(read)), "{from:?}");
            caches = from.iter().map(|&from| caches[from].clone()).collect();
            expected = (sources.iter().enumerate())
                .map(|(i, &source)| format!("{}{step}.{i} ", expected[source]))
                .collect();
            // Each row gets its own hypothesis' token.
            let tokens = (0..sources.len()).map(|i| (step, i));
            for (cache, (step, i)) in caches.iter_mut().zip(rows.by_row(tokens, (0, 0))) {
                cache.push_str(&format!("{step}.{i} "));
            }
            let held: Vec<&String> = (rows.of_hypotheses().iter())
                .map(|&row| &caches[row])
                .collect();
            assert_eq!(held, expected.iter().collect::<Vec<_>>());
        }
        copied
    }

    #[test]
    fn hypotheses_find_what_they_go_on_from() {
        follow(&[
            &[0, 0, 0],
            &[2, 0, 1],
            &[1, 1, 1],
            &[0, 2, 2],
            &[2, 1],
            &[1],
            &[0],
        ]);
    }

    #[test]
    fn only_doubled_hypotheses_are_copied() {
        assert_eq!(follow(&[&[0, 0, 0, 0]]), 3);
        // Another order alone moves nothing.
        assert_eq!(follow(&[&[0, 0, 0, 0], &[3, 1, 0, 2]]), 3);
        assert_eq!(follow(&[&[0, 0, 0, 0], &[0, 0, 3, 2]]), 4);
        // The last row moves into the place of the first, which ended.
        assert_eq!(follow(&[&[0, 0, 0, 0], &[1, 2, 3]]), 4);
    }
}
