//! What a task refuses, and the filters of one's own, with a model that gives what it is told to.

use std::sync::Arc;

use super::*;
use crate::decoding::testing::DIMS;
use crate::tokenizer::testing::tokenizer;

/// What a small model with random weights decodes from features that all have one value.
fn decode(feature: f32, options: &DecodingOptions) -> Result<DecodingResult> {
    decode_from(feature, 0.0, options)
}

fn decode_at(temperature: f64, options: &DecodingOptions) -> Result<DecodingResult> {
    decode_from(0.5, temperature, options)
}

fn decode_from(
    feature: f32,
    temperature: f64,
    options: &DecodingOptions,
) -> Result<DecodingResult> {
    let device = Device::flex();
    let model = WhisperModel::random(&DIMS, &device);
    let task = DecodingTask::new(&model, tokenizer(DIMS.n_vocab), &device, options)?;
    let features = Tensor::full([1, DIMS.n_audio_ctx, DIMS.n_audio_state], feature, &device);
    let rows = options.beam_size.or(options.best_of).unwrap_or(1);
    task.decode(
        &[],
        temperature,
        0,
        &mut model.decoder.start(features, rows),
    )
}

fn suppressing(suppress_tokens: Vec<i64>) -> DecodingOptions {
    DecodingOptions {
        suppress_tokens,
        sample_len: Some(2),
        ..DecodingOptions::default()
    }
}

#[test]
fn a_model_that_gives_no_numbers_is_refused() {
    let message = decode(f32::NAN, &suppressing(vec![]))
        .unwrap_err()
        .to_string();
    assert!(message.contains("weights are damaged"), "{message}");
    decode(0.5, &suppressing(vec![])).unwrap();
}

#[test]
fn tokens_to_suppress_have_to_be_in_the_vocabulary() {
    for token in [51_864, i64::MAX, -2] {
        let message = decode(0.5, &suppressing(vec![token]))
            .unwrap_err()
            .to_string();
        assert!(
            message.contains(&token.to_string()) && message.contains("51864 tokens"),
            "{message}"
        );
    }
    decode(0.5, &suppressing(vec![-1, 51_863])).unwrap();
}

#[test]
fn to_suppress_every_token_is_refused() {
    let message = decode(0.5, &suppressing((0..51_864).collect()))
        .unwrap_err()
        .to_string();
    assert!(message.contains("no token"), "{message}");
}

/// Allows a row nothing but one token after another; nothing at all when they are used up.
#[derive(Debug)]
struct Script(&'static [u32]);

impl LogitFilter for Script {
    fn apply(&self, context: &FilterContext<'_>, logits: &mut [f32]) {
        let next = self.0.get(context.step()).copied();
        for (id, logit) in logits.iter_mut().enumerate() {
            if next != Some(id as u32) {
                *logit = f32::NEG_INFINITY;
            }
        }
    }
}

fn scripted(script: &'static [u32]) -> DecodingOptions {
    DecodingOptions {
        without_timestamps: true,
        suppress_tokens: vec![],
        logit_filters: vec![Arc::new(Script(script))],
        ..DecodingOptions::default()
    }
}

#[test]
fn a_filter_of_ones_own_reaches_every_way_to_decode() {
    const EOT: u32 = 50_256;
    let greedy = scripted(&[11, 12, 13, EOT]);
    let beam = DecodingOptions {
        beam_size: Some(3),
        ..greedy.clone()
    };
    let sampled = DecodingOptions {
        best_of: Some(3),
        ..greedy.clone()
    };
    for (options, temperature) in [(greedy, 0.0), (beam, 0.0), (sampled, 0.7)] {
        let result = decode_at(temperature, &options).unwrap();
        assert_eq!(result.tokens, [11, 12, 13], "{options:?}");
        assert!(result.avg_logprob.abs() < 1e-6, "nothing else was possible");
    }
}

#[test]
fn the_rules_stand_above_a_filter_of_ones_own() {
    // A blank may not be first, whatever a filter allows.
    let message = decode(0.5, &scripted(&[220])).unwrap_err().to_string();
    assert!(message.contains("logit_filters"), "{message}");
}

#[test]
fn a_filter_that_allows_nothing_more_is_refused() {
    for beam_size in [None, Some(2)] {
        let options = DecodingOptions {
            beam_size,
            ..scripted(&[11, 12])
        };
        let message = decode(0.5, &options).unwrap_err().to_string();
        assert!(
            message.contains("logit_filters") && message.contains("no token"),
            "{message}"
        );
    }
}

#[derive(Debug)]
struct Broken(f32);

impl LogitFilter for Broken {
    fn apply(&self, _: &FilterContext<'_>, logits: &mut [f32]) {
        logits[100] = self.0;
    }
}

#[test]
fn a_filter_that_gives_no_number_is_refused_by_name() {
    for value in [f32::NAN, f32::INFINITY] {
        let options = DecodingOptions {
            logit_filters: vec![Arc::new(Broken(value))],
            ..suppressing(vec![])
        };
        let message = decode(0.5, &options).unwrap_err().to_string();
        assert!(message.contains("Broken"), "{message}");
    }
}
