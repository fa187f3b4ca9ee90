//! Greedy decoding whose logits stay on their device: of each step the host reads 8 bytes, the token and its log-probability.

use burn::tensor::activation::log_softmax;
use burn::tensor::{DType, Device, FloatDType, Int, Tensor, TensorData};
use whisper_kernels::{Chosen, Progress, Repeated, most_probable, record};

use super::filters::{DeviceFilter, DeviceFilterChain, LaterFilter};
use super::hypothesis::Hypothesis;
use super::logits::check_number;
use crate::model::{DecoderState, WhisperModel};
use crate::{CancelToken, Error, Result};

/// What a window is decoded with.
pub(super) struct GreedyOnDevice<'a> {
    pub model: &'a WhisperModel,
    pub device: &'a Device,
    pub filters: &'a DeviceFilterChain,
    pub eot: u32,
    pub no_speech: u32,
    /// Most tokens to sample.
    pub sample_len: usize,
    /// Looked at before each step.
    pub cancel: &'a CancelToken,
}

/// What was sampled.
pub(super) struct Sampled {
    /// The text; `None` where the filters left no token that it could go on with.
    pub hypothesis: Option<Hypothesis>,
    /// Probability of the no-speech token at the start of transcript.
    pub no_speech_prob: f64,
}

impl GreedyOnDevice<'_> {
    /// Decodes one window, after the `initial` tokens, whose start of transcript is at `sot_index`.
    ///
    /// A step's token is the next step's input where it is: nothing goes up to the device but the initial tokens.
    ///
    /// # Errors
    ///
    /// [`Error::Device`] when a token cannot be read back, [`Error::Model`] when a log-probability is not a number,
    /// [`Error::Cancelled`] when it was cancelled.
    pub fn decode(
        &self,
        initial: &[u32],
        sot_index: usize,
        state: &mut DecoderState,
    ) -> Result<Sampled> {
        let sampled = match self.attempt(initial, sot_index, state) {
            // The tokens so far are lost with the memory that it would have written, and nothing is recorded any more.
            Err(Stopped::Recording(_)) => {
                state.renew();
                self.attempt(initial, sot_index, state)
            }
            sampled => sampled,
        };
        sampled.map_err(Error::from)
    }

    /// Decodes the window, unless a recording is given up meanwhile.
    fn attempt(
        &self,
        initial: &[u32],
        sot_index: usize,
        state: &mut DecoderState,
    ) -> Result<Sampled, Stopped> {
        let decoder = &self.model.decoder;
        let ids: Vec<i64> = initial.iter().map(|&token| i64::from(token)).collect();
        let ids = TensorData::new(ids, [1, initial.len()]);
        let hidden = decoder.forward(Tensor::from_data(ids, self.device), state);
        let at = |index: usize| row(decoder.logits(hidden.clone().narrow(1, index, 1)));
        let last = initial.len() - 1;
        let logits = at(last);
        // English models begin with the start of transcript alone.
        let at_sot = match sot_index == last {
            true => logits.clone(),
            false => at(sot_index),
        };
        let no_speech_prob = self.no_speech_prob(at_sot);

        let columns = [1, self.sample_len.max(1)];
        let mut place = Place {
            sampled: Tensor::zeros(columns, (self.device, DType::I32)),
            progress: Progress::new(initial.len() - 1, 0, self.device),
        };
        let logits = self.filters.apply(&place.sampled, 0, logits);
        let first = place.record(logits);
        let mut next = self.steps(place, state);
        let mut hypothesis = Hypothesis::empty();
        let mut report = first;
        for step in 0..self.sample_len {
            let Chosen { token, logprob } = read(report)?;
            let Some(token) = token else {
                return Ok(self.finish(None, no_speech_prob)?);
            };
            check_number(f64::from(logprob))?;
            hypothesis = hypothesis.extended(token, logprob);
            let full = initial.len() + step + 1 > decoder.n_ctx() || step + 1 == self.sample_len;
            if token == self.eot || full {
                break;
            }
            self.cancel.check()?;
            report = next()?;
        }
        drop(next);
        if self.later().is_some() {
            state.advance(hypothesis.tokens.len() - 1);
        }
        Ok(self.finish(Some(hypothesis), no_speech_prob)?)
    }

    /// The filters of the steps after the first, where these are all the same work: no filter has to know their numbers, and
    /// nor does the decoder. How far the caches are filled is then counted afterwards.
    fn later(&self) -> Option<Vec<&dyn LaterFilter>> {
        (self.filters.later()).filter(|_| self.model.decoder.has_newest())
    }

    /// The steps after the first, each of which gives the report of its token.
    fn steps<'b>(
        &'b self,
        mut place: Place,
        state: &'b mut DecoderState,
    ) -> Box<dyn FnMut() -> Result<Tensor<2, Int>, Stopped> + 'b> {
        let decoder = &self.model.decoder;
        match self.later() {
            Some(later) => {
                let step = move || {
                    let sampled = place.sampled.clone();
                    let hidden = decoder.forward_newest(sampled, &place.progress, state);
                    let logits = row(decoder.logits(hidden));
                    let filtered = later.iter().fold(logits, |logits, filter| {
                        filter.apply_later(&place.sampled, &place.progress, logits)
                    });
                    place.record(filtered)
                };
                let mut step = Repeated::new(self.device, step);
                Box::new(move || step.run().cloned().map_err(Stopped::Recording))
            }
            None => {
                let mut number = 0;
                Box::new(move || {
                    let newest = place.sampled.clone().narrow(1, number, 1);
                    number += 1;
                    let logits = row(decoder.logits(decoder.forward(newest, state)));
                    let filtered = self.filters.apply(&place.sampled, number, logits);
                    Ok(place.record(filtered))
                })
            }
        }
    }

    /// `[1]`: the probability of the no-speech token, still on the device.
    ///
    /// # Shapes
    ///
    /// - logits: `[1, n_vocab]`
    fn no_speech_prob(&self, logits: Tensor<2>) -> Tensor<2> {
        let logprobs = log_softmax(logits.cast(FloatDType::F32), 1);
        logprobs.narrow(1, self.no_speech as usize, 1).exp()
    }

    fn finish(&self, hypothesis: Option<Hypothesis>, no_speech_prob: Tensor<2>) -> Result<Sampled> {
        let no_speech_prob = no_speech_prob.try_into_data().map_err(unreadable)?;
        let no_speech_prob = no_speech_prob.iter::<f32>().next().unwrap_or(f32::NAN);
        let no_speech_prob = f64::from(no_speech_prob);
        check_number(no_speech_prob)?;
        Ok(Sampled {
            hypothesis,
            no_speech_prob,
        })
    }
}

/// What has been sampled, and how far that is.
struct Place {
    /// `[1, capacity]`.
    sampled: Tensor<2, Int>,
    progress: Progress,
}

impl Place {
    /// Chooses the most probable token, and gives its report.
    fn record(&mut self, logits: Tensor<2>) -> Tensor<2, Int> {
        let report = most_probable(logits).report;
        let (sampled, progress) = (self.sampled.clone(), self.progress.clone());
        (self.sampled, self.progress) = record(sampled, progress, report.clone());
        report
    }
}

/// Why a window has no text.
enum Stopped {
    /// The device gave up the recording of a step.
    Recording(whisper_kernels::Error),
    Failed(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Stopped> for Error {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Recording(error) => Error::Device(error.to_string()),
            Stopped::Failed(error) => error,
        }
    }
}

/// `[1, 1, n_vocab]` as a row.
fn row(logits: Tensor<3>) -> Tensor<2> {
    logits.squeeze_dim(0)
}

fn read(report: Tensor<2, Int>) -> Result<Chosen> {
    let data = report.try_into_data().map_err(unreadable)?;
    let mut values = data.iter::<i32>();
    match (values.next(), values.next()) {
        (Some(token), Some(logprob)) => Ok(Chosen::of([token, logprob])),
        _ => Err(unreadable("too little came back")),
    }
}

fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::Device(format!("cannot read the chosen token: {error}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::decoding::filters::{FilterContext, LogitFilter};
    use crate::decoding::testing::DIMS;
    use crate::decoding::{DecodingOptions, DecodingTask};
    use crate::tokenizer::testing::tokenizer;

    /// Changes nothing, and has to know the numbers of the steps.
    #[derive(Debug)]
    struct Counting;

    impl LogitFilter for Counting {
        fn apply(&self, _: &FilterContext<'_>, _: &mut [f32]) {}

        fn on_device(&self, _: usize, _: &Device) -> Option<Box<dyn DeviceFilter>> {
            Some(Box::new(Self))
        }
    }

    impl DeviceFilter for Counting {
        fn apply(&self, _: &Tensor<2, Int>, _: usize, logits: Tensor<2>) -> Tensor<2> {
            logits
        }
    }

    /// What a random model samples with logits on the device, and what it does with logits on the host.
    fn both_ways(options: &DecodingOptions) -> (Sampled, crate::decoding::DecodingResult) {
        let device = Device::flex();
        let model = WhisperModel::random(&DIMS, &device);
        let tokenizer = tokenizer(DIMS.n_vocab);
        let task = DecodingTask::new(&model, tokenizer, &device, options).unwrap();
        let filters = task.filters().on_device(DIMS.n_vocab, &device).unwrap();
        let shape = [1, DIMS.n_audio_ctx, DIMS.n_audio_state];
        let features = Tensor::random(shape, burn::tensor::Distribution::Default, &device);
        let on_host = task
            .decode(&[], 0.0, 0, &mut model.decoder.start(features.clone(), 1))
            .unwrap();
        let mut initial = tokenizer.sot_sequence(None, options.task).unwrap();
        if options.without_timestamps {
            initial.push(tokenizer.no_timestamps());
        }
        let greedy = GreedyOnDevice {
            model: &model,
            device: &device,
            filters: &filters,
            eot: tokenizer.eot(),
            no_speech: tokenizer.no_speech(),
            sample_len: options.sample_len.unwrap(),
            cancel: &CancelToken::new(),
        };
        let mut state = model.decoder.start(features, 1);
        let sampled = greedy.decode(&initial, 0, &mut state).unwrap();
        // In new memory the same comes out.
        state.renew();
        let again = greedy.decode(&initial, 0, &mut state).unwrap();
        let tokens =
            |sampled: &Sampled| sampled.hypothesis.as_ref().map(|text| text.tokens.clone());
        assert_eq!(tokens(&again), tokens(&sampled));
        let tokens = sampled
            .hypothesis
            .as_ref()
            .map_or(0, |text| text.tokens.len());
        // The last token is not decoded.
        assert_eq!(state.len(), initial.len() + tokens - 1);
        (sampled, on_host)
    }

    #[test]
    fn the_same_is_sampled_as_on_the_host() {
        for (without_timestamps, counting) in [(false, false), (true, false), (true, true)] {
            let filter = Arc::new(Counting) as Arc<dyn LogitFilter>;
            let options = DecodingOptions {
                without_timestamps,
                sample_len: Some(12),
                logit_filters: counting.then_some(filter).into_iter().collect(),
                ..DecodingOptions::default()
            };
            let (sampled, on_host) = both_ways(&options);
            let hypothesis = sampled.hypothesis.unwrap();
            assert_eq!(hypothesis.tokens, on_host.tokens);
            for (ours, expected) in hypothesis.logprobs.iter().zip(&on_host.token_logprobs) {
                assert!((ours - expected).abs() < 1e-4, "{ours} for {expected}");
            }
            let apart = (sampled.no_speech_prob - on_host.no_speech_prob).abs();
            assert!(apart < 1e-6, "{apart}");
        }
    }

    #[test]
    fn nothing_is_sampled_where_nothing_is_allowed() {
        let device = Device::flex();
        let options = DecodingOptions {
            suppress_tokens: (0..DIMS.n_vocab as i64).collect(),
            ..DecodingOptions::default()
        };
        let model = WhisperModel::random(&DIMS, &device);
        let tokenizer = tokenizer(DIMS.n_vocab);
        let task = DecodingTask::new(&model, tokenizer, &device, &options).unwrap();
        let greedy = GreedyOnDevice {
            model: &model,
            device: &device,
            filters: &task.filters().on_device(DIMS.n_vocab, &device).unwrap(),
            eot: tokenizer.eot(),
            no_speech: tokenizer.no_speech(),
            sample_len: 3,
            cancel: &CancelToken::new(),
        };
        let features = Tensor::zeros([1, DIMS.n_audio_ctx, DIMS.n_audio_state], &device);
        let mut state = model.decoder.start(features, 1);
        let sampled = greedy.decode(&[tokenizer.sot()], 0, &mut state).unwrap();
        assert!(sampled.hypothesis.is_none());
    }
}
