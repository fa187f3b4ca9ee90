//! A sequence that is being sampled, and what extends it.

/// Tokens sampled so far with their log-probabilities, and the sum of these, in f32 as the reference keeps it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Hypothesis {
    /// Sampled tokens; a finished hypothesis ends with the end of text.
    pub tokens: Vec<u32>,
    /// Log-probability of each of `tokens`, given those before it.
    pub logprobs: Vec<f32>,
    /// Sum of the log-probabilities of `tokens`.
    pub sum_logprob: f32,
}

impl Hypothesis {
    /// Nothing sampled yet.
    pub fn empty() -> Self {
        Self {
            tokens: Vec::new(),
            logprobs: Vec::new(),
            sum_logprob: 0.0,
        }
    }

    /// This hypothesis with one more token.
    pub fn extended(&self, token: u32, logprob: f32) -> Self {
        Self {
            tokens: with_one_more(&self.tokens, token),
            logprobs: with_one_more(&self.logprobs, logprob),
            sum_logprob: self.sum_logprob + logprob,
        }
    }
}

fn with_one_more<T: Copy>(values: &[T], last: T) -> Vec<T> {
    let mut all = Vec::with_capacity(values.len() + 1);
    all.extend_from_slice(values);
    all.push(last);
    all
}

/// What a step did to the rows of the batch.
pub(super) struct Step {
    /// For each row that goes on, the row that it continues.
    pub sources: Vec<usize>,
    /// Whether enough has been found.
    pub completed: bool,
}

/// Chooses the next tokens of all rows (openai/whisper decoding.py:214-267).
pub(super) trait TokenDecoder {
    /// Replaces `rows` by their continuations, given the filtered logits of each row.
    ///
    /// # Shapes
    ///
    /// - logits: `[rows][n_vocab]`
    fn update(&mut self, rows: &mut Vec<Hypothesis>, logits: &[&[f32]]) -> Step;

    /// All candidates, the rows that are still unfinished among them.
    fn finalize(self: Box<Self>, rows: Vec<Hypothesis>) -> Vec<Hypothesis>;
}
