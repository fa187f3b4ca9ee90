//! Tokens that are never sampled.

use super::LogitFilter;

/// Forbids tokens everywhere (decoding.py:434-439).
#[derive(Clone, Debug)]
pub struct SuppressTokens {
    tokens: Vec<u32>,
}

impl SuppressTokens {
    /// Forbids `tokens`; those beyond the vocabulary are ignored.
    pub fn new(tokens: Vec<u32>) -> Self {
        Self { tokens }
    }
}

impl LogitFilter for SuppressTokens {
    fn apply(&self, _sampled: &[u32], logits: &mut [f32]) {
        for &token in &self.tokens {
            super::forbid(logits, token as usize..=token as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_forbidden_at_every_step_and_unknown_ones_ignored() {
        let filter = SuppressTokens::new(vec![0, 9]);
        for sampled in [&[][..], &[1, 2]] {
            let mut logits = [1.0; 3];
            filter.apply(sampled, &mut logits);
            assert_eq!(logits, [f32::NEG_INFINITY, 1.0, 1.0]);
        }
    }
}
