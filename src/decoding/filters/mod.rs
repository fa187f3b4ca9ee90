//! Logit filters: rules that change the logits of the next token before one is chosen.
//!
//! A [`LogitFilter`] changes one row on the host. Those of openai/whisper also have a form that works on a tensor of all
//! rows where it lies, a [`DeviceFilter`]. A [`FilterChain`] is what a window is decoded with; its order is
//!
//! 1. [`RepetitionPenalty`] and [`NoRepeatNgram`], where they are asked for, as in CTranslate2;
//! 2. the user's own filters ([`DecodingOptions::logit_filters`](super::DecodingOptions::logit_filters)), as given;
//! 3. [`SuppressBlank`], [`SuppressTokens`] and [`TimestampRules`], as in openai/whisper (decoding.py:551-570).
//!
//! So a filter of one's own sees all tokens of the model and may change any, and yet cannot break the rules: what
//! openai/whisper forbids stays forbidden, and its comparison of timestamps with text takes the changed logits.

mod chain;
mod context;
mod device;
mod no_repeat_ngram;
mod of_options;
mod repetition_penalty;
mod suppress_blank;
mod suppress_tokens;
mod timestamp_rules;

use std::fmt::Debug;

use burn::tensor::Device;

pub use chain::{DeviceFilterChain, FilterChain};
pub use context::FilterContext;
pub use device::{DeviceFilter, LaterFilter};
pub use no_repeat_ngram::NoRepeatNgram;
pub(super) use of_options::filters;
pub use repetition_penalty::RepetitionPenalty;
pub use suppress_blank::SuppressBlank;
pub use suppress_tokens::SuppressTokens;
pub use timestamp_rules::TimestampRules;
pub use whisper_kernels::Progress;

/// A rule applied to the logits of the next token.
///
/// It is called once for every row of every step: for the one row of greedy decoding, for each sample, and for each
/// hypothesis of a beam search, with that row's own tokens. What it gives should depend on its arguments alone, since rows
/// may be dropped, doubled and reordered between steps, and a window may be decoded again at another temperature.
///
/// The log-probabilities of a result are those of the filtered logits: a token that a filter favours makes its text look
/// surer to the thresholds.
///
/// A filter has to have the form for the host; the one for a device, [`on_device`](Self::on_device), is for speed: greedy decoding
/// on a GPU takes it when all filters have it. Beams, samples, and a chain with a filter of the host's form alone are filtered on
/// the host, which reads the logits of each step from the device first: `[rows, n_vocab]` in f32, some 200 kB a row.
/// [`RepetitionPenalty`] and [`NoRepeatNgram`] have that form alone: what they change depends on all tokens of a row.
///
/// ```
/// use whisper_rs::decoding::filters::{FilterContext, LogitFilter};
///
/// /// Keeps the model from ending a window before it has said something.
/// #[derive(Debug)]
/// struct AtLeast {
///     tokens: usize,
///     end_of_text: u32,
/// }
///
/// impl LogitFilter for AtLeast {
///     fn apply(&self, context: &FilterContext<'_>, logits: &mut [f32]) {
///         if context.step() < self.tokens {
///             logits[self.end_of_text as usize] = f32::NEG_INFINITY;
///         }
///     }
/// }
/// ```
pub trait LogitFilter: Debug + Send + Sync {
    /// Changes the logits of the next token: to negative infinity where one is forbidden, higher where it is favoured.
    /// Results have to be numbers or negative infinity, and some token has to stay allowed.
    ///
    /// # Shapes
    ///
    /// - logits: `[n_vocab]`
    fn apply(&self, context: &FilterContext<'_>, logits: &mut [f32]);

    /// The same rule as operations on a tensor, for logits of `n_vocab` tokens that stay on `device`; `None`, as it is
    /// unless overridden, when the rule works on the host alone. Both forms have to allow the same tokens: which of them is used
    /// is the decoder's choice.
    fn on_device(&self, _n_vocab: usize, _device: &Device) -> Option<Box<dyn DeviceFilter>> {
        None
    }
}

/// Forbids a token; one outside the vocabulary is ignored.
fn forbid(logits: &mut [f32], token: usize) {
    if let Some(logit) = logits.get_mut(token) {
        *logit = f32::NEG_INFINITY;
    }
}
