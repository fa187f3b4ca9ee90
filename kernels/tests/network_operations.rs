//! Linear layers, attention and layer normalisation on every device compiled in, against the CPU's.

#![cfg(all(
    feature = "flex",
    any(feature = "ndarray", feature = "wgpu", feature = "cuda")
))]
#![cfg_attr(feature = "ndarray", allow(deprecated))]

#[path = "support/devices.rs"]
mod devices;

use burn::tensor::{DType, Device, Distribution, FloatDType, Int, Tensor, TensorData};
use devices::devices;
use whisper_kernels::{
    AttentionOptions, attention, convolution_gelu, embed, layer_norm, linear, linear_gelu,
};

/// The element types, and how far off each may be, beside the largest value.
const TYPES: [(FloatDType, f32); 3] = [
    (FloatDType::F32, 1e-5),
    (FloatDType::F16, 1e-2),
    (FloatDType::BF16, 8e-2),
];

fn random<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    let normal = Distribution::Normal(0.0, 1.0);
    Tensor::random(shape, normal, (&Device::flex(), DType::F32))
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().try_to_vec().unwrap()
}

/// A tensor of the CPU on another device, in another element type.
fn on<const D: usize>(device: &Device, dtype: FloatDType, tensor: &Tensor<D>) -> Tensor<D> {
    let there = Tensor::<D>::from_data(tensor.to_data(), (device, DType::F32));
    there.cast(dtype)
}

/// Runs `operation` on the CPU in `f32` and on each device in each type that it has.
fn compare<const D: usize>(what: &str, operation: impl Fn(&Device, FloatDType) -> Tensor<D>) {
    let expected = values(operation(&Device::flex(), FloatDType::F32));
    let largest = expected.iter().fold(0.0f32, |max, x| max.max(x.abs()));
    for (name, device) in devices() {
        for (dtype, tolerance) in TYPES {
            if !device.supports_dtype(DType::from(dtype)) {
                continue;
            }
            let actual = operation(&device, dtype);
            assert_eq!(actual.dtype(), DType::from(dtype), "{name}, {what}");
            let actual = values(actual);
            assert_eq!(actual.len(), expected.len(), "{name}, {what}");
            let apart = expected.iter().zip(&actual).map(|(x, y)| (x - y).abs());
            // A NaN is as far off as can be.
            let worst = apart.fold(0.0f32, |max, x| if x <= max { max } else { x });
            assert!(
                worst <= tolerance * largest,
                "{name}, {dtype:?}, {what}: {worst:e} of {largest:e}"
            );
        }
    }
}

#[test]
fn linear_layers_of_few_and_of_many_rows() {
    compare_linear_layers(&[
        (1, 384, 384),
        (1, 512, 2048),
        (2, 96, 51),
        (5, 384, 1001),
        (8, 1536, 384),
        (9, 384, 384),
        (100, 384, 1536),
        (1, 1, 1),
        (32, 384, 1001),
        (130, 40, 51),
        (130, 72, 130),
    ]);
}

/// Sizes of the encoder, which have kernels of their own on large GPUs: of 100 tiles and more, narrow and wide.
#[test]
#[cfg(feature = "cuda")]
#[ignore = "for a GPU of NVIDIA's: a software driver takes a quarter of an hour"]
fn linear_layers_of_very_many_rows() {
    compare_linear_layers(&[
        (1500, 64, 1281),
        (1500, 512, 2048),
        (1500, 1280, 5120),
        (3001, 1096, 4000),
    ]);
}

/// Layers of `(rows, inputs, outputs)`, without and with bias and GELU.
fn compare_linear_layers(sizes: &[(usize, usize, usize)]) {
    for &(rows, inputs, outputs) in sizes {
        let x = random([1, rows, inputs]);
        let weight = random([outputs, inputs]) * 0.1;
        let bias = random([outputs]);
        let what = format!("{rows} rows, {inputs} inputs, {outputs} outputs");
        let parts = |device: &Device, dtype| {
            (
                on(device, dtype, &x),
                on(device, dtype, &weight),
                on(device, dtype, &bias),
            )
        };
        compare(&what, |device, dtype| {
            let (x, weight, _) = parts(device, dtype);
            linear(x, weight, None)
        });
        compare(&format!("{what}, bias"), |device, dtype| {
            let (x, weight, bias) = parts(device, dtype);
            linear(x, weight, Some(bias))
        });
        compare(&format!("{what}, bias, GELU"), |device, dtype| {
            let (x, weight, bias) = parts(device, dtype);
            linear_gelu(x, weight, Some(bias))
        });
    }
}

#[test]
fn attention_of_few_and_of_many_queries() {
    for (batch, n_query, n_ctx, kv_len, n_head, width, causal) in [
        (1, 1, 448, 1, 6, 64, true),
        (1, 1, 448, 137, 6, 64, true),
        (5, 1, 448, 64, 6, 64, true),
        (1, 4, 448, 70, 6, 64, true),
        (1, 8, 1500, 1500, 2, 64, false),
        (2, 3, 1500, 1500, 2, 64, false),
        (1, 30, 448, 65, 2, 64, true),
        (1, 200, 200, 200, 2, 64, false),
        (2, 70, 448, 300, 2, 64, false),
        (2, 70, 448, 300, 2, 64, true),
        (2, 5, 40, 33, 3, 32, true),
    ] {
        let n_state = n_head * width;
        let query = random([batch, n_query, n_state]);
        let [key, value] = [0, 1].map(|_| random([batch, n_ctx, n_state]));
        let options = AttentionOptions {
            n_head,
            kv_len,
            causal,
            integer_scores: false,
        };
        let what = format!("{batch} of {n_query} queries, {kv_len} of {n_ctx} keys, {options:?}");
        compare(&what, |device, dtype| {
            attention(
                on(device, dtype, &query),
                on(device, dtype, &key),
                on(device, dtype, &value),
                options,
            )
        });
    }
}

#[test]
fn convolutions_of_any_layout() {
    for (batch, length, channels, outputs, stride) in [
        (1, 300, 80, 384, 1),
        (2, 60, 384, 64, 2),
        (1, 61, 5, 7, 2),
        (1, 1, 3, 2, 1),
    ] {
        let x = random([batch, channels, length]);
        let weight = random([outputs, channels, 3]) * 0.1;
        let bias = random([outputs]);
        for channels_last in [false, true] {
            let what = format!("{batch} x {length} of {channels} channels by {stride}");
            compare(&what, |device, dtype| {
                let [x, weight] = [&x, &weight].map(|x| on(device, dtype, x));
                let x = match channels_last {
                    true => x.swap_dims(1, 2).add_scalar(0.0),
                    false => x.swap_dims(1, 2),
                };
                convolution_gelu(x, weight, on(device, dtype, &bias), stride)
            });
        }
    }
}

#[test]
fn scores_too_large_for_half_precision_are_none_for_attention() {
    // Products of 64 elements of some 60 pass 65,504. Whole numbers, since rounding would change which score is the highest.
    let [query, key] = [0, 1].map(|_| (random([1, 20, 128]) * 60.0).round());
    let value = random([1, 20, 128]);
    let options = AttentionOptions {
        n_head: 2,
        kv_len: 20,
        causal: false,
        integer_scores: false,
    };
    compare("large scores", |device, dtype| {
        attention(
            on(device, dtype, &query),
            on(device, dtype, &key),
            on(device, dtype, &value),
            options,
        )
    });
}

#[test]
fn layer_normalisation_of_any_width() {
    for (rows, n_state) in [(1, 384), (3, 512), (1500, 128), (2, 1280), (1, 7)] {
        let x = random([1, rows, n_state]) * 3.0 + 5.0;
        let (gamma, beta) = (random([n_state]), random([n_state]));
        compare(&format!("{rows} rows of {n_state}"), |device, dtype| {
            layer_norm(
                on(device, dtype, &x),
                on(device, dtype, &gamma),
                on(device, dtype, &beta),
                1e-5,
            )
        });
    }
}

#[test]
fn tokens_of_any_layout_are_embedded() {
    for n_state in [384, 512, 30] {
        let (table, positions) = (random([1000, n_state]), random([448, n_state]));
        for (rows, n, offset) in [(1, 4, 0), (1, 1, 300), (3, 1, 447), (2, 5, 11)] {
            // Columns of a wider tensor, as those of sampled tokens.
            let ids: Vec<i64> = (0..rows * (n + 1))
                .map(|i| (i as i64 * 77) % 1000)
                .collect();
            compare(&format!("embedding of {rows} x {n}"), |device, dtype| {
                let ids = TensorData::new(ids.clone(), [rows, n + 1]);
                let tokens = Tensor::<2, Int>::from_data(ids, device).narrow(1, 1, n);
                let [table, positions] = [&table, &positions].map(|x| on(device, dtype, x));
                embed(tokens, table, positions, offset)
            });
        }
    }
}
