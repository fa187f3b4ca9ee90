//! What the tokens of a window begin with.

use super::DecodingOptions;
use super::filters::FilterContext;
use super::hypothesis::Hypothesis;
use crate::Result;
use crate::tokenizer::Tokenizer;

/// What a window's tokens begin with.
pub(super) struct InitialTokens {
    /// Prompt, start sequence and prefix.
    pub tokens: Vec<u32>,
    /// Where the prefix begins.
    pub prefix_begin: usize,
}

impl InitialTokens {
    /// What the filters are told of a row.
    pub fn context<'a>(&'a self, row: &'a Hypothesis) -> FilterContext<'a> {
        let (prompt, prefix) = self.tokens.split_at(self.prefix_begin);
        FilterContext {
            prompt,
            prefix,
            sampled: &row.tokens,
        }
    }
}

/// The start of transcript with language and task, and what switches timestamps off (decoding.py:523-527).
pub(super) fn sot_sequence(tokenizer: &Tokenizer, options: &DecodingOptions) -> Result<Vec<u32>> {
    let mut tokens = tokenizer.sot_sequence(options.language.as_deref(), options.task)?;
    if options.without_timestamps {
        tokens.push(tokenizer.no_timestamps());
    }
    Ok(tokens)
}

/// The last `n` tokens.
pub(super) fn tail(tokens: &[u32], n: usize) -> &[u32] {
    &tokens[tokens.len().saturating_sub(n)..]
}
