//! Decodes windows with one set of options: prompt, filters, and the loop over tokens.

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::filters::{LogitFilter, SuppressBlank, SuppressTokens, TimestampRules};
use super::greedy::{choose, probability};
use super::{DecodingOptions, DecodingResult};
use crate::model::{DecoderState, WhisperModel};
use crate::text::{compression_ratio, python_round, python_strip};
use crate::tokenizer::Tokenizer;
use crate::{Error, Result};

/// Everything that does not change from window to window.
pub struct DecodingTask<'a> {
    model: &'a WhisperModel,
    tokenizer: &'a Tokenizer,
    device: &'a Device,
    sot_sequence: Vec<u32>,
    filters: Vec<Box<dyn LogitFilter>>,
    sample_len: usize,
}

/// Seconds per timestamp token: the encoder halves 100 frames a second (decoding.py:560).
pub(crate) const SECONDS_PER_TIMESTAMP: f64 = 0.02;

impl<'a> DecodingTask<'a> {
    /// Prepares prompt and filters.
    ///
    /// # Errors
    ///
    /// [`Error::Language`] when the model does not know the language, [`Error::Option`] when a token
    /// to suppress is not in the vocabulary.
    pub fn new(
        model: &'a WhisperModel,
        tokenizer: &'a Tokenizer,
        device: &'a Device,
        options: &DecodingOptions,
    ) -> Result<Self> {
        let mut sot_sequence = tokenizer.sot_sequence(options.language.as_deref(), options.task)?;
        if options.without_timestamps {
            sot_sequence.push(tokenizer.no_timestamps());
        }
        Ok(Self {
            model,
            tokenizer,
            device,
            sot_sequence,
            filters: filters(tokenizer, options)?,
            sample_len: options.sample_len.unwrap_or(model.decoder.n_ctx() / 2),
        })
    }

    /// Decodes one window greedily.
    ///
    /// `prompt` is the text before the window; its last 223 tokens are used.
    ///
    /// # Shapes
    ///
    /// - state: begun on one window; its positions are written from the start
    ///
    /// # Errors
    ///
    /// [`Error::Device`] when the logits cannot be read back.
    pub fn decode(&self, prompt: &[u32], state: &mut DecoderState) -> Result<DecodingResult> {
        let n_ctx = self.model.decoder.n_ctx();
        let mut tokens = self.initial_tokens(prompt);
        let sample_begin = tokens.len();
        let sot_index = sample_begin - self.sot_sequence.len();
        let eot = self.tokenizer.eot();

        state.rewind();
        let (mut logits, sot_logits) = self.first_logits(&tokens, sot_index, state)?;
        let no_speech_prob = probability(&sot_logits, self.tokenizer.no_speech());

        let mut sum_logprobs = 0.0;
        for step in 0..self.sample_len {
            if step > 0 {
                let last = &tokens[tokens.len() - 1..];
                logits = read(self.model.decoder.logits(self.forward(last, state)))?;
            }
            for filter in &self.filters {
                filter.apply(&tokens[sample_begin..], &mut logits);
            }
            let choice = choose(&logits);
            sum_logprobs += choice.logprob;
            tokens.push(choice.token);
            if choice.token == eot || tokens.len() > n_ctx {
                break;
            }
        }

        let sampled = &tokens[sample_begin..];
        let end = sampled.iter().position(|&token| token == eot);
        let sampled = &sampled[..end.unwrap_or(sampled.len())];
        let text = self.tokenizer.decode(sampled);
        let text = python_strip(&text).to_owned();
        Ok(DecodingResult {
            tokens: sampled.to_vec(),
            avg_logprob: sum_logprobs / (sampled.len() + 1) as f64,
            no_speech_prob,
            temperature: 0.0,
            compression_ratio: compression_ratio(&text),
            text,
        })
    }

    /// The prompt's tail behind its marker, then the start sequence (decoding.py:588-616).
    fn initial_tokens(&self, prompt: &[u32]) -> Vec<u32> {
        let longest = self.model.decoder.n_ctx() / 2 - 1;
        let mut tokens = Vec::new();
        if !prompt.is_empty() {
            tokens.push(self.tokenizer.sot_prev());
            tokens.extend(&prompt[prompt.len().saturating_sub(longest)..]);
        }
        tokens.extend(&self.sot_sequence);
        tokens
    }

    /// Runs the whole prompt; returns the logits after its last token and those at the start of
    /// transcript, which tell whether there is speech.
    fn first_logits(
        &self,
        tokens: &[u32],
        sot_index: usize,
        state: &mut DecoderState,
    ) -> Result<(Vec<f32>, Vec<f32>)> {
        let hidden = self.forward(tokens, state);
        let positions = TensorData::new(vec![tokens.len() as i64 - 1, sot_index as i64], [2]);
        let positions = Tensor::<1, Int>::from_data(positions, self.device);
        let mut logits = read(self.model.decoder.logits(hidden.select(1, positions)))?;
        let sot_logits = logits.split_off(logits.len() / 2);
        Ok((logits, sot_logits))
    }

    fn forward(&self, tokens: &[u32], state: &mut DecoderState) -> Tensor<3> {
        let ids: Vec<i64> = tokens.iter().map(|&token| i64::from(token)).collect();
        let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [1, tokens.len()]), self.device);
        self.model.decoder.forward(ids, state)
    }
}

/// The filters in openai/whisper's order: blank, tokens, timestamps (decoding.py:551-570).
fn filters(tokenizer: &Tokenizer, options: &DecodingOptions) -> Result<Vec<Box<dyn LogitFilter>>> {
    let mut filters: Vec<Box<dyn LogitFilter>> = Vec::new();
    if options.suppress_blank {
        let mut tokens = tokenizer.blank_tokens()?;
        tokens.push(tokenizer.eot());
        filters.push(Box::new(SuppressBlank::new(tokens)));
    }
    filters.push(Box::new(SuppressTokens::new(suppressed(
        tokenizer, options,
    )?)));
    if !options.without_timestamps {
        let index = |seconds: f64| python_round(seconds / SECONDS_PER_TIMESTAMP).max(0) as usize;
        filters.push(Box::new(TimestampRules {
            eot: tokenizer.eot(),
            no_timestamps: tokenizer.no_timestamps(),
            timestamp_begin: tokenizer.timestamp_begin(),
            max_initial_timestamp_index: options.max_initial_timestamp.map(index),
        }));
    }
    Ok(filters)
}

/// The tokens that are never sampled (decoding.py:618-646): the user's, and those that only belong in
/// the start sequence. Language tokens are not among them.
fn suppressed(tokenizer: &Tokenizer, options: &DecodingOptions) -> Result<Vec<u32>> {
    let mut tokens = vec![
        tokenizer.transcribe(),
        tokenizer.translate(),
        tokenizer.sot(),
        tokenizer.sot_prev(),
        tokenizer.sot_lm(),
        tokenizer.no_speech(),
    ];
    for &token in &options.suppress_tokens {
        match u32::try_from(token) {
            Ok(token) => tokens.push(token),
            Err(_) if token == -1 => tokens.extend(tokenizer.non_speech_tokens()?),
            Err(_) => {
                return Err(Error::Option(format!(
                    "suppress_tokens: {token} is no token id; ids are 0 or more, or -1 for the non-speech symbols"
                )));
            }
        }
    }
    tokens.sort_unstable();
    tokens.dedup();
    Ok(tokens)
}

/// Reads logits from the device.
///
/// # Shapes
///
/// - logits: `[batch, n, n_vocab]`, flattened in the result
pub(super) fn read(logits: Tensor<3>) -> Result<Vec<f32>> {
    let failed = |error: String| Error::Device(format!("cannot read the logits: {error}"));
    let data = logits
        .try_into_data_as::<f32>()
        .map_err(|error| failed(error.to_string()))?;
    data.try_into_vec::<f32>()
        .map_err(|error| failed(format!("{error:?}")))
}
