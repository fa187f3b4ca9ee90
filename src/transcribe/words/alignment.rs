//! When each word was said: from cross-attention scores to times.

use rayon::prelude::*;

use super::dtw::dtw;
use super::median_filter::MedianFilter;
use crate::tokenizer::WordTokens;

/// Positions of the encoder's output in a second (openai/whisper audio.py:25).
const POSITIONS_PER_SECOND: f64 = 50.0;

/// A word with its times in seconds from the window's start.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct WordTiming {
    /// The text; empty once it was joined to another word.
    pub word: String,
    pub tokens: Vec<u32>,
    pub start: f64,
    pub end: f64,
    /// Mean probability of the tokens.
    pub probability: f64,
}

/// How much each token of a sequence looks at each position of the audio.
#[derive(Debug)]
pub(super) struct CrossAttention {
    /// Raw scores, `[heads, tokens, positions]`.
    pub scores: Vec<f32>,
    pub heads: usize,
    pub tokens: usize,
    pub positions: usize,
}

/// Times and probabilities of the words of a window (openai/whisper timing.py:206-248).
///
/// The sequence that `attention` is of is `start` tokens of the start sequence, the mark for no timestamps, the text
/// tokens, and the end of text; `words` holds the text tokens and `probabilities` one for each of them.
///
/// A token's time is where the one before it, from which it was predicted, stops looking.
pub(super) fn align(
    attention: CrossAttention,
    start: usize,
    words: Vec<WordTokens>,
    probabilities: &[f32],
) -> Vec<WordTiming> {
    let times = token_times(attention, start);
    // What openai never sees, because its tokens and words always match: a word without a time is left out.
    let time = |token: usize| times.get(token).copied();
    let mut first = 0;
    let mut timings = Vec::with_capacity(words.len());
    for WordTokens { word, tokens } in words {
        let end = first + tokens.len();
        let (Some(start_time), Some(end_time), Some(probabilities)) =
            (time(first), time(end), probabilities.get(first..end))
        else {
            break;
        };
        timings.push(WordTiming {
            word,
            tokens,
            start: start_time,
            end: end_time,
            probability: mean(probabilities),
        });
        first = end;
    }
    timings
}

fn mean(values: &[f32]) -> f64 {
    values.iter().copied().map(f64::from).sum::<f64>() / values.len() as f64
}

/// When each text token begins, and then when the last one ends, in seconds.
fn token_times(attention: CrossAttention, start: usize) -> Vec<f64> {
    let positions = attention.positions;
    let matrix = attention.into_matrix(start);
    let rows = matrix.rows;
    let costs: Vec<f32> = matrix.values.iter().map(|value| -value).collect();
    let mut times = Vec::with_capacity(rows);
    let mut last_row = None;
    for (row, column) in dtw(&costs, [rows, positions]) {
        if last_row != Some(row) {
            times.push(column as f64 / POSITIONS_PER_SECOND);
            last_row = Some(row);
        }
    }
    times
}

/// Rows of text tokens over positions.
#[derive(Debug)]
struct Matrix {
    values: Vec<f32>,
    rows: usize,
}

impl CrossAttention {
    /// The mean over the heads of their filtered weights, for the tokens from `start` to the last but one: those
    /// that text tokens and the end of text were predicted from.
    fn into_matrix(mut self, start: usize) -> Matrix {
        let rows = self.tokens.saturating_sub(start + 1);
        let kept = start * self.positions..(start + rows) * self.positions;
        let mut values = vec![0.0; rows * self.positions];
        if values.is_empty() {
            return Matrix { values, rows };
        }
        let head_size = self.tokens * self.positions;
        self.scores
            .par_chunks_mut(head_size)
            .for_each(|head| filtered_weights(head, self.positions, kept.clone()));
        for head in self.scores.chunks(head_size) {
            for (sum, value) in values.iter_mut().zip(&head[kept.clone()]) {
                *sum += value;
            }
        }
        let heads = self.heads as f32;
        values.iter_mut().for_each(|value| *value /= heads);
        Matrix { values, rows }
    }
}

/// Makes scores weights that tell the tokens apart: softmax over the positions, then at each position its distance
/// from the mean over all tokens in standard deviations; then smooths the rows of `kept`.
///
/// # Shapes
///
/// - head: `[tokens, positions]`
fn filtered_weights(head: &mut [f32], positions: usize, kept: std::ops::Range<usize>) {
    head.chunks_mut(positions).for_each(softmax);
    standardise(head, positions);
    let mut filter = MedianFilter::default();
    for row in head[kept].chunks_mut(positions) {
        filter.apply(row);
    }
}

fn softmax(row: &mut [f32]) {
    let highest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for value in row.iter_mut() {
        *value = (*value - highest).exp();
        sum += f64::from(*value);
    }
    let sum = sum as f32;
    row.iter_mut().for_each(|value| *value /= sum);
}

/// Subtracts each column's mean and divides by its standard deviation. These are summed in f64, as torch does: squares
/// of small weights are beyond f32. A column of equal values becomes NaN.
fn standardise(head: &mut [f32], positions: usize) {
    let tokens = (head.len() / positions) as f64;
    let mut mean = vec![0.0f64; positions];
    for row in head.chunks(positions) {
        for (mean, &value) in mean.iter_mut().zip(row) {
            *mean += f64::from(value);
        }
    }
    mean.iter_mut().for_each(|mean| *mean /= tokens);
    let mut variance = vec![0.0f64; positions];
    for row in head.chunks(positions) {
        for ((variance, mean), &value) in variance.iter_mut().zip(&mean).zip(row) {
            *variance += (f64::from(value) - mean).powi(2);
        }
    }
    let mean: Vec<f32> = mean.iter().map(|&mean| mean as f32).collect();
    let deviation: Vec<f32> = (variance.iter())
        .map(|variance| (variance / tokens).sqrt() as f32)
        .collect();
    for row in head.chunks_mut(positions) {
        for ((value, mean), deviation) in row.iter_mut().zip(&mean).zip(&deviation) {
            *value = (*value - mean) / deviation;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{exact, f32s, reference, size, text, tokens};
    use super::*;

    #[test]
    fn words_are_aligned_as_openai_aligns_them() {
        let cases = reference("alignment.json");
        assert!(cases.len() >= 8, "{}", cases.len());
        for case in &cases {
            let attention = CrossAttention {
                scores: f32s(&case["scores"]),
                heads: size(&case["heads"]),
                tokens: size(&case["tokens"]),
                positions: size(&case["positions"]),
            };
            let words = (case["words"].as_array().unwrap().iter())
                .map(|word| WordTokens {
                    word: text(&word["word"]),
                    tokens: tokens(&word["tokens"]),
                })
                .collect();
            let aligned = align(
                attention,
                size(&case["start"]),
                words,
                &f32s(&case["probabilities"]),
            );
            let expected = case["aligned"].as_array().unwrap();
            assert_eq!(aligned.len(), expected.len(), "{}", case["name"]);
            for (word, expected) in aligned.iter().zip(expected) {
                assert_eq!(word.word, text(&expected["word"]));
                assert_eq!(word.tokens, tokens(&expected["tokens"]));
                let times = (exact(&expected["start"]), exact(&expected["end"]));
                assert_eq!((word.start, word.end), times, "{}", case["name"]);
                assert!((word.probability - exact(&expected["probability"])).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn a_word_without_a_time_is_left_out() {
        let attention = CrossAttention {
            scores: vec![0.0, 1.0, 1.0, 0.0, 0.5, 0.5],
            heads: 1,
            tokens: 3,
            positions: 2,
        };
        let word = |word: &str| WordTokens {
            word: word.to_owned(),
            tokens: vec![1],
        };
        let words = align(attention, 1, vec![word("a"), word("b")], &[0.5]);
        assert!(words.is_empty());
    }
}
