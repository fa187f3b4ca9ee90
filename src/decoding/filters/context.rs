//! What a filter knows of the row whose next token is chosen.

/// The tokens of one row up to the one that is chosen next.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct FilterContext<'a> {
    /// What stands before the text: the context of earlier windows, and the start sequence.
    pub prompt: &'a [u32],
    /// The tokens that the text of the window was made to begin with, by the option `prefix`.
    pub prefix: &'a [u32],
    /// The tokens sampled in this window so far, timestamps among them.
    pub sampled: &'a [u32],
}

impl<'a> FilterContext<'a> {
    /// A row without prompt and prefix that has sampled these tokens.
    pub fn new(sampled: &'a [u32]) -> Self {
        Self {
            sampled,
            ..Self::default()
        }
    }

    /// Number of the step, from 0: how many tokens have been sampled.
    pub fn step(&self) -> usize {
        self.sampled.len()
    }

    /// The tokens of the window so far: the prefix and what was sampled after it.
    pub fn tokens(&self) -> impl DoubleEndedIterator<Item = u32> + Clone + use<'a> {
        self.prefix.iter().chain(self.sampled).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_is_text_but_no_step() {
        let context = FilterContext {
            prompt: &[9, 9],
            prefix: &[1, 2],
            sampled: &[3],
        };
        assert_eq!(context.step(), 1);
        assert!(context.tokens().eq([1, 2, 3]));
        assert_eq!(context.tokens().next_back(), Some(3));
    }
}
