//! A sequence that is being sampled, and what extends it.

/// Tokens sampled so far and the sum of their log-probabilities, in f32 as the reference keeps it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Hypothesis {
    /// Sampled tokens; a finished hypothesis ends with the end of text.
    pub tokens: Vec<u32>,
    /// Sum of the log-probabilities of `tokens`.
    pub sum_logprob: f32,
}

impl Hypothesis {
    /// Nothing sampled yet.
    pub fn empty() -> Self {
        Self {
            tokens: Vec::new(),
            sum_logprob: 0.0,
        }
    }

    /// This hypothesis with one more token.
    pub fn extended(&self, token: u32, sum_logprob: f32) -> Self {
        let mut tokens = Vec::with_capacity(self.tokens.len() + 1);
        tokens.extend(&self.tokens);
        tokens.push(token);
        Self {
            tokens,
            sum_logprob,
        }
    }
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
