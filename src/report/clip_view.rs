//! What the page shows of one clip.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;

use super::ClipReport;
use super::page_view::{TimesView, percent};
use crate::compare::{Edit, PlacedWord, TextToken, Timeline, TokenDifference};
use crate::plot::Waveform;

/// Width in pixels that a letter takes, and that a page has at most for a time axis before it is scrolled.
const LETTER: f64 = 8.5;
const PAGE: f64 = 1200.0;
/// Width in pixels of a second in which words follow fast.
const FASTEST: f64 = 300.0;

/// Marks on a time axis at most.
const MOST_TICKS: f64 = 2000.0;

/// Stretches of tokens that are listed at most.
const TOKEN_STRETCHES: usize = 200;

/// A clip.
#[derive(Serialize)]
pub(super) struct ClipView {
    /// Its place among the clips, from 0, by which it is linked.
    index: usize,
    name: String,
    facts: Vec<(String, String)>,
    languages: String,
    words: usize,
    substitutions: usize,
    deletions: usize,
    insertions: usize,
    errors: usize,
    word_error_rate: String,
    character_error_rate: String,
    normalizer: &'static str,
    times: Vec<TimesView>,
    tokens: Option<TokensView>,
    /// How many times wider than the page the time axis is at first, so that words can be read.
    zoom: String,
    ticks: Vec<TickView>,
    /// Width of the recording in percent of the axis, which is longer where a transcript goes on behind its end.
    audio_width: String,
    /// The outline of the waveform, as the path of an SVG of 1000 times 2 units.
    waveform: Option<String>,
    /// The picture of the features, as a data URI.
    log_mel: Option<String>,
    rows: Vec<RowView>,
}

/// A mark on the time axis.
#[derive(Serialize)]
struct TickView {
    left: String,
    label: String,
}

/// A row of the alignment.
#[derive(Serialize)]
struct RowView {
    /// `hit`, `sub`, `del` or `ins`.
    kind: &'static str,
    reference: Option<WordView>,
    hypothesis: Option<WordView>,
}

/// A word on the time axis, its place in percent of the axis.
#[derive(Serialize)]
struct WordView {
    word: String,
    left: String,
    width: String,
    time: String,
}

/// How the tokens differ.
#[derive(Serialize)]
struct TokensView {
    same: usize,
    errors: usize,
    stretches: Vec<StretchView>,
    left_out: usize,
}

#[derive(Serialize)]
struct StretchView {
    at: usize,
    reference: String,
    hypothesis: String,
}

impl ClipView {
    pub fn of(index: usize, clip: &ClipReport) -> Self {
        let comparison = &clip.comparison;
        let audio = clip.audio.as_ref();
        let line = Timeline::new(comparison, audio.map(|audio| audio.seconds));
        let rows: Vec<RowView> = (comparison.aligned.iter().enumerate())
            .map(|(index, row)| RowView {
                kind: kind(row.edit),
                reference: WordView::of(&row.reference, line.reference[index], line.seconds),
                hypothesis: WordView::of(&row.hypothesis, line.hypothesis[index], line.seconds),
            })
            .collect();
        let letters: usize = (comparison.aligned.iter())
            .flat_map(|row| [&row.reference, &row.hypothesis])
            .flatten()
            .map(|word| word.word.chars().count() + 2)
            .sum();
        // Half of the letters of both rows, and twice the room, since speech is not even. Words that were never said, as a
        // loop of the model has them, need no room.
        let most = (line.seconds * FASTEST / PAGE).max(1.0);
        let zoom = (letters as f64 * LETTER / PAGE).clamp(1.0, most);
        let words = &comparison.words;
        let times = [
            TimesView::of("segments", comparison.segment_times.iter()),
            TimesView::of("words", comparison.word_times.iter()),
        ];
        Self {
            index,
            name: clip.name.clone(),
            facts: clip.facts.clone(),
            languages: languages(clip),
            words: words.reference_len(),
            substitutions: words.substitutions,
            deletions: words.deletions,
            insertions: words.insertions,
            errors: words.errors(),
            word_error_rate: percent(words),
            character_error_rate: percent(&comparison.characters),
            normalizer: comparison.normalizer.name(),
            times: times.into_iter().flatten().collect(),
            tokens: comparison.tokens.as_ref().map(TokensView::of),
            zoom: format!("{zoom:.2}"),
            ticks: ticks(line.seconds, zoom),
            audio_width: percent_of(audio.map_or(0.0, |audio| audio.seconds), line.seconds),
            waveform: audio.map(|audio| outline(&audio.waveform)),
            log_mel: audio
                .and_then(|audio| audio.log_mel.as_ref())
                .map(|png| format!("data:image/png;base64,{}", BASE64_STANDARD.encode(png))),
            rows,
        }
    }
}

/// A stretch of the axis as CSS takes it.
fn percent_of(part: f64, seconds: f64) -> String {
    format!("{:.3}", 100.0 * part / seconds)
}

fn kind(edit: Edit) -> &'static str {
    match edit {
        Edit::Hit => "hit",
        Edit::Substitution => "sub",
        Edit::Deletion => "del",
        Edit::Insertion => "ins",
    }
}

fn languages(clip: &ClipReport) -> String {
    let comparison = &clip.comparison;
    match (
        &comparison.reference_language,
        &comparison.hypothesis_language,
    ) {
        (Some(spoken), Some(heard)) if spoken != heard => format!("{spoken}, taken for {heard}"),
        (Some(language), _) | (None, Some(language)) => language.clone(),
        (None, None) => "language not known".to_owned(),
    }
}

impl WordView {
    fn of(word: &Option<PlacedWord>, time: Option<(f64, f64)>, seconds: f64) -> Option<Self> {
        let (start, end) = time?;
        let percent = |part| percent_of(part, seconds);
        word.as_ref().map(|word| Self {
            word: word.word.clone(),
            left: percent(start),
            width: percent(end - start),
            time: match word.time {
                Some(_) => format!("{start:.2} to {end:.2} s"),
                None => "no time of its own".to_owned(),
            },
        })
    }
}

impl TokensView {
    fn of(difference: &TokenDifference) -> Self {
        let stretches = difference.stretches.iter().take(TOKEN_STRETCHES);
        Self {
            same: difference.counts.hits,
            errors: difference.counts.errors(),
            stretches: stretches
                .map(|stretch| StretchView {
                    at: stretch.at,
                    reference: tokens(&stretch.reference),
                    hypothesis: tokens(&stretch.hypothesis),
                })
                .collect(),
            left_out: difference.stretches.len().saturating_sub(TOKEN_STRETCHES),
        }
    }
}

/// `50364 <|0.00|>, 400 “ And”`
fn tokens(tokens: &[TextToken]) -> String {
    let shown = tokens.iter().map(|token| match &token.text {
        Some(text) => format!("{} “{text}”", token.id),
        None => token.id.to_string(),
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// Marks at round times, about a hundred pixels apart.
fn ticks(seconds: f64, zoom: f64) -> Vec<TickView> {
    const STEPS: [f64; 11] = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0];
    let wanted = seconds * 100.0 / (PAGE * zoom);
    let step = STEPS
        .into_iter()
        .find(|&step| step >= wanted)
        .unwrap_or(3600.0);
    // A transcript may claim any time.
    let count = (seconds / step).min(MOST_TICKS) as usize;
    (0..=count)
        .map(|index| {
            let time = index as f64 * step;
            TickView {
                left: percent_of(time, seconds),
                label: if step < 1.0 {
                    format!("{time:.1}")
                } else {
                    let (minutes, seconds) = ((time / 60.0) as u64, time % 60.0);
                    format!("{minutes}:{seconds:02.0}")
                },
            }
        })
        .collect()
}

/// Greatest samples from left to right, then least ones back, one above and one below the middle, which is 1. The loudest
/// sample fills the height.
fn outline(waveform: &Waveform) -> String {
    let columns = waveform.extremes.len().max(1) as f64;
    let x = |index: usize| 1000.0 * (index as f64 + 0.5) / columns;
    let all = waveform
        .extremes
        .iter()
        .flat_map(|&(least, greatest)| [-least, greatest]);
    let peak = all.fold(0.001, f32::max);
    let upper = waveform
        .extremes
        .iter()
        .map(|&(_, greatest)| greatest)
        .enumerate();
    let lower = waveform
        .extremes
        .iter()
        .map(|&(least, _)| least)
        .enumerate()
        .rev();
    let mut path = String::from("M0 1");
    for (index, sample) in upper.chain(lower) {
        path += &format!("L{:.1} {:.3}", x(index), 1.0 - sample / peak);
    }
    path + "Z"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::Audio;
    use crate::compare::{Comparison, Normalizer, Span, TimedText};
    use crate::report::AudioPicture;

    #[test]
    fn words_and_audio_share_an_axis_also_behind_the_recordings_end() {
        let said = |end: f64| TimedText {
            words: vec![Span {
                start: 1.0,
                end,
                text: "so".to_owned(),
            }],
            ..TimedText::plain("so", None)
        };
        let audio = Audio::from_samples(vec![0.5; 32_000]).unwrap();
        let comparison = Comparison::new(&said(2.0), &said(4.0), Normalizer::None);
        let mut clip = ClipReport::new("a", comparison);
        clip.audio = Some(AudioPicture::new(&audio, &burn::tensor::Device::flex()).unwrap());
        let view = ClipView::of(0, &clip);
        assert_eq!(view.audio_width, "50.000");
        let [said, heard] = [&view.rows[0].reference, &view.rows[0].hypothesis];
        let place = |word: &Option<WordView>| {
            let word = word.as_ref().unwrap();
            (word.left.clone(), word.width.clone())
        };
        assert_eq!(place(said), ("25.000".to_owned(), "25.000".to_owned()));
        assert_eq!(place(heard), ("25.000".to_owned(), "75.000".to_owned()));
        assert_eq!(view.ticks[1].left, "12.500");
        // The loudest sample reaches the top.
        assert!(view.waveform.unwrap().contains(" 0.000"));
    }

    #[test]
    fn marks_are_round_and_a_hundred_pixels_apart() {
        let labels = |seconds: f64, zoom: f64| -> Vec<String> {
            ticks(seconds, zoom)
                .into_iter()
                .map(|tick| tick.label)
                .collect()
        };
        assert_eq!(labels(2.0, 1.0).len(), 11);
        assert_eq!(labels(2.0, 1.0)[3], "0.6");
        assert_eq!(labels(90.0, 1.0)[7], "1:10");
        assert_eq!(labels(f64::INFINITY, 1.0).len(), 2001);
        assert_eq!(
            labels(36_000.0, 1.0),
            [
                "0:00", "60:00", "120:00", "180:00", "240:00", "300:00", "360:00", "420:00",
                "480:00", "540:00", "600:00"
            ]
        );
    }
}
