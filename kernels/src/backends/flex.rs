//! The operations on Burn's flex backend, whose tensors are host memory.

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Flex, TensorMetadata};
use burn::tensor::{Bytes, DType, Element, FloatDType, Shape, f16};
use burn_flex::{FlexTensor, Layout};
use bytemuck::Pod;

use super::host as host_backend;
use super::log_mel::output_shape;
use super::{
    Activation, LogMelOps, WhisperOps, convolved_shape, linear_shape, plain, refined_shape,
};
use crate::convolution::TAPS;
use crate::host::attention::Sequence;
use crate::host::quantised::{Integer, Weight};
use crate::host::{self, Rows, Stored};
use crate::host_work::{Bound, HostOperation, noted};
use crate::log_mel::Geometry;
use crate::{AttentionOptions, Smoothing};

impl WhisperOps for Flex {
    fn exact_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        if !all_f32([&x]) {
            return plain::gelu::<Self>(x);
        }
        let mut x = contiguous(x);
        if let Some(range) = x.layout().contiguous_offsets()
            && let Some(values) = x.try_storage_mut::<f32>()
        {
            host::gelu::gelu_in_place(&mut values[range.0..range.1]);
            return x;
        }
        tensor(host::gelu::gelu(values(&x)), x.shape())
    }

    fn in_half_precision(x: FloatTensor<Self>) -> FloatTensor<Self> {
        if !all_f32([&x]) {
            return host_backend::cast::<Self>(x, FloatDType::F16);
        }
        let x = contiguous(x);
        let halves = host::stored::halved(values(&x));
        let layout = Layout::contiguous(x.shape());
        FlexTensor::new(Bytes::from_elems(halves), layout, DType::F16)
    }

    fn normalised(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        let n_state = gamma.shape()[0];
        // Read and written once.
        let bytes = 2.0 * (x.shape().num_elements() * size_of::<f32>()) as f64;
        let operation = HostOperation {
            name: "layer norm",
            shape: [n_state; 2],
            bound: Bound::Memory,
        };
        noted(
            || (operation, bytes),
            || plain::layer_norm::<Self>(x, gamma, beta, epsilon),
        )
    }

    fn head_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        options: AttentionOptions,
    ) -> FloatTensor<Self> {
        match (key.dtype(), value.dtype()) {
            (DType::F32, DType::F32) if all_f32([&query]) => {
                head_attention::<f32>(query, key, value, options)
            }
            (DType::F16, DType::F16) if all_f32([&query]) => {
                head_attention::<f16>(query, key, value, options)
            }
            _ => plain::attention::<Self>(query, key, value, options),
        }
    }

    fn convolved(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: usize,
    ) -> FloatTensor<Self> {
        if !all_f32([&x, &weight, &bias]) {
            return plain::convolution_gelu::<Self>(x, weight, bias, stride);
        }
        let shape = convolved_shape(&x.shape(), &weight.shape(), &stride);
        let [x, weight, bias] = [x, weight, bias].map(contiguous);
        let [batch, length, channels] = x.shape().dims();
        let mut y = Vec::new();
        for window in values(&x).chunks_exact((length * channels).max(1)) {
            let window = Rows::new(window, channels, length, channels);
            let (weight, bias) = (values(&weight), values(&bias));
            let convolved = noted(
                || of_convolution(&shape, channels),
                || host::convolution::convolution_gelu(window, weight, bias, stride),
            );
            match batch {
                1 => y = convolved,
                _ => y.extend(convolved),
            }
        }
        tensor(y, shape)
    }

    fn linear_without_bias(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self> {
        linear(x, weight, None, activation)
    }

    fn linear_with_bias(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self> {
        linear(x, weight, Some(bias), activation)
    }

    fn quantised_linear_without_bias(
        x: FloatTensor<Self>,
        values: IntTensor<Self>,
        scales: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self> {
        quantised_linear(x, values, scales, None, activation)
    }

    fn quantised_linear_with_bias(
        x: FloatTensor<Self>,
        values: IntTensor<Self>,
        scales: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self> {
        quantised_linear(x, values, scales, Some(bias), activation)
    }

    fn refined_linear_without_bias(
        x: FloatTensor<Self>,
        values: IntTensor<Self>,
        scales: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        if !all_f32([&x, &scales]) || values.dtype() != DType::I8 {
            return plain::refined_linear::<Self>(x, values, scales);
        }
        let [x, values, scales] = [x, values, scales].map(contiguous);
        let [_, outputs, inputs] = values.shape().dims();
        let shape = refined_shape(&x.shape(), &values.shape());
        let n_rows = shape[..shape.num_dims() - 1].iter().product();
        // Of few results the second integers are read.
        let what = || of_weight::<i8>(n_rows, [inputs, outputs], Bound::Memory);
        let y = noted(what, || {
            host::quantised::refined::linear(
                Rows::new(elements(&x), inputs, n_rows, inputs),
                elements(&values),
                elements(&scales),
            )
        });
        tensor(y, shape)
    }
}

/// As on any host memory, with the samples read where they are.
impl LogMelOps for Flex {
    fn log_mel_maximum(
        pcm: FloatTensor<Self>,
        tables: FloatTensor<Self>,
        before: FloatTensor<Self>,
        geometry: Geometry,
        n_mels: usize,
    ) -> FloatTensor<Self> {
        let [pcm, tables, before] = [pcm, tables, before].map(contiguous);
        let maxima = host_backend::maxima(
            values(&pcm),
            values(&tables),
            values(&before),
            geometry,
            n_mels,
        );
        tensor(maxima, before.shape())
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
        let [pcm, tables, maximum] = [pcm, tables, maximum].map(contiguous);
        let features = host_backend::features(
            values(&pcm),
            values(&tables),
            values(&maximum),
            geometry,
            n_mels,
            smoothing,
        );
        let shape = output_shape(&pcm.shape(), &geometry, n_mels);
        host_backend::cast::<Self>(tensor(features, shape), dtype)
    }
}

/// With keys and values of elements `T`.
fn head_attention<T: Element + Pod + Stored>(
    query: FlexTensor,
    key: FlexTensor,
    value: FlexTensor,
    options: AttentionOptions,
) -> FlexTensor {
    let [query, key, value] = [query, key, value].map(with_contiguous_rows);
    let [batch, n_query, n_state] = query.shape().dims();
    let sequences: Vec<_> = (0..batch)
        .map(|i| Sequence {
            query: rows::<f32>(&query, i, n_query),
            key: rows::<T>(&key, i, options.kv_len),
            value: rows::<T>(&value, i, options.kv_len),
        })
        .collect();
    let what = || of_attention::<T>([batch, n_query, n_state], options);
    let context = noted(what, || host::attention::attention(&sequences, options));
    tensor(context, Shape::new([batch, n_query, n_state]))
}

fn linear(
    x: FlexTensor,
    weight: FlexTensor,
    bias: Option<FlexTensor>,
    activation: Activation,
) -> FlexTensor {
    match weight.dtype() {
        _ if !all_f32([&x]) || !all_f32(bias.iter()) => {
            plain::linear::<Flex>(x, weight, bias, activation)
        }
        DType::F32 => linear_of::<f32>(x, weight, bias, activation),
        DType::F16 => linear_of::<f16>(x, weight, bias, activation),
        _ => plain::linear::<Flex>(x, weight, bias, activation),
    }
}

/// With a weight of elements `T`.
fn linear_of<T: Element + Pod + Stored>(
    x: FlexTensor,
    weight: FlexTensor,
    bias: Option<FlexTensor>,
    activation: Activation,
) -> FlexTensor {
    let (x, weight, bias) = (contiguous(x), contiguous(weight), bias.map(contiguous));
    let [outputs, inputs] = weight.shape().dims();
    let shape = linear_shape(&x.shape(), &weight.shape());
    let n_rows = shape[..shape.num_dims() - 1].iter().product();

    let what = || of_weight::<T>(n_rows, [inputs, outputs], Bound::Floats);
    let y = noted(what, || {
        host::linear::linear(
            Rows::new(values(&x), inputs, n_rows, inputs),
            Rows::new(elements::<T>(&weight), inputs, outputs, inputs),
            bias.as_ref().map(values),
            activation,
        )
    });
    tensor(y, shape)
}

fn quantised_linear(
    x: FlexTensor,
    values: FlexTensor,
    scales: FlexTensor,
    bias: Option<FlexTensor>,
    activation: Activation,
) -> FlexTensor {
    match values.dtype() {
        _ if !all_f32([&x, &scales]) || !all_f32(bias.iter()) => {
            plain::quantised_linear::<Flex>(x, values, scales, bias, activation)
        }
        DType::I8 => quantised_linear_of::<i8>(x, values, scales, bias, activation),
        DType::I16 => quantised_linear_of::<i16>(x, values, scales, bias, activation),
        _ => plain::quantised_linear::<Flex>(x, values, scales, bias, activation),
    }
}

/// With a weight of integers `T`.
fn quantised_linear_of<T: Element + Pod + Integer>(
    x: FlexTensor,
    values: FlexTensor,
    scales: FlexTensor,
    bias: Option<FlexTensor>,
    activation: Activation,
) -> FlexTensor {
    let (x, weight) = (contiguous(x), contiguous(values));
    let (scales, bias) = (contiguous(scales), bias.map(contiguous));
    let [outputs, inputs] = weight.shape().dims();
    let shape = linear_shape(&x.shape(), &weight.shape());
    let n_rows = shape[..shape.num_dims() - 1].iter().product();

    let what = || of_weight::<T>(n_rows, [inputs, outputs], Bound::Integers);
    let y = noted(what, || {
        host::quantised::linear(
            Rows::new(elements(&x), inputs, n_rows, inputs),
            Weight::new(elements::<T>(&weight), elements(&scales), inputs),
            bias.as_ref().map(elements),
            activation,
        )
    });
    tensor(y, shape)
}

/// What a linear layer of so many rows does, its weight being of elements `T`: few rows wait for the weight.
fn of_weight<T>(n_rows: usize, shape: [usize; 2], products: Bound) -> (HostOperation, f64) {
    let weights = (shape[0] * shape[1]) as f64;
    let few = n_rows <= host::linear::DOT_ROWS;
    let (name, bound, amount) = match few {
        true => (
            "linear, few rows",
            Bound::Memory,
            weights * size_of::<T>() as f64,
        ),
        false => ("linear", products, 2.0 * weights * n_rows as f64),
    };
    (HostOperation { name, shape, bound }, amount)
}

/// What a convolution does that gives this shape.
fn of_convolution(shape: &Shape, channels: usize) -> (HostOperation, f64) {
    let inputs = TAPS * channels;
    let operation = HostOperation {
        name: "convolution",
        shape: [inputs, shape[2]],
        bound: Bound::Floats,
    };
    (operation, 2.0 * (shape[1] * shape[2] * inputs) as f64)
}

/// What attention does, its keys and values being of elements `T`: few queries wait for those.
fn of_attention<T>(
    [batch, n_query, n_state]: [usize; 3],
    options: AttentionOptions,
) -> (HostOperation, f64) {
    let elements = (2 * batch * options.kv_len * n_state) as f64;
    let few = n_query <= host::attention::STEP_QUERIES;
    let (name, bound, amount) = match (few, options.causal) {
        (true, true) => (
            "attention to the text",
            Bound::Memory,
            elements * size_of::<T>() as f64,
        ),
        (true, false) => (
            "attention to the audio",
            Bound::Memory,
            elements * size_of::<T>() as f64,
        ),
        (false, _) => (
            "attention, many queries",
            Bound::Floats,
            2.0 * elements * n_query as f64,
        ),
    };
    // Of the text there is more at each step.
    let keys = if options.causal { 0 } else { options.kv_len };
    let shape = [keys, n_state / options.n_head];
    (HostOperation { name, shape, bound }, amount)
}

fn all_f32<'a>(tensors: impl IntoIterator<Item = &'a FlexTensor>) -> bool {
    tensors
        .into_iter()
        .all(|tensor| tensor.dtype() == DType::F32)
}

fn tensor(values: Vec<f32>, shape: Shape) -> FlexTensor {
    FlexTensor::new(
        Bytes::from_elems(values),
        Layout::contiguous(shape),
        DType::F32,
    )
}

/// The tensor with its elements in order, copied only if they are not.
fn contiguous(tensor: FlexTensor) -> FlexTensor {
    if tensor.is_contiguous() {
        tensor
    } else {
        tensor.to_contiguous()
    }
}

fn values(tensor: &FlexTensor) -> &[f32] {
    elements(tensor)
}

/// The elements of a contiguous tensor, which need not be all of its storage.
fn elements<E: Element + Pod>(tensor: &FlexTensor) -> &[E] {
    let start = tensor.layout().start_offset();
    &tensor.storage::<E>()[start..start + tensor.layout().num_elements()]
}

/// A `[batch, rows, columns]` tensor whose rows are contiguous, copied only if they are not.
fn with_contiguous_rows(tensor: FlexTensor) -> FlexTensor {
    let strides = tensor.layout().strides();
    let one_column = tensor.layout().shape()[2] <= 1;
    if (strides[2] == 1 || one_column) && strides.iter().all(|stride| *stride >= 0) {
        tensor
    } else {
        tensor.to_contiguous()
    }
}

/// The first `n_rows` rows of one matrix of a tensor from [`with_contiguous_rows`].
fn rows<T: Element + Pod>(tensor: &FlexTensor, batch: usize, n_rows: usize) -> Rows<'_, T> {
    let layout = tensor.layout();
    let [batch_stride, row_stride] = [0, 1].map(|dim| layout.strides()[dim].unsigned_abs());
    let start = layout.start_offset() + batch * batch_stride;
    Rows::new(
        &tensor.storage::<T>()[start..],
        row_stride,
        n_rows,
        layout.shape()[2],
    )
}
