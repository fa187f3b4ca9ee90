//! The operations as plain Burn expressions, for any backend.

use burn::backend::ops::{AttentionModuleOptions, ConvOptions};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Slice, TensorMetadata};
use burn::tensor::{FloatDType, Shape};

use super::{Activation, embedded_shape, linear_shape};
use crate::AttentionOptions;
use crate::host::quantised::refined::PARTS;

pub(crate) fn gelu<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    B::gelu(x)
}

/// Half precision is widened for the sums.
pub(crate) fn layer_norm<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    beta: FloatTensor<B>,
    epsilon: f64,
) -> FloatTensor<B> {
    let original = FloatDType::from(x.dtype());
    if original == FloatDType::F32 {
        return B::layer_norm(x, gamma, Some(beta), epsilon);
    }
    let [x, gamma, beta] = [x, gamma, beta].map(|x| B::float_cast(x, FloatDType::F32));
    B::float_cast(B::layer_norm(x, gamma, Some(beta), epsilon), original)
}

/// `[batch, length, channels]` to `[batch, positions, outputs]`.
pub(crate) fn convolution_gelu<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    stride: usize,
) -> FloatTensor<B> {
    let options = ConvOptions::new([stride], [1], [1], 1);
    let convolved = B::conv1d(B::float_swap_dims(x, 1, 2), weight, Some(bias), options);
    B::float_swap_dims(gelu::<B>(convolved), 1, 2)
}

pub(crate) fn embed<B: Backend>(
    tokens: IntTensor<B>,
    token_embedding: FloatTensor<B>,
    positional_embedding: FloatTensor<B>,
    offset: usize,
) -> FloatTensor<B> {
    let shape = embedded_shape(&tokens.shape(), &token_embedding.shape());
    let [rows, n, n_state] = shape.dims();
    let tokens = B::int_reshape(tokens, Shape::new([rows * n]));
    let vectors = B::float_reshape(B::float_select(token_embedding, 0, tokens), shape);
    let vectors = match FloatDType::from(positional_embedding.dtype()) {
        dtype if dtype == FloatDType::from(vectors.dtype()) => vectors,
        dtype => B::float_cast(vectors, dtype),
    };
    let places = [Slice::from(offset..offset + n), Slice::from(0..n_state)];
    let places = B::float_slice(positional_embedding, &places);
    B::float_add(
        vectors,
        B::float_reshape(places, Shape::new([1, n, n_state])),
    )
}

pub(crate) fn attention<B: Backend>(
    query: FloatTensor<B>,
    key: FloatTensor<B>,
    value: FloatTensor<B>,
    options: AttentionOptions,
) -> FloatTensor<B> {
    let [batch, n_query, n_state] = query.shape().dims();
    let heads = |x: FloatTensor<B>, length: usize| {
        let x = B::float_reshape(
            x,
            Shape::new([batch, length, options.n_head, n_state / options.n_head]),
        );
        B::float_swap_dims(x, 1, 2)
    };
    let valid = |cache: FloatTensor<B>| {
        let slices = [
            Slice::from(0..batch),
            Slice::from(0..options.kv_len),
            Slice::from(0..n_state),
        ];
        B::float_slice(cache, &slices)
    };
    let context = B::attention(
        heads(query, n_query),
        heads(valid(key), options.kv_len),
        heads(valid(value), options.kv_len),
        None,
        None,
        AttentionModuleOptions {
            scale: None,
            softcap: None,
            is_causal: options.causal,
        },
    );
    B::float_reshape(
        B::float_swap_dims(context, 1, 2),
        Shape::new([batch, n_query, n_state]),
    )
}

pub(crate) fn linear<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: Option<FloatTensor<B>>,
    activation: Activation,
) -> FloatTensor<B> {
    let shape = linear_shape(&x.shape(), &weight.shape());
    let [outputs, inputs] = weight.shape().dims();
    let rows = x.shape().num_elements() / inputs.max(1);

    let x = B::float_reshape(x, Shape::new([rows, inputs]));
    let mut y = B::float_matmul(x, B::float_transpose(weight));
    if let Some(bias) = bias {
        y = B::float_add(y, B::float_reshape(bias, Shape::new([1, outputs])));
    }
    if activation == Activation::Gelu {
        y = gelu::<B>(y);
    }
    B::float_reshape(y, shape)
}

/// The weight is brought to the element type of `x` first.
pub(crate) fn refined_linear<B: Backend>(
    x: FloatTensor<B>,
    values: IntTensor<B>,
    scales: FloatTensor<B>,
) -> FloatTensor<B> {
    let [_, outputs, inputs] = values.shape().dims();
    let dtype = FloatDType::from(x.dtype());
    let values = B::int_into_float(values, FloatDType::F32);
    let [first, second] = [0, 1].map(|part| {
        let part = [
            Slice::from(part..part + 1),
            Slice::from(..),
            Slice::from(..),
        ];
        B::float_reshape(
            B::float_slice(values.clone(), &part),
            Shape::new([outputs, inputs]),
        )
    });
    let weight = B::float_add(first, B::float_div_scalar(second, PARTS.into()));
    let weight = B::float_mul(weight, B::float_reshape(scales, Shape::new([outputs, 1])));
    linear::<B>(x, B::float_cast(weight, dtype), None, Activation::None)
}

/// The weight is brought to the element type of `x` first.
pub(crate) fn quantised_linear<B: Backend>(
    x: FloatTensor<B>,
    values: IntTensor<B>,
    scales: FloatTensor<B>,
    bias: Option<FloatTensor<B>>,
    activation: Activation,
) -> FloatTensor<B> {
    let outputs = values.shape()[0];
    let dtype = FloatDType::from(x.dtype());
    let scales = B::float_reshape(scales, Shape::new([outputs, 1]));
    let weight = B::float_mul(B::int_into_float(values, FloatDType::F32), scales);
    linear::<B>(x, B::float_cast(weight, dtype), bias, activation)
}
