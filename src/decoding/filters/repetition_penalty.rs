//! Tokens that the window has already become less probable.

use super::{FilterContext, LogitFilter};

/// Divides the positive logits of tokens that the window has already by a penalty, and multiplies the negative ones with
/// it (Keskar et al., arXiv 1909.05858, with the usual correction for negative logits).
///
/// faster-whisper's `repetition_penalty`, which CTranslate2 does (`src/decoding_utils.cc`, `RepetitionPenalty::apply`, with
/// `primitives::penalize_previous_tokens`): over the prefix and what was sampled after it, timestamps among them, once for
/// each token however often it occurs, and before all other filters.
#[derive(Clone, Copy, Debug)]
pub struct RepetitionPenalty {
    penalty: f32,
}

impl RepetitionPenalty {
    /// Above 1 repetition becomes less probable, below 1 more.
    pub fn new(penalty: f64) -> Self {
        Self {
            penalty: penalty as f32,
        }
    }
}

impl LogitFilter for RepetitionPenalty {
    fn apply(&self, context: &FilterContext<'_>, logits: &mut [f32]) {
        let mut tokens: Vec<u32> = context.tokens().collect();
        tokens.sort_unstable();
        tokens.dedup();
        for token in tokens {
            if let Some(logit) = logits.get_mut(token as usize) {
                *logit = if *logit < 0.0 {
                    *logit * self.penalty
                } else {
                    *logit / self.penalty
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_penalised_once_whatever_their_sign() {
        let mut logits = [4.0, -4.0, 4.0, -4.0, 4.0];
        let context = FilterContext {
            prompt: &[4],
            prefix: &[0],
            sampled: &[1, 1, 1, 99],
        };
        RepetitionPenalty::new(2.0).apply(&context, &mut logits);
        assert_eq!(logits, [2.0, -8.0, 4.0, -4.0, 4.0]);
    }

    #[test]
    fn a_forbidden_token_stays_forbidden() {
        let mut logits = [f32::NEG_INFINITY, 1.0];
        RepetitionPenalty::new(0.5).apply(&FilterContext::new(&[0, 1]), &mut logits);
        assert_eq!(logits, [f32::NEG_INFINITY, 2.0]);
    }
}
