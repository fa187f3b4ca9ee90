//! Which languages were taken for which.

use std::collections::BTreeMap;

use super::comparison::Comparison;

/// How often each language of a reference was taken for each language of a hypothesis.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LanguageConfusions {
    counts: BTreeMap<(String, String), usize>,
}

impl LanguageConfusions {
    /// The confusions of clips; those whose language is not known on both sides are left out.
    pub fn of<'a>(comparisons: impl IntoIterator<Item = &'a Comparison>) -> Self {
        let mut confusions = Self::default();
        for comparison in comparisons {
            let languages = (
                &comparison.reference_language,
                &comparison.hypothesis_language,
            );
            if let (Some(spoken), Some(heard)) = languages {
                confusions.add(spoken, heard);
            }
        }
        confusions
    }

    /// Counts one more clip in the language `spoken` that was taken for `heard`.
    pub fn add(&mut self, spoken: &str, heard: &str) {
        let pair = (spoken.to_owned(), heard.to_owned());
        *self.counts.entry(pair).or_default() += 1;
    }

    /// Language of the reference, language of the hypothesis and number of clips, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, usize)> {
        (self.counts.iter())
            .map(|((spoken, heard), &count)| (spoken.as_str(), heard.as_str(), count))
    }

    /// Whether no clip was counted.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Clips whose language was taken for another.
    pub fn wrong(&self) -> usize {
        let wrong = self.iter().filter(|(spoken, heard, _)| spoken != heard);
        wrong.map(|(_, _, count)| count).sum()
    }

    /// Clips whose language is known on both sides.
    pub fn total(&self) -> usize {
        self.counts.values().sum()
    }

    /// The languages heard, in alphabetical order: the columns of a table.
    pub fn heard(&self) -> Vec<&str> {
        let mut heard: Vec<_> = self.iter().map(|(_, heard, _)| heard).collect();
        heard.sort_unstable();
        heard.dedup();
        heard
    }

    /// The rows of a table with the columns [`heard`](Self::heard): each spoken language with its counts.
    pub fn rows(&self) -> Vec<(&str, Vec<usize>)> {
        let columns = self.heard();
        let mut rows: Vec<(&str, Vec<usize>)> = Vec::new();
        for (spoken, heard, count) in self.iter() {
            if rows.last().is_none_or(|(last, _)| *last != spoken) {
                rows.push((spoken, vec![0; columns.len()]));
            }
            let column = columns.iter().position(|&column| column == heard);
            if let (Some((_, counts)), Some(column)) = (rows.last_mut(), column) {
                counts[column] = count;
            }
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_languages() {
        let mut confusions = LanguageConfusions::default();
        for (spoken, heard) in [("de", "de"), ("de", "nl"), ("en", "en"), ("de", "de")] {
            confusions.add(spoken, heard);
        }
        assert_eq!(confusions.heard(), ["de", "en", "nl"]);
        assert_eq!(
            confusions.rows(),
            [("de", vec![2, 0, 1]), ("en", vec![0, 1, 0])]
        );
        assert_eq!((confusions.wrong(), confusions.total()), (1, 4));
    }
}
