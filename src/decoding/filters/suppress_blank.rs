//! No window begins with a blank.

use super::LogitFilter;

/// Forbids the blank and the end of text as the first token (decoding.py:423-431).
#[derive(Clone, Debug)]
pub struct SuppressBlank {
    tokens: Vec<u32>,
}

impl SuppressBlank {
    /// Forbids `tokens`: those of a space, and the end of text.
    pub fn new(tokens: Vec<u32>) -> Self {
        Self { tokens }
    }
}

impl LogitFilter for SuppressBlank {
    fn apply(&self, sampled: &[u32], logits: &mut [f32]) {
        if !sampled.is_empty() {
            return;
        }
        for &token in &self.tokens {
            super::forbid(logits, token as usize..=token as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_token_is_filtered() {
        let filter = SuppressBlank::new(vec![1, 3]);
        let mut logits = [0.0; 4];
        filter.apply(&[2], &mut logits);
        assert_eq!(logits, [0.0; 4]);
        filter.apply(&[], &mut logits);
        assert_eq!(logits, [0.0, f32::NEG_INFINITY, 0.0, f32::NEG_INFINITY]);
    }
}
