//! What the page's template is filled with.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use super::clip_view::ClipView;
use super::{ClipReport, Report};
use crate::compare::{ErrorCounts, LanguageConfusions, TimeDifferences};
use crate::measure::Series;

/// The whole page.
#[derive(Serialize)]
pub(super) struct PageView {
    title: String,
    facts: Vec<(String, String)>,
    /// All clips together, then those of each language where there are several.
    totals: Vec<CountsView>,
    confusions: Option<ConfusionsView>,
    times: Vec<TimesView>,
    clips: Vec<ClipView>,
}

impl PageView {
    pub fn of(report: &Report) -> Self {
        let mut clips: Vec<_> = report.clips.iter().collect();
        clips.sort_by(|a, b| {
            b.comparison
                .badness()
                .total_cmp(&a.comparison.badness())
                .then(a.name.cmp(&b.name))
        });
        let comparisons = || report.clips.iter().map(|clip| &clip.comparison);
        let confusions = LanguageConfusions::of(comparisons());
        let words = comparisons().filter_map(|comparison| comparison.word_times.as_ref());
        let segments = comparisons().filter_map(|comparison| comparison.segment_times.as_ref());
        let times = [
            TimesView::of("segments", segments),
            TimesView::of("words", words),
        ];
        Self {
            title: report.title.clone(),
            facts: report.facts.clone(),
            totals: totals(&report.clips),
            confusions: (!confusions.is_empty()).then(|| ConfusionsView::of(&confusions)),
            times: times.into_iter().flatten().collect(),
            clips: (clips.iter().enumerate())
                .map(|(index, clip)| ClipView::of(index, clip))
                .collect(),
        }
    }
}

fn totals(clips: &[ClipReport]) -> Vec<CountsView> {
    let mut languages: BTreeMap<&str, Vec<&ClipReport>> = BTreeMap::new();
    for clip in clips {
        let language = clip.comparison.reference_language.as_deref();
        languages
            .entry(language.unwrap_or("unknown"))
            .or_default()
            .push(clip);
    }
    let mut totals = vec![CountsView::of("all", &clips.iter().collect::<Vec<_>>())];
    if languages.len() > 1 {
        let mut languages: Vec<_> = languages.into_iter().collect();
        languages.sort_by_key(|(_, clips)| Reverse(clips.len()));
        totals.extend((languages.iter()).map(|(name, clips)| CountsView::of(name, clips)));
    }
    totals
}

/// A row of the table of error rates.
#[derive(Serialize)]
struct CountsView {
    name: String,
    clips: usize,
    words: usize,
    substitutions: usize,
    deletions: usize,
    insertions: usize,
    word_error_rate: String,
    character_error_rate: String,
}

impl CountsView {
    fn of(name: &str, clips: &[&ClipReport]) -> Self {
        let words: ErrorCounts = clips.iter().map(|clip| clip.comparison.words).sum();
        let characters: ErrorCounts = clips.iter().map(|clip| clip.comparison.characters).sum();
        Self {
            name: name.to_owned(),
            clips: clips.len(),
            words: words.reference_len(),
            substitutions: words.substitutions,
            deletions: words.deletions,
            insertions: words.insertions,
            word_error_rate: percent(&words),
            character_error_rate: percent(&characters),
        }
    }
}

/// An error rate as it is read.
pub(super) fn percent(counts: &ErrorCounts) -> String {
    counts.percent().unwrap_or_else(|| "none".to_owned())
}

/// The table of languages.
#[derive(Serialize)]
struct ConfusionsView {
    heard: Vec<String>,
    rows: Vec<ConfusionsRow>,
}

#[derive(Serialize)]
struct ConfusionsRow {
    spoken: String,
    /// Clips, and whether the languages are the same.
    counts: Vec<(usize, bool)>,
}

impl ConfusionsView {
    fn of(confusions: &LanguageConfusions) -> Self {
        let heard: Vec<_> = confusions.heard().into_iter().map(str::to_owned).collect();
        let rows = confusions.rows().into_iter().map(|(spoken, counts)| {
            let same = heard.iter().map(|language| language == spoken);
            ConfusionsRow {
                spoken: spoken.to_owned(),
                counts: counts.into_iter().zip(same).collect(),
            }
        });
        let rows = rows.collect();
        Self { heard, rows }
    }
}

/// A row of the table of time differences.
#[derive(Serialize)]
pub(super) struct TimesView {
    of: &'static str,
    matched: usize,
    all: usize,
    mean: String,
    percentile_95: String,
    max: String,
}

impl TimesView {
    pub fn of<'a>(
        name: &'static str,
        differences: impl Iterator<Item = &'a TimeDifferences>,
    ) -> Option<Self> {
        let (mut matched, mut all, mut seconds) = (0, 0, Vec::new());
        for differences in differences {
            matched += differences.matched;
            all += differences.of;
            seconds.extend_from_slice(differences.seconds.values());
        }
        let series = Series::new(seconds)?;
        let shown = |seconds: f64| format!("{seconds:.3} s");
        Some(Self {
            of: name,
            matched,
            all,
            mean: shown(series.mean()),
            percentile_95: shown(series.percentile(95.0)),
            max: shown(series.max()),
        })
    }
}
