//! Decodes windows with one set of options: prompt, filters, and the loop over tokens.

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::beam_search::BeamSearch;
use super::filters::{LogitFilter, SuppressBlank, SuppressTokens, TimestampRules};
use super::greedy::{DrawSeed, Greedy};
use super::hypothesis::{Hypothesis, TokenDecoder};
use super::probability::probability;
use super::{DecodingOptions, DecodingResult, ranking};
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
    options: DecodingOptions,
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
            options: options.clone(),
        })
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
    /// [`Error::Device`] when the logits cannot be read back, [`Error::Option`] when prompt and prefix
    /// leave no room for text.
    pub fn decode(
        &self,
        prompt: &[u32],
        temperature: f64,
        window: u64,
        state: &mut DecoderState,
    ) -> Result<DecodingResult> {
        let initial = self.initial_tokens(prompt)?;
        state.rewind();
        let (first_logits, sot_logits) = self.first_logits(&initial, state)?;
        let no_speech_prob = probability(&sot_logits, self.tokenizer.no_speech());

        let (mut decoder, mut rows) = self.start(temperature, window);
        let mut logits = first_logits.repeat(rows.len());
        for step in 0..self.sample_len {
            if step > 0 {
                logits = self.next_logits(&rows, state)?;
            }
            let n_vocab = logits.len() / rows.len();
            for (row, logits) in rows.iter().zip(logits.chunks_exact_mut(n_vocab)) {
                for filter in &self.filters {
                    filter.apply(&row.tokens, logits);
                }
            }
            let row_logits: Vec<&[f32]> = logits.chunks_exact(n_vocab).collect();
            let done = decoder.update(&mut rows, &row_logits);
            if done.completed || initial.len() + step + 1 > self.model.decoder.n_ctx() {
                break;
            }
            // The prompt was read in one row, which all rows of the first step share.
            let sources = if step == 0 {
                vec![0; done.sources.len()]
            } else {
                done.sources
            };
            state.select_rows(&sources);
        }
        let candidates = decoder.finalize(rows);
        self.result(&candidates, temperature, no_speech_prob)
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
        let best = ranking::best(candidates, eot, self.options.length_penalty)
            .ok_or_else(|| Error::Model("decoding found no candidate".to_owned()))?;
        let Hypothesis {
            tokens,
            sum_logprob,
        } = &candidates[best];
        let end = tokens.iter().position(|&token| token == eot);
        let tokens = tokens[..end.unwrap_or(tokens.len())].to_vec();
        let text = self.tokenizer.decode(&tokens);
        let text = python_strip(&text).to_owned();
        Ok(DecodingResult {
            avg_logprob: f64::from(*sum_logprob) / (tokens.len() + 1) as f64,
            tokens,
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
    fn initial_tokens(&self, prompt: &[u32]) -> Result<Vec<u32>> {
        let n_ctx = self.model.decoder.n_ctx();
        let mut tokens = Vec::new();
        if !prompt.is_empty() {
            tokens.push(self.tokenizer.sot_prev());
            tokens.extend(tail(prompt, n_ctx / 2 - 1));
        }
        tokens.extend(&self.sot_sequence);
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
        Ok(tokens)
    }

    /// Runs the whole prompt; returns the logits after its last token and those at the start of
    /// transcript, which tell whether there is speech.
    fn first_logits(
        &self,
        initial: &[u32],
        state: &mut DecoderState,
    ) -> Result<(Vec<f32>, Vec<f32>)> {
        let sot = self.tokenizer.sot();
        let sot_index = initial.iter().rposition(|&token| token == sot).unwrap_or(0);
        let hidden = self.forward(initial, 1, state);
        let positions = TensorData::new(vec![initial.len() as i64 - 1, sot_index as i64], [2]);
        let positions = Tensor::<1, Int>::from_data(positions, self.device);
        let mut logits = read(self.model.decoder.logits(hidden.select(1, positions)))?;
        let sot_logits = logits.split_off(logits.len() / 2);
        Ok((logits, sot_logits))
    }

    /// Runs the last token of each row; returns `[rows, n_vocab]`, flattened.
    fn next_logits(&self, rows: &[Hypothesis], state: &mut DecoderState) -> Result<Vec<f32>> {
        let last: Vec<u32> = (rows.iter())
            .filter_map(|row| row.tokens.last().copied())
            .collect();
        let hidden = self.forward(&last, rows.len(), state);
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

/// The last `n` tokens.
fn tail(tokens: &[u32], n: usize) -> &[u32] {
    &tokens[tokens.len().saturating_sub(n)..]
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
