//! The operations on every CubeCL runtime.

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::FloatDType;
use burn_cubecl::CubeBackend;

use super::log_mel::LogMelOps;
use super::{Activation, SamplingOps, WhisperOps};
use crate::cube::{attention, embedding, layer_norm, linear, log_mel, sampling};
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
