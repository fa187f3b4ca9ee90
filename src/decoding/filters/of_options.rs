//! The filters that a window's options ask for.

use super::{
    FilterChain, NoRepeatNgram, RepetitionPenalty, SuppressBlank, SuppressTokens, TimestampRules,
};
use crate::decoding::{DecodingOptions, SECONDS_PER_TIMESTAMP};
use crate::text::python_round;
use crate::tokenizer::Tokenizer;
use crate::{Error, Result};

/// The filters in the order that [`filters`](super) documents.
pub(in crate::decoding) fn filters(
    tokenizer: &Tokenizer,
    options: &DecodingOptions,
) -> Result<FilterChain> {
    let mut filters = FilterChain::default();
    if options.repetition_penalty != 1.0 {
        filters.push(RepetitionPenalty::new(options.repetition_penalty));
    }
    if options.no_repeat_ngram_size > 0 {
        filters.push(NoRepeatNgram::new(options.no_repeat_ngram_size));
    }
    filters.extend(&options.logit_filters);
    if options.suppress_blank {
        let mut tokens = tokenizer.blank_tokens();
        tokens.push(tokenizer.eot());
        filters.push(SuppressBlank::new(tokens));
    }
    if !options.suppress_tokens.is_empty() {
        filters.push(SuppressTokens::new(suppressed(tokenizer, options)?));
    }
    if !options.without_timestamps {
        let index = |seconds: f64| python_round(seconds / SECONDS_PER_TIMESTAMP).max(0) as usize;
        // To Python 0 is false, as None is (decoding.py:563).
        let max_initial_timestamp = (options.max_initial_timestamp).filter(|&s| s != 0.0);
        filters.push(TimestampRules {
            eot: tokenizer.eot(),
            no_timestamps: tokenizer.no_timestamps(),
            timestamp_begin: tokenizer.timestamp_begin(),
            max_initial_timestamp_index: max_initial_timestamp.map(index),
        });
    }
    Ok(filters)
}

/// The tokens that are never sampled where the user gives any (decoding.py:618-646): these, and those that only belong
/// in the start sequence. Language tokens are not among them.
fn suppressed(tokenizer: &Tokenizer, options: &DecodingOptions) -> Result<Vec<u32>> {
    let mut tokens = vec![
        tokenizer.transcribe(),
        tokenizer.translate(),
        tokenizer.sot(),
        tokenizer.sot_prev(),
        tokenizer.sot_lm(),
        tokenizer.no_speech(),
    ];
    let n_vocab = tokenizer.n_vocab();
    for &token in &options.suppress_tokens {
        match u32::try_from(token) {
            Ok(token) if (token as usize) < n_vocab => tokens.push(token),
            _ if token == -1 => tokens.extend(tokenizer.non_speech_tokens()),
            _ => {
                return Err(Error::Option(format!(
                    "suppress_tokens: {token} is not among the {n_vocab} tokens of this model; \
                     give ids from 0 to {}, or -1 for the non-speech symbols",
                    n_vocab - 1
                )));
            }
        }
    }
    tokens.sort_unstable();
    tokens.dedup();
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::decoding::filters::{FilterContext, LogitFilter};
    use crate::decoding::testing::DIMS;
    use crate::tokenizer::testing::tokenizer;

    /// The tokens that the filters of these options allow to be first.
    fn first_tokens(options: &DecodingOptions) -> Vec<u32> {
        let mut logits = vec![0.0; DIMS.n_vocab];
        let filters = filters(tokenizer(DIMS.n_vocab), options).unwrap();
        filters.apply(&FilterContext::new(&[]), &mut logits);
        (0..DIMS.n_vocab as u32)
            .filter(|&token| logits[token as usize] > f32::NEG_INFINITY)
            .collect()
    }

    #[test]
    fn an_empty_list_suppresses_nothing_and_any_other_the_special_tokens_too() {
        let allowed = |suppress_tokens| {
            first_tokens(&DecodingOptions {
                suppress_blank: false,
                without_timestamps: true,
                suppress_tokens,
                ..DecodingOptions::default()
            })
        };
        assert_eq!(allowed(vec![]).len(), DIMS.n_vocab);
        assert_eq!(allowed(vec![50]).len(), DIMS.n_vocab - 1 - 6);
        assert!(!allowed(vec![50]).contains(&tokenizer(DIMS.n_vocab).no_speech()));
        assert!(allowed(vec![-1, 50]).len() < DIMS.n_vocab - 1 - 6);
    }

    #[test]
    fn a_latest_first_timestamp_of_0_is_no_limit() {
        let latest = |max_initial_timestamp| {
            let tokens = first_tokens(&DecodingOptions {
                max_initial_timestamp,
                ..DecodingOptions::default()
            });
            tokens.last().unwrap() - tokenizer(DIMS.n_vocab).timestamp_begin()
        };
        assert_eq!(latest(Some(1.0)), 50);
        assert_eq!(latest(Some(0.03)), 2, "1.5 steps are 2, as to Python");
        assert_eq!(latest(Some(0.001)), 0);
        assert_eq!(latest(Some(0.0)), 1500);
        assert_eq!(latest(None), 1500);
    }

    #[test]
    fn openais_filters_alone_can_be_on_the_device() {
        let device = Device::flex();
        let chain = |options: &DecodingOptions| {
            let tokenizer = tokenizer(DIMS.n_vocab);
            (filters(tokenizer, options).unwrap()).on_device(DIMS.n_vocab, &device)
        };
        assert!(chain(&DecodingOptions::default()).is_some());
        let penalised = DecodingOptions {
            repetition_penalty: 1.2,
            ..DecodingOptions::default()
        };
        assert!(chain(&penalised).is_none());
    }
}
