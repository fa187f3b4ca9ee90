//! The operations on every CubeCL runtime.

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::FloatDType;
use burn_cubecl::CubeBackend;

use super::log_mel::LogMelOps;
use super::{Activation, SamplingOps, StepOps, WhisperOps};
use crate::cube::{attention, convolution, embedding, layer_norm, linear, log_mel, sampling, step};
use crate::log_mel::Geometry;
use crate::{AttentionOptions, Smoothing, TimestampTokens};

impl WhisperOps for CubeBackend {
    fn normalised(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        layer_norm::layer_norm(x, gamma, beta, epsilon)
    }

    fn embedded(
        tokens: IntTensor<Self>,
        token_embedding: FloatTensor<Self>,
        positional_embedding: FloatTensor<Self>,
        offset: usize,
    ) -> FloatTensor<Self> {
        embedding::embed(tokens, token_embedding, positional_embedding, offset)
    }

    fn head_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        options: AttentionOptions,
    ) -> FloatTensor<Self> {
        attention::attention(query, key, value, options)
    }

    fn convolved(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: usize,
    ) -> FloatTensor<Self> {
        convolution::convolution_gelu(x, weight, bias, stride)
    }

    fn linear_without_bias(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self> {
        linear::linear(x, weight, None, activation)
    }

    fn linear_with_bias(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self> {
        linear::linear(x, weight, Some(bias), activation)
    }
}

impl LogMelOps for CubeBackend {
    fn log_mel_maximum(
        pcm: FloatTensor<Self>,
        tables: FloatTensor<Self>,
        before: FloatTensor<Self>,
        geometry: Geometry,
        n_mels: usize,
    ) -> FloatTensor<Self> {
        log_mel::log_mel_maximum(pcm, tables, before, geometry, n_mels)
    }

    fn log_mel_windows(
        pcm: FloatTensor<Self>,
        tables: FloatTensor<Self>,
        maximum: FloatTensor<Self>,
        geometry: Geometry,
        n_mels: usize,
        smoothing: Smoothing,
        dtype: FloatDType,
    ) -> FloatTensor<Self> {
        log_mel::log_mel_windows(pcm, tables, maximum, geometry, n_mels, smoothing, dtype)
    }
}

impl SamplingOps for CubeBackend {
    fn ruled_logits(
        logits: FloatTensor<Self>,
        sampled: IntTensor<Self>,
        step: usize,
        tokens: TimestampTokens,
    ) -> FloatTensor<Self> {
        sampling::timestamp_rules(logits, sampled, step, tokens)
    }

    fn most_probable_tokens(logits: FloatTensor<Self>) -> (IntTensor<Self>, IntTensor<Self>) {
        sampling::most_probable(logits)
    }
}

impl StepOps for CubeBackend {
    fn embedded_newest(
        sampled: IntTensor<Self>,
        progress: IntTensor<Self>,
        token_embedding: FloatTensor<Self>,
        positional_embedding: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        embedding::embed_newest(sampled, progress, token_embedding, positional_embedding)
    }

    fn appended(
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        progress: IntTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        step::append(keys, values, key, value, progress)
    }

    fn head_attention_so_far(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        progress: IntTensor<Self>,
        n_head: usize,
    ) -> FloatTensor<Self> {
        attention::attention_so_far(query, key, value, progress, n_head)
    }

    fn ruled_logits_so_far(
        logits: FloatTensor<Self>,
        sampled: IntTensor<Self>,
        progress: IntTensor<Self>,
        tokens: TimestampTokens,
    ) -> FloatTensor<Self> {
        sampling::timestamp_rules_so_far(logits, sampled, progress, tokens)
    }

    fn overwritten(target: FloatTensor<Self>, source: FloatTensor<Self>) -> FloatTensor<Self> {
        step::overwrite(target, source)
    }

    fn recorded(
        sampled: IntTensor<Self>,
        progress: IntTensor<Self>,
        report: IntTensor<Self>,
    ) -> (IntTensor<Self>, IntTensor<Self>) {
        step::record(sampled, progress, report)
    }
}
