//! Several hypotheses side by side, the best kept (decoding.py:302-404).

use whisper_kernels::softmax::{highest, log_sum_exp};

use super::hypothesis::{Hypothesis, Step, TokenDecoder};
use crate::text::python_round;

/// openai/whisper's beam search with patience (Kasai et al., arXiv 2204.05424).
pub(super) struct BeamSearch {
    eot: u32,
    beam_size: usize,
    /// Search ends when as many hypotheses are finished.
    max_candidates: usize,
    finished: Vec<Hypothesis>,
}

impl BeamSearch {
    /// Keeps `beam_size` hypotheses, and stops at `beam_size * patience` finished ones.
    pub fn new(eot: u32, beam_size: usize, patience: f64) -> Self {
        let max_candidates = python_round(beam_size as f64 * patience).max(1) as usize;
        Self {
            eot,
            beam_size,
            max_candidates,
            finished: Vec::new(),
        }
    }

    /// The continuations of all rows by their most probable tokens, each with the row it continues, in
    /// the order in which they were first met. Rows that hold the same tokens, as at the first step,
    /// give each continuation once.
    fn candidates(&self, rows: &[Hypothesis], logits: &[&[f32]]) -> Vec<(usize, Hypothesis)> {
        let mut candidates: Vec<(usize, Hypothesis)> = Vec::new();
        for (source, (row, &logits)) in rows.iter().zip(logits).enumerate() {
            let normaliser = log_sum_exp(logits);
            if normaliser == f64::NEG_INFINITY {
                // A filter allows this row nothing: it ends here, and the others go on.
                continue;
            }
            for token in top(logits, self.beam_size + 1) {
                let logprob = (f64::from(logits[token as usize]) - normaliser) as f32;
                let candidate = row.extended(token, logprob);
                let known = (candidates.iter_mut()).find(|(_, c)| c.tokens == candidate.tokens);
                match known {
                    Some(known) => *known = (source, candidate),
                    None => candidates.push((source, candidate)),
                }
            }
        }
        candidates
    }
}

impl TokenDecoder for BeamSearch {
    fn update(&mut self, rows: &mut Vec<Hypothesis>, logits: &[&[f32]]) -> Step {
        let mut candidates = self.candidates(rows, logits);
        // Stable, so that equals stay in the order in which they were met.
        candidates.sort_by(|(_, a), (_, b)| b.sum_logprob.total_cmp(&a.sum_logprob));

        rows.clear();
        let mut sources = Vec::with_capacity(self.beam_size);
        let mut ended = Vec::new();
        for (source, candidate) in candidates {
            if candidate.tokens.last() == Some(&self.eot) {
                ended.push(candidate);
            } else {
                rows.push(candidate);
                sources.push(source);
                if rows.len() == self.beam_size {
                    break;
                }
            }
        }
        let room = self.max_candidates.saturating_sub(self.finished.len());
        self.finished.extend(ended.into_iter().take(room));
        Step {
            sources,
            completed: self.finished.len() >= self.max_candidates,
        }
    }

    /// Where too few hypotheses are finished, the best live ones are ended as they stand.
    fn finalize(mut self: Box<Self>, rows: Vec<Hypothesis>) -> Vec<Hypothesis> {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by(|&a, &b| rows[a].sum_logprob.total_cmp(&rows[b].sum_logprob));
        for &row in order.iter().rev() {
            if self.finished.len() >= self.beam_size {
                break;
            }
            let row = &rows[row];
            self.finished.push(row.extended(self.eot, 0.0));
        }
        self.finished
    }
}

/// The `n` tokens with the highest logits, highest first, equals in the vocabulary's order.
fn top(logits: &[f32], n: usize) -> Vec<u32> {
    /// Logits that are passed over together where none is high enough, as nearly everywhere.
    const CHUNK: usize = 64;
    let mut best: Vec<u32> = Vec::with_capacity(n + 1);
    for (chunk, values) in logits.chunks(CHUNK).enumerate() {
        let lowest = |best: &[u32]| logits[best[n - 1] as usize];
        if best.len() == n && highest(values) <= lowest(&best) {
            continue;
        }
        for (place, &logit) in values.iter().enumerate() {
            if best.len() == n && lowest(&best) >= logit {
                continue;
            }
            let rank = best.partition_point(|&other| logits[other as usize] >= logit);
            best.insert(rank, (chunk * CHUNK + place) as u32);
            best.truncate(n);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    const EOT: u32 = 3;

    /// Logits whose softmax is `probabilities`.
    fn logits(probabilities: [f32; 4]) -> [f32; 4] {
        probabilities.map(f32::ln)
    }

    #[test]
    fn the_highest_come_first_and_equals_in_order() {
        assert_eq!(top(&[1.0, 5.0, 5.0, 2.0], 3), [1, 2, 3]);
        assert_eq!(top(&[1.0], 3), [0]);
        let mut logits: Vec<f32> = (0..1000).map(|id| (id * 37 % 500) as f32).collect();
        logits[64..128].fill(f32::NEG_INFINITY);
        let mut sorted: Vec<u32> = (0..1000).collect();
        sorted.sort_by(|&a, &b| logits[b as usize].total_cmp(&logits[a as usize]));
        assert_eq!(top(&logits, 6), sorted[..6]);
    }

    #[test]
    fn rows_that_are_the_same_at_the_first_step_collapse() {
        let mut decoder = BeamSearch::new(EOT, 2, 1.0);
        let mut rows = vec![Hypothesis::empty(), Hypothesis::empty()];
        let first = logits([0.5, 0.3, 0.15, 0.05]);
        let step = decoder.update(&mut rows, &[&first, &first]);
        assert_eq!(rows[0].tokens, [0]);
        assert_eq!(rows[1].tokens, [1]);
        assert!(!step.completed);
        assert_eq!(step.sources.len(), 2);
    }

    #[test]
    fn an_improbable_beginning_wins_by_its_continuation() {
        let mut decoder = Box::new(BeamSearch::new(EOT, 2, 1.0));
        let mut rows = vec![Hypothesis::empty()];
        decoder.update(&mut rows, &[&logits([0.6, 0.4, 1e-9, 1e-9])]);
        let step = decoder.update(
            &mut rows,
            &[
                &logits([0.25, 0.25, 0.25, 0.25]),
                &logits([0.01, 0.01, 0.08, 0.9]),
            ],
        );
        // [1, EOT] has 0.36 and is met before two live ones are kept.
        assert!(!step.completed);
        let found = decoder.finalize(rows);
        assert_eq!(found[0].tokens, [1, EOT]);
        assert_eq!(found.len(), 2, "a live one is ended to make up the number");
        assert_eq!(found[1].tokens.last(), Some(&EOT));
    }

    #[test]
    fn an_end_that_ranks_below_the_kept_ones_is_not_finished() {
        let mut decoder = BeamSearch::new(EOT, 2, 1.0);
        let mut rows = vec![Hypothesis::empty()];
        decoder.update(&mut rows, &[&logits([0.5, 0.3, 0.0, 0.2])]);
        assert!(decoder.finished.is_empty());
    }

    #[test]
    fn patience_waits_for_more_and_rounds_half_to_even() {
        assert_eq!(BeamSearch::new(EOT, 5, 2.0).max_candidates, 10);
        assert_eq!(BeamSearch::new(EOT, 5, 0.5).max_candidates, 2);
        assert_eq!(BeamSearch::new(EOT, 5, 0.1).max_candidates, 1);
        // More than a number of hypotheses can be is as many as there can be.
        assert_eq!(
            BeamSearch::new(EOT, 64, f64::MAX).max_candidates,
            i64::MAX as usize
        );
    }

    #[test]
    fn a_row_that_may_not_go_on_is_dropped() {
        let mut decoder = BeamSearch::new(EOT, 2, 1.0);
        let mut rows = vec![Hypothesis::empty()];
        decoder.update(&mut rows, &[&logits([0.6, 0.4, 1e-9, 1e-9])]);
        let next = logits([0.5, 0.3, 0.15, 0.05]);
        let step = decoder.update(&mut rows, &[&[f32::NEG_INFINITY; 4], &next]);
        assert_eq!(step.sources, [1, 1]);
        assert_eq!(rows[0].tokens, [1, 0]);
    }
}
