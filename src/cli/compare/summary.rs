//! What a comparison found, for people.

use whisper_rs::compare::{
    Comparison, ErrorCounts, LanguageConfusions, TimeDifferences, TokenDifference, TokenStretch,
};
use whisper_rs::measure::Series;

use super::Compared;
use super::aligned_lines::AlignedLines;

/// Stretches of tokens that are printed of a clip.
const STRETCHES: usize = 10;

/// The clips, the worst first and as many as asked for with their words, and a table of all where there are more.
pub fn of(clips: &[Compared], worst: usize, lines: &AlignedLines) -> String {
    let mut text = String::new();
    for clip in clips.iter().take(worst) {
        text += &format!(
            "{}\n{}\n",
            heading(clip),
            lines.text(&clip.comparison.aligned)
        );
        text += &details(&clip.comparison);
        text.push('\n');
    }
    if clips.len() > 1 || worst == 0 {
        text += &table(clips);
    }
    text
}

fn heading(clip: &Compared) -> String {
    let comparison = &clip.comparison;
    let languages = match (
        &comparison.reference_language,
        &comparison.hypothesis_language,
    ) {
        (Some(spoken), Some(heard)) if spoken != heard => format!(" ({spoken}, taken for {heard})"),
        (Some(language), _) | (None, Some(language)) => format!(" ({language})"),
        (None, None) => String::new(),
    };
    format!("{}{languages}", clip.name)
}

/// Rates, times and tokens of one clip.
fn details(comparison: &Comparison) -> String {
    let unit = match comparison.normalizer.splits_letters() {
        true => "letters",
        false => "words",
    };
    let mut text = rates(unit, &comparison.words);
    if !comparison.normalizer.splits_letters() {
        text += &rates("characters", &comparison.characters);
    }
    text += &format!("normalizer  {}\n", comparison.normalizer.name());
    text += &times("segments", [&comparison.segment_times]);
    text += &times("words", [&comparison.word_times]);
    if let Some(tokens) = &comparison.tokens {
        text += &token_lines(tokens);
    }
    text
}

/// `words       WER 3.90 %: 3 errors in 77, 1 substituted, 1 deleted, 1 inserted`
fn rates(unit: &str, counts: &ErrorCounts) -> String {
    let name = match unit {
        "words" => "WER",
        _ => "CER",
    };
    let errors = counts.errors();
    let errors = format!("{errors} {}", if errors == 1 { "error" } else { "errors" });
    format!(
        "{unit:<12}{name} {}: {errors} in {}, {} substituted, {} deleted, {} inserted\n",
        (counts.percent()).unwrap_or_else(|| "none, nothing was said".to_owned()),
        counts.reference_len(),
        counts.substitutions,
        counts.deletions,
        counts.insertions,
    )
}

/// `times       of 12 of 13 segments: mean 0.020 s, 95 % 0.040 s, max 0.060 s`
fn times<'a>(
    unit: &str,
    differences: impl IntoIterator<Item = &'a Option<TimeDifferences>>,
) -> String {
    let (mut matched, mut of, mut seconds) = (0, 0, Vec::new());
    for differences in differences.into_iter().flatten() {
        matched += differences.matched;
        of += differences.of;
        seconds.extend_from_slice(differences.seconds.values());
    }
    match Series::new(seconds) {
        Some(series) => format!(
            "{:<12}{matched} of {of} {unit}: mean {:.3} s, 95 % {:.3} s, max {:.3} s\n",
            "times of",
            series.mean(),
            series.percentile(95.0),
            series.max(),
        ),
        None => String::new(),
    }
}

fn token_lines(tokens: &TokenDifference) -> String {
    let counts = &tokens.counts;
    let mut text = format!(
        "{:<12}{} the same, {} substituted, {} deleted, {} inserted\n",
        "tokens", counts.hits, counts.substitutions, counts.deletions, counts.insertions
    );
    for stretch in tokens.stretches.iter().take(STRETCHES) {
        text += &format!("  {}\n", token_line(stretch));
    }
    let more = tokens.stretches.len().saturating_sub(STRETCHES);
    if more > 0 {
        text += &format!("  and {more} more stretches; --json has all\n");
    }
    text
}

/// `at 17: 440 " it" -> 415 " he"`
fn token_line(stretch: &TokenStretch) -> String {
    let [said, heard] = [&stretch.reference, &stretch.hypothesis].map(|tokens| {
        let shown = tokens.iter().map(|token| match &token.text {
            Some(text) => format!("{} {text:?}", token.id),
            None => token.id.to_string(),
        });
        match tokens.is_empty() {
            true => "nothing".to_owned(),
            false => shown.collect::<Vec<_>>().join(", "),
        }
    });
    format!("at {}: {said} -> {heard}", stretch.at)
}

/// A line a clip, and what holds for all.
fn table(clips: &[Compared]) -> String {
    let width = clips
        .iter()
        .map(|clip| clip.name.chars().count())
        .max()
        .unwrap_or(0);
    let width = width.clamp(4, 50);
    let row = |name: &str, language: &str, words: &ErrorCounts, characters: &ErrorCounts| {
        let rate = |counts: &ErrorCounts| match counts.rate() {
            Some(rate) => format!("{:.2}", rate * 100.0),
            None => "-".to_owned(),
        };
        format!(
            "{name:<width$}  {language:<8}{:>7}{:>8}{:>6}{:>6}{:>6}{:>8}\n",
            words.reference_len(),
            rate(words),
            words.substitutions,
            words.deletions,
            words.insertions,
            rate(characters),
        )
    };
    let mut text = format!(
        "{:<width$}  {:<8}{:>7}{:>8}{:>6}{:>6}{:>6}{:>8}\n",
        "clip", "language", "words", "WER %", "sub", "del", "ins", "CER %"
    );
    for clip in clips {
        let comparison = &clip.comparison;
        let language = comparison.reference_language.as_deref().unwrap_or("-");
        text += &row(
            &clip.name,
            language,
            &comparison.words,
            &comparison.characters,
        );
    }
    let words: ErrorCounts = clips.iter().map(|clip| clip.comparison.words).sum();
    let characters: ErrorCounts = clips.iter().map(|clip| clip.comparison.characters).sum();
    text += &row("all", "", &words, &characters);
    text.push('\n');
    let comparisons = || clips.iter().map(|clip| &clip.comparison);
    text += &times("segments", comparisons().map(|one| &one.segment_times));
    text += &times("words", comparisons().map(|one| &one.word_times));
    text + &languages(&LanguageConfusions::of(comparisons()))
}

/// Spoken languages down, what they were taken for across.
fn languages(confusions: &LanguageConfusions) -> String {
    if confusions.is_empty() {
        return String::new();
    }
    let (wrong, total) = (confusions.wrong(), confusions.total());
    let mut text = format!(
        "{:<12}{wrong} of {total} clips taken for another\n",
        "languages"
    );
    if wrong == 0 {
        return text;
    }
    let heard: String = confusions
        .heard()
        .iter()
        .map(|code| format!("{code:>6}"))
        .collect();
    text += &format!("  {:<14}{heard}\n", "spoken, heard");
    for (spoken, counts) in confusions.rows() {
        let counts = counts.iter().map(|count| match count {
            0 => format!("{:>6}", "."),
            count => format!("{count:>6}"),
        });
        text += &format!("  {spoken:<14}{}\n", counts.collect::<String>());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_a_table_where_some_were_confused() {
        let mut confusions = LanguageConfusions::default();
        confusions.add("de", "de");
        assert_eq!(
            languages(&confusions),
            "languages   0 of 1 clips taken for another\n"
        );
        confusions.add("de", "nl");
        assert_eq!(
            languages(&confusions),
            "languages   1 of 2 clips taken for another\n  spoken, heard     de    nl\n  de                 1     1\n"
        );
    }
}
