//! The most probable token at every step, or one drawn at a temperature (decoding.py:270-299).

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use whisper_kernels::softmax::{argmax, at_fraction, logprob};

use super::hypothesis::{Hypothesis, Step, TokenDecoder};

/// Samples each row on its own.
pub(super) struct Greedy {
    eot: u32,
    temperature: f64,
    /// Which of the original rows each live row is, and the generator it draws from.
    live: Vec<(usize, ChaCha8Rng)>,
    /// Hypotheses that reached the end of text, with their original row.
    finished: Vec<(usize, Hypothesis)>,
}

/// What makes the draws of a window its own: the same seed gives the same text, whatever else is decoded.
#[derive(Clone, Copy, Debug)]
pub(super) struct DrawSeed {
    /// The user's seed.
    pub seed: u64,
    /// Which window is decoded.
    pub window: u64,
}

impl Greedy {
    /// `rows` independent samples.
    pub fn new(eot: u32, temperature: f64, rows: usize, seed: DrawSeed) -> Self {
        let generator = |row: usize| {
            let parts = [seed.seed, seed.window, temperature.to_bits(), row as u64];
            let mut bytes = [0; 32];
            for (chunk, part) in bytes.chunks_exact_mut(8).zip(parts) {
                chunk.copy_from_slice(&part.to_le_bytes());
            }
            ChaCha8Rng::from_seed(bytes)
        };
        Self {
            eot,
            temperature,
            live: (0..rows).map(|row| (row, generator(row))).collect(),
            finished: Vec::new(),
        }
    }
}

impl TokenDecoder for Greedy {
    fn update(&mut self, rows: &mut Vec<Hypothesis>, logits: &[&[f32]]) -> Step {
        let mut sources = Vec::with_capacity(rows.len());
        let mut continued = Vec::with_capacity(rows.len());
        let live = std::mem::take(&mut self.live);
        for (source, ((row, mut generator), &logits)) in live.into_iter().zip(logits).enumerate() {
            if logits.iter().all(|&logit| logit == f32::NEG_INFINITY) {
                // A filter allows this row nothing: it ends here, and the others go on.
                continue;
            }
            let token = if self.temperature == 0.0 {
                argmax(logits)
            } else {
                at_fraction(logits, self.temperature, generator.random())
            };
            let hypothesis = rows[source].extended(token, logprob(logits, token));
            if token == self.eot {
                self.finished.push((row, hypothesis));
            } else {
                sources.push(source);
                continued.push(hypothesis);
                self.live.push((row, generator));
            }
        }
        *rows = continued;
        Step {
            completed: rows.is_empty(),
            sources,
        }
    }

    fn finalize(self: Box<Self>, rows: Vec<Hypothesis>) -> Vec<Hypothesis> {
        let mut all = self.finished;
        all.extend(self.live.iter().map(|&(row, _)| row).zip(rows));
        all.sort_by_key(|&(row, _)| row);
        all.into_iter().map(|(_, hypothesis)| hypothesis).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EOT: u32 = 3;

    fn seed(seed: u64, window: u64) -> DrawSeed {
        DrawSeed { seed, window }
    }

    #[test]
    fn at_temperature_0_the_most_probable_token_is_taken_until_the_end() {
        let mut decoder = Box::new(Greedy::new(EOT, 0.0, 1, seed(0, 0)));
        let mut rows = vec![Hypothesis::empty()];
        let step = decoder.update(&mut rows, &[&[0.0, 2.0, 1.0, 0.0]]);
        assert!(!step.completed);
        let step = decoder.update(&mut rows, &[&[0.0, 0.0, 0.0, 5.0]]);
        assert!(step.completed);
        let found = decoder.finalize(rows);
        assert_eq!(found[0].tokens, [1, EOT]);
    }

    #[test]
    fn finished_rows_leave_the_batch_and_keep_their_place() {
        let mut decoder = Box::new(Greedy::new(EOT, 0.0, 2, seed(0, 0)));
        let mut rows = vec![Hypothesis::empty(), Hypothesis::empty()];
        let end: &[f32] = &[0.0, 0.0, 0.0, 9.0];
        let step = decoder.update(&mut rows, &[end, &[9.0, 0.0, 0.0, 0.0]]);
        assert_eq!(step.sources, [1]);
        let step = decoder.update(&mut rows, &[end]);
        assert!(step.completed);
        let found = decoder.finalize(rows);
        assert_eq!(found[0].tokens, [EOT]);
        assert_eq!(found[1].tokens, [0, EOT]);
    }

    #[test]
    fn draws_follow_the_probabilities_and_the_seed() {
        let logits = [0.0, (3.0f32).ln(), f32::NEG_INFINITY];
        let draws = |seed: DrawSeed| -> Vec<u32> {
            let mut decoder = Greedy::new(EOT, 1.0, 1, seed);
            let mut rows = vec![Hypothesis::empty()];
            for _ in 0..4000 {
                decoder.update(&mut rows, &[&logits]);
            }
            rows.remove(0).tokens
        };
        let tokens = draws(seed(1, 0));
        let ones = tokens.iter().filter(|&&token| token == 1).count() as f64 / 4000.0;
        assert!((ones - 0.75).abs() < 0.03, "{ones}");
        assert!(!tokens.contains(&2));
        assert_eq!(tokens, draws(seed(1, 0)));
        assert_ne!(tokens, draws(seed(2, 0)));
        assert_ne!(tokens, draws(seed(1, 3000)));
    }
}
