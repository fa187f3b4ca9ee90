//! No sequence of tokens comes twice in a window.

use super::{FilterContext, LogitFilter, forbid};

/// Forbids every token that would complete a sequence of `size` tokens that the window has already, timestamps counted in.
///
/// faster-whisper's `no_repeat_ngram_size`, which CTranslate2 does (`src/decoding_utils.cc`, `NoRepeatNgram::apply`): over
/// the prefix and what was sampled after it.
#[derive(Clone, Copy, Debug)]
pub struct NoRepeatNgram {
    size: usize,
}

impl NoRepeatNgram {
    /// Forbids repetitions of sequences of `size` tokens; 0 forbids none.
    pub fn new(size: usize) -> Self {
        Self { size }
    }
}

impl LogitFilter for NoRepeatNgram {
    fn apply(&self, context: &FilterContext<'_>, logits: &mut [f32]) {
        let tokens: Vec<u32> = context.tokens().collect();
        if self.size == 0 || tokens.len() < self.size {
            return;
        }
        let begun = &tokens[tokens.len() + 1 - self.size..];
        for ngram in tokens.windows(self.size) {
            let (last, before) = (ngram[self.size - 1] as usize, &ngram[..self.size - 1]);
            if before == begun {
                forbid(logits, last);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tokens of 0..6 that are forbidden.
    fn forbidden(size: usize, prefix: &[u32], sampled: &[u32]) -> Vec<usize> {
        let mut logits = [0.0; 6];
        let context = FilterContext {
            prompt: &[0, 1, 2, 3],
            prefix,
            sampled,
        };
        NoRepeatNgram::new(size).apply(&context, &mut logits);
        (0..6)
            .filter(|&id| logits[id] == f32::NEG_INFINITY)
            .collect()
    }

    #[test]
    fn what_would_complete_a_known_sequence_is_forbidden() {
        assert_eq!(forbidden(3, &[], &[1, 2, 3, 1, 2]), [3]);
        assert_eq!(forbidden(3, &[], &[1, 2, 3, 1, 2, 4, 1, 2]), [3, 4]);
        assert_eq!(forbidden(2, &[], &[5, 5]), [5], "sequences may overlap");
        assert_eq!(forbidden(1, &[], &[4, 2]), [2, 4]);
    }

    #[test]
    fn the_prefix_counts_and_the_prompt_does_not() {
        assert_eq!(forbidden(2, &[1, 2], &[1]), [2]);
        assert!(forbidden(2, &[], &[1]).is_empty());
    }

    #[test]
    fn nothing_is_forbidden_before_there_is_a_sequence_or_when_it_is_off() {
        assert!(forbidden(3, &[], &[1, 1]).is_empty());
        assert!(forbidden(0, &[], &[1, 1, 1]).is_empty());
        assert!(forbidden(1, &[], &[]).is_empty());
    }
}
