//! The operations on each Burn backend.
//!
//! [`WhisperOps`] is a backend extension: `burn`'s dispatch picks the implementation of the device
//! that holds the tensors. A backend without an implementation of its own runs the plain Burn
//! expressions of [`plain`], which are also what the tests compare with. [`LogMelOps`] is another,
//! with an implementation for every backend.

// Burn calls its ndarray backend deprecated, but it is a device as long as it is there.
#![cfg_attr(feature = "ndarray", allow(deprecated))]

#[cfg(feature = "cubecl")]
mod cubecl;
#[cfg(feature = "flex")]
mod flex;
mod host;
mod log_mel;
pub(crate) mod plain;
mod sampling;
mod step;

pub(crate) use log_mel::LogMelOps;
#[cfg(feature = "cubecl")]
pub(crate) use log_mel::output_shape;
pub(crate) use sampling::SamplingOps;
pub(crate) use step::StepOps;

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, backend_extension};
use burn::tensor::Shape;

use crate::AttentionOptions;

/// What a backend does its own way. The documentation of each operation is at the function of the
/// crate that calls it. (The macro takes no optional tensors: hence the two linear layers.)
#[backend_extension(
    Cube: cfg(feature = "cubecl"),
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Fusion: cfg(feature = "cubecl")
)]
pub(crate) trait WhisperOps: Backend {
    #[fusion(default)]
    fn exact_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        plain::gelu::<Self>(x)
    }

    #[fusion(dtype = burn::tensor::DType::F16, shape = x)]
    fn in_half_precision(x: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::float_cast(x, burn::tensor::FloatDType::F16)
    }

    #[fusion(dtype = x, shape = x)]
    fn normalised(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        plain::layer_norm::<Self>(x, gamma, beta, epsilon)
    }

    #[fusion(dtype = token_embedding, shape = embedded_shape(tokens, token_embedding))]
    fn embedded(
        tokens: IntTensor<Self>,
        token_embedding: FloatTensor<Self>,
        positional_embedding: FloatTensor<Self>,
        offset: usize,
    ) -> FloatTensor<Self> {
        plain::embed::<Self>(tokens, token_embedding, positional_embedding, offset)
    }

    #[fusion(dtype = query, shape = query)]
    fn head_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        options: AttentionOptions,
    ) -> FloatTensor<Self> {
        plain::attention::<Self>(query, key, value, options)
    }

    #[fusion(dtype = x, shape = convolved_shape(x, weight, stride))]
    fn convolved(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: usize,
    ) -> FloatTensor<Self> {
        plain::convolution_gelu::<Self>(x, weight, bias, stride)
    }

    #[fusion(dtype = x, shape = linear_shape(x, weight))]
    fn linear_without_bias(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self> {
        plain::linear::<Self>(x, weight, None, activation)
    }

    #[fusion(dtype = x, shape = linear_shape(x, weight))]
    fn linear_with_bias(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self> {
        plain::linear::<Self>(x, weight, Some(bias), activation)
    }

    #[fusion(dtype = x, shape = linear_shape(x, values))]
    fn quantised_linear_without_bias(
        x: FloatTensor<Self>,
        values: IntTensor<Self>,
        scales: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self> {
        plain::quantised_linear::<Self>(x, values, scales, None, activation)
    }

    #[fusion(dtype = x, shape = linear_shape(x, values))]
    fn quantised_linear_with_bias(
        x: FloatTensor<Self>,
        values: IntTensor<Self>,
        scales: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self> {
        plain::quantised_linear::<Self>(x, values, scales, Some(bias), activation)
    }

    #[fusion(dtype = x, shape = refined_shape(x, values))]
    fn refined_linear_without_bias(
        x: FloatTensor<Self>,
        values: IntTensor<Self>,
        scales: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        plain::refined_linear::<Self>(x, values, scales)
    }
}

/// The shape of tokens `[rows, n]` as vectors of a table `[n_vocab, n_state]`.
pub(crate) fn embedded_shape(tokens: &Shape, table: &Shape) -> Shape {
    Shape::new([tokens[0], tokens[1], table[1]])
}

/// The shape of what a convolution by steps of `stride`, weight `[outputs, channels, 3]`, makes of `x` `[batch, length, channels]`.
#[cfg(any(feature = "cubecl", feature = "flex"))]
pub(crate) fn convolved_shape(x: &Shape, weight: &Shape, stride: &usize) -> Shape {
    Shape::new([x[0], (x[1] - 1) / stride + 1, weight[0]])
}

/// The shape of what a linear layer with a weight `[outputs, inputs]` makes of `x` `[.., inputs]`.
pub(crate) fn linear_shape(x: &Shape, weight: &Shape) -> Shape {
    let mut shape = x.clone();
    let last = shape.num_dims() - 1;
    shape[last] = weight[0];
    shape
}

/// The same with a weight `[2, outputs, inputs]` of two integers.
pub(crate) fn refined_shape(x: &Shape, values: &Shape) -> Shape {
    linear_shape(x, &Shape::new([values[1], values[2]]))
}

/// The function that a linear layer applies to its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    None,
    Gelu,
}

#[cfg(feature = "ndarray")]
impl WhisperOps for burn::backend::NdArray {}
