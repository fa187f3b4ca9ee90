//! What a comparison found, as JSON.

use serde::Serialize;
use whisper_rs::compare::{
    Comparison, Edit, ErrorCounts, LanguageConfusions, PlacedWord, TextToken, TimeDifferences,
};

use super::Compared;

/// All clips together, and each, the worst first.
#[derive(Serialize)]
pub struct ComparedJson<'a> {
    words: Counts,
    characters: Counts,
    languages: Vec<Confusion>,
    clips: Vec<ClipJson<'a>>,
}

#[derive(Serialize)]
struct ClipJson<'a> {
    name: &'a str,
    reference_language: Option<&'a str>,
    hypothesis_language: Option<&'a str>,
    normalizer: &'static str,
    /// Whether each letter counts as a word.
    letters_are_words: bool,
    words: Counts,
    characters: Counts,
    segment_times: Option<Times>,
    word_times: Option<Times>,
    tokens: Option<Tokens<'a>>,
    alignment: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Counts {
    /// Errors for each unit of the reference; null where that is empty.
    rate: Option<f64>,
    hits: usize,
    substitutions: usize,
    deletions: usize,
    insertions: usize,
}

/// Absolute differences, in seconds.
#[derive(Serialize)]
struct Times {
    matched: usize,
    of: usize,
    mean: f64,
    percentile_95: f64,
    max: f64,
}

#[derive(Serialize)]
struct Confusion {
    spoken: String,
    heard: String,
    clips: usize,
}

#[derive(Serialize)]
struct Tokens<'a> {
    #[serde(flatten)]
    counts: Counts,
    stretches: Vec<Stretch<'a>>,
}

#[derive(Serialize)]
struct Stretch<'a> {
    at: usize,
    reference: Vec<TokenJson<'a>>,
    hypothesis: Vec<TokenJson<'a>>,
}

#[derive(Serialize)]
struct TokenJson<'a> {
    id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

/// A row of the alignment. Start and end are null where the text has no times.
#[derive(Serialize)]
struct Row<'a> {
    edit: &'static str,
    reference: Option<WordJson<'a>>,
    hypothesis: Option<WordJson<'a>>,
}

#[derive(Serialize)]
struct WordJson<'a> {
    word: &'a str,
    start: Option<f64>,
    end: Option<f64>,
}

/// The clips as they are to be printed.
pub fn of(clips: &[Compared]) -> ComparedJson<'_> {
    let comparisons = || clips.iter().map(|clip| &clip.comparison);
    let confusions = LanguageConfusions::of(comparisons());
    ComparedJson {
        words: Counts::of(&comparisons().map(|one| one.words).sum()),
        characters: Counts::of(&comparisons().map(|one| one.characters).sum()),
        languages: (confusions.iter())
            .map(|(spoken, heard, clips)| Confusion {
                spoken: spoken.to_owned(),
                heard: heard.to_owned(),
                clips,
            })
            .collect(),
        clips: clips.iter().map(ClipJson::of).collect(),
    }
}

impl<'a> ClipJson<'a> {
    fn of(clip: &'a Compared) -> Self {
        let comparison: &Comparison = &clip.comparison;
        ClipJson {
            name: &clip.name,
            reference_language: comparison.reference_language.as_deref(),
            hypothesis_language: comparison.hypothesis_language.as_deref(),
            normalizer: comparison.normalizer.name(),
            letters_are_words: comparison.normalizer.splits_letters(),
            words: Counts::of(&comparison.words),
            characters: Counts::of(&comparison.characters),
            segment_times: comparison.segment_times.as_ref().map(Times::of),
            word_times: comparison.word_times.as_ref().map(Times::of),
            tokens: comparison.tokens.as_ref().map(|tokens| Tokens {
                counts: Counts::of(&tokens.counts),
                stretches: (tokens.stretches.iter())
                    .map(|stretch| Stretch {
                        at: stretch.at,
                        reference: stretch.reference.iter().map(TokenJson::of).collect(),
                        hypothesis: stretch.hypothesis.iter().map(TokenJson::of).collect(),
                    })
                    .collect(),
            }),
            alignment: (comparison.aligned.iter())
                .map(|row| Row {
                    edit: edit(row.edit),
                    reference: row.reference.as_ref().map(WordJson::of),
                    hypothesis: row.hypothesis.as_ref().map(WordJson::of),
                })
                .collect(),
        }
    }
}

impl Counts {
    fn of(counts: &ErrorCounts) -> Self {
        Self {
            rate: counts.rate(),
            hits: counts.hits,
            substitutions: counts.substitutions,
            deletions: counts.deletions,
            insertions: counts.insertions,
        }
    }
}

impl Times {
    fn of(differences: &TimeDifferences) -> Self {
        Self {
            matched: differences.matched,
            of: differences.of,
            mean: differences.seconds.mean(),
            percentile_95: differences.seconds.percentile(95.0),
            max: differences.seconds.max(),
        }
    }
}

impl<'a> TokenJson<'a> {
    fn of(token: &'a TextToken) -> Self {
        Self {
            id: token.id,
            text: token.text.as_deref(),
        }
    }
}

impl<'a> WordJson<'a> {
    fn of(word: &'a PlacedWord) -> Self {
        Self {
            word: &word.word,
            start: word.time.map(|(start, _)| start),
            end: word.time.map(|(_, end)| end),
        }
    }
}

fn edit(edit: Edit) -> &'static str {
    match edit {
        Edit::Hit => "hit",
        Edit::Substitution => "substitution",
        Edit::Deletion => "deletion",
        Edit::Insertion => "insertion",
    }
}
