//! Decodes windows with one set of options: prompt, filters, and the loop over tokens.

use burn::tensor::{Device, Int, Tensor, TensorData};
use whisper_kernels::softmax::probability;

use super::beam_search::BeamSearch;
use super::cache_rows::CacheRows;
use super::filters::{DeviceFilterChain, FilterChain, FilterContext, LogitFilter, filters};
use super::greedy::{DrawSeed, Greedy};
use super::hypothesis::{Hypothesis, TokenDecoder};
use super::initial_tokens::{InitialTokens, sot_sequence, tail};
use super::logits::{check_finite, read};
use super::on_device::GreedyOnDevice;
use super::{DecodingOptions, DecodingResult, ranking};
use crate::device::is_gpu;
use crate::model::{DecoderState, WhisperModel};
use crate::text::{compression_ratio, python_strip};
use crate::tokenizer::Tokenizer;
use crate::{CancelToken, Error, Result};

/// Everything that does not change from window to window.
pub struct DecodingTask<'a> {
    model: &'a WhisperModel,
    tokenizer: &'a Tokenizer,
    device: &'a Device,
    sot_sequence: Vec<u32>,
    filters: FilterChain,
    /// The same filters where the logits are, if that is not in the host's memory and all of them can be there.
    filters_on_device: Option<DeviceFilterChain>,
    sample_len: usize,
    options: DecodingOptions,
    cancel: CancelToken,
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
        let filters = filters(tokenizer, options)?;
        let filters_on_device = is_gpu(device)
            .then(|| filters.on_device(tokenizer.n_vocab(), device))
            .flatten();
        Ok(Self {
            model,
            tokenizer,
            device,
            sot_sequence: sot_sequence(tokenizer, options)?,
            filters,
            filters_on_device,
            sample_len: options.sample_len.unwrap_or(model.decoder.n_ctx() / 2),
            options: options.clone(),
            cancel: CancelToken::new(),
        })
    }

    /// The same, but a window is given up once `token` is cancelled.
    #[must_use]
    pub fn until(mut self, token: &CancelToken) -> Self {
        self.cancel = token.clone();
        self
    }

    /// Decodes the next windows as another language, by its code.
    ///
    /// # Errors
    ///
    /// [`Error::Language`] when the model does not know it; the language stays what it was.
    pub fn set_language(&mut self, language: &str) -> Result<()> {
        let options = DecodingOptions {
            language: Some(language.to_owned()),
            ..self.options.clone()
        };
        self.sot_sequence = sot_sequence(self.tokenizer, &options)?;
        self.options = options;
        Ok(())
    }

    /// The filters that every step's logits go through. Where all of them
    /// [can](FilterChain::on_device) be on a device, logits need not be read to be filtered.
    pub fn filters(&self) -> &FilterChain {
        &self.filters
    }

    /// Decodes one window at a temperature: greedily or by beam search at 0, above it by drawing
    /// `best_of` samples, the best of which is the result.
    ///
    /// `prompt` is the text before the window; its last 223 tokens are used. `window` tells windows
    /// apart for the random draws.
    ///
    /// # Shapes
    ///
    /// - state: begun on one window, with a row for each beam or sample; its positions are written from the start
    ///
    /// # Errors
    ///
    /// [`Error::Device`] when the logits cannot be read back, [`Error::Model`] when they are not numbers,
    /// [`Error::Option`] when prompt and prefix leave no room for text, every token is suppressed, or a filter of the
    /// user's gives what is no number, [`Error::Cancelled`] when it was [cancelled](Self::until).
    pub fn decode(
        &self,
        prompt: &[u32],
        temperature: f64,
        window: u64,
        state: &mut DecoderState,
    ) -> Result<DecodingResult> {
        let initial = self.initial_tokens(prompt)?;
        self.cancel.check()?;
        state.rewind();
        if temperature == 0.0
            && self.options.beam_size.is_none()
            && let Some(filters) = &self.filters_on_device
        {
            return self.decode_on_device(&initial.tokens, filters, state);
        }
        let (first_logits, sot_logits) = self.first_logits(&initial.tokens, state)?;
        let no_speech_prob = probability(&sot_logits, self.tokenizer.no_speech());

        let (mut decoder, mut rows) = self.start(temperature, window);
        // The prompt was read in one row, from which all rows of the first step go on.
        let mut cache_rows = CacheRows::one();
        let mut logits = first_logits.repeat(rows.len());
        for step in 0..self.sample_len {
            if step > 0 {
                self.cancel.check()?;
                logits = self.next_logits(&rows, &cache_rows, state)?;
            }
            let n_vocab = logits.len() / rows.len();
            let mut row_logits: Vec<&mut [f32]> = logits.chunks_exact_mut(n_vocab).collect();
            if step > 0 {
                row_logits = ordered(row_logits, cache_rows.of_hypotheses());
            }
            for (row, logits) in rows.iter().zip(&mut row_logits) {
                self.filter(initial.context(row), logits)?;
            }
            let row_logits: Vec<&[f32]> = row_logits.into_iter().map(|row| &*row).collect();
            if row_logits.iter().all(|logits| none_allowed(logits)) {
                // What was finished before stands.
                rows.clear();
                break;
            }
            let done = decoder.update(&mut rows, &row_logits);
            if done.completed || initial.tokens.len() + step + 1 > self.model.decoder.n_ctx() {
                break;
            }
            let sources = if step == 0 {
                vec![0; done.sources.len()]
            } else {
                done.sources
            };
            state.select_rows(&cache_rows.advance(&sources));
        }
        let candidates = decoder.finalize(rows);
        self.result(&candidates, temperature, no_speech_prob)
    }

    /// Decodes greedily with logits that are never read.
    fn decode_on_device(
        &self,
        initial: &[u32],
        filters: &DeviceFilterChain,
        state: &mut DecoderState,
    ) -> Result<DecodingResult> {
        let greedy = GreedyOnDevice {
            model: self.model,
            device: self.device,
            filters,
            eot: self.tokenizer.eot(),
            no_speech: self.tokenizer.no_speech(),
            sample_len: self.sample_len,
            cancel: &self.cancel,
        };
        let sampled = greedy.decode(initial, self.sot_index(initial), state)?;
        let candidates: Vec<_> = sampled.hypothesis.into_iter().collect();
        self.result(&candidates, 0.0, sampled.no_speech_prob)
    }

    /// Filters one row's logits, and refuses what the user's own filters may have made of them.
    fn filter(&self, context: FilterContext<'_>, logits: &mut [f32]) -> Result<()> {
        self.filters.apply(&context, logits);
        let no_number = |logit: &f32| logit.is_nan() || *logit == f32::INFINITY;
        if !self.options.logit_filters.is_empty() && logits.iter().any(no_number) {
            return Err(Error::Option(format!(
                "logit_filters: a filter gave a logit that is no number; forbid tokens with negative infinity (filters: {:?})",
                self.options.logit_filters
            )));
        }
        Ok(())
    }

    /// The token decoder for a temperature, and the rows that it begins with: at temperature 0 `best_of`
    /// means nothing, and above it beams and patience do (transcribe.py:195-202).
    fn start(&self, temperature: f64, window: u64) -> (Box<dyn TokenDecoder>, Vec<Hypothesis>) {
        let eot = self.tokenizer.eot();
        let options = &self.options;
        match options.beam_size {
            Some(beam_size) if temperature == 0.0 => {
                let decoder = BeamSearch::new(eot, beam_size, options.patience.unwrap_or(1.0));
                // All beams are the same before the first token: one stands for them.
                (Box::new(decoder), vec![Hypothesis::empty()])
            }
            _ => {
                let rows = match options.best_of {
                    Some(best_of) if temperature > 0.0 => best_of,
                    _ => 1,
                };
                let seed = DrawSeed {
                    seed: options.seed,
                    window,
                };
                let decoder = Greedy::new(eot, temperature, rows, seed);
                (Box::new(decoder), vec![Hypothesis::empty(); rows])
            }
        }
    }

    /// The best candidate and what it says (decoding.py:740-770).
    fn result(
        &self,
        candidates: &[Hypothesis],
        temperature: f64,
        no_speech_prob: f64,
    ) -> Result<DecodingResult> {
        let eot = self.tokenizer.eot();
        let best =
            ranking::best(candidates, eot, self.options.length_penalty).ok_or_else(|| {
                let source = match self.options.logit_filters.as_slice() {
                    [] => "suppress_tokens",
                    _ => "suppress_tokens, or a filter among logit_filters,",
                };
                Error::Option(format!(
                    "{source} leaves no token that the text could begin or go on with"
                ))
            })?;
        let Hypothesis {
            tokens,
            logprobs,
            sum_logprob,
        } = &candidates[best];
        let end = tokens.iter().position(|&token| token == eot);
        let tokens = tokens[..end.unwrap_or(tokens.len())].to_vec();
        let token_logprobs = logprobs[..tokens.len()].to_vec();
        let text = self.tokenizer.decode(&tokens);
        let text = python_strip(&text).to_owned();
        Ok(DecodingResult {
            avg_logprob: f64::from(*sum_logprob) / (tokens.len() + 1) as f64,
            tokens,
            token_logprobs,
            no_speech_prob,
            temperature,
            compression_ratio: compression_ratio(&text),
            text,
        })
    }

    /// The prompt's tail behind its marker, the start sequence, the prefix (decoding.py:588-616).
    ///
    /// openai/whisper means to cut the prefix to `n_ctx / 2 - sample_len` tokens; with its default of
    /// `n_ctx / 2` that is 0, by which its slice keeps the whole prefix.
    fn initial_tokens(&self, prompt: &[u32]) -> Result<InitialTokens> {
        let n_ctx = self.model.decoder.n_ctx();
        let mut tokens = Vec::new();
        if !prompt.is_empty() {
            tokens.push(self.tokenizer.sot_prev());
            tokens.extend(tail(prompt, n_ctx / 2 - 1));
        }
        tokens.extend(&self.sot_sequence);
        let prefix_begin = tokens.len();
        match (n_ctx / 2).saturating_sub(self.sample_len) {
            0 => tokens.extend(&self.options.prefix),
            longest => tokens.extend(tail(&self.options.prefix, longest)),
        }
        if tokens.len() >= n_ctx {
            return Err(Error::Option(format!(
                "prompt and prefix take {} tokens and leave none of the model's {n_ctx} for text; shorten the prefix",
                tokens.len()
            )));
        }
        Ok(InitialTokens {
            tokens,
            prefix_begin,
        })
    }

    /// Runs the whole prompt; returns the logits after its last token and those at the start of
    /// transcript, which tell whether there is speech.
    fn first_logits(
        &self,
        initial: &[u32],
        state: &mut DecoderState,
    ) -> Result<(Vec<f32>, Vec<f32>)> {
        let sot_index = self.sot_index(initial);
        let hidden = self.forward(initial, 1, state);
        let positions = TensorData::new(vec![initial.len() as i64 - 1, sot_index as i64], [2]);
        let positions = Tensor::<1, Int>::from_data(positions, self.device);
        let mut logits = read(self.model.decoder.logits(hidden.select(1, positions)))?;
        let sot_logits = logits.split_off(logits.len() / 2);
        check_finite(&logits)?;
        check_finite(&sot_logits)?;
        Ok((logits, sot_logits))
    }

    /// Where the start of transcript is among the initial tokens.
    fn sot_index(&self, initial: &[u32]) -> usize {
        let sot = self.tokenizer.sot();
        initial.iter().position(|&token| token == sot).unwrap_or(0)
    }

    /// Runs the last token of each hypothesis; returns `[rows, n_vocab]`, flattened, in the order of the caches' rows.
    fn next_logits(
        &self,
        hypotheses: &[Hypothesis],
        cache_rows: &CacheRows,
        state: &mut DecoderState,
    ) -> Result<Vec<f32>> {
        let eot = self.tokenizer.eot();
        let last = (hypotheses.iter()).map(|hypothesis| *hypothesis.tokens.last().unwrap_or(&eot));
        let last = cache_rows.by_row(last, eot);
        let hidden = self.forward(&last, last.len(), state);
        read(self.model.decoder.logits(hidden))
    }

    /// # Shapes
    ///
    /// - tokens: `[rows, n]`, flattened
    /// - output: `[rows, n, n_state]`
    fn forward(&self, tokens: &[u32], rows: usize, state: &mut DecoderState) -> Tensor<3> {
        let ids: Vec<i64> = tokens.iter().map(|&token| i64::from(token)).collect();
        let ids = TensorData::new(ids, [rows, tokens.len() / rows]);
        let ids = Tensor::<2, Int>::from_data(ids, self.device);
        self.model.decoder.forward(ids, state)
    }
}

/// Rows of logits in the order of the hypotheses, of which each has a row.
fn ordered<'a>(rows: Vec<&'a mut [f32]>, of_hypotheses: &[usize]) -> Vec<&'a mut [f32]> {
    let mut rows: Vec<Option<&mut [f32]>> = rows.into_iter().map(Some).collect();
    (of_hypotheses.iter())
        .filter_map(|&row| rows[row].take())
        .collect()
}

/// Whether all tokens are forbidden.
fn none_allowed(logits: &[f32]) -> bool {
    logits.iter().all(|&logit| logit == f32::NEG_INFINITY)
}

#[cfg(test)]
mod tests;
