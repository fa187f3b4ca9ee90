//! Whisper's linear layers and attention on CUDA: how long they take in single and in half precision, and how far half is from single.
//!
//! `cargo bench -p whisper-kernels --features cuda --bench gpu_operations`

use std::time::Instant;

use burn::tensor::{Device, Distribution, FloatDType, Tensor};
use whisper_kernels::{AttentionOptions, attention, linear_gelu};

/// Rows, columns and terms of the linear layers of tiny, base and large: of steps of the decoder, of prompts, of one window and of eight.
const LAYERS: [(usize, usize, usize); 21] = [
    (1, 512, 512),
    (8, 512, 512),
    (32, 512, 512),
    (8, 512, 2048),
    (8, 51865, 512),
    (1, 1280, 1280),
    (8, 1280, 5120),
    (32, 1280, 5120),
    (100, 1536, 384),
    (1500, 384, 384),
    (1500, 384, 1536),
    (1500, 512, 512),
    (1500, 2048, 512),
    (1500, 512, 2048),
    (12_000, 512, 512),
    (12_000, 2048, 512),
    (12_000, 512, 2048),
    (1500, 1280, 1280),
    (1500, 5120, 1280),
    (12_000, 5120, 1280),
    (12_000, 1280, 5120),
];

/// Sequences, heads, queries and keys; whether a query sees those after it.
const ATTENTIONS: [(usize, usize, usize, usize, bool); 7] = [
    (1, 6, 1500, 1500, false),
    (1, 8, 1500, 1500, false),
    (8, 8, 1500, 1500, false),
    (1, 20, 1500, 1500, false),
    (8, 20, 1500, 1500, false),
    (2, 8, 224, 224, true),
    (2, 8, 100, 1500, false),
];

/// Calls timed together, and how often: medians.
const CALLS: usize = 10;
const TIMES: usize = 5;

fn main() {
    let device = Device::cuda(0);
    for (rows, columns, terms) in LAYERS {
        let x = random([1, rows, terms], &device);
        let weight: Tensor<2> = random([1, columns, terms], &device).squeeze_dim(0);
        let bias: Tensor<1> = random([1, 1, columns], &device).reshape([columns]);
        let layer = |dtype: FloatDType| {
            let (x, weight) = (x.clone().cast(dtype), weight.clone().cast(dtype));
            let bias = bias.clone().cast(dtype);
            move || linear_gelu(x.clone(), weight.clone(), Some(bias.clone()))
        };
        let name = format!("{rows} x {columns} x {terms}, bias and GELU");
        report(&name, 2 * rows * columns * terms, layer, &device);
    }
    for (batch, n_head, n_query, n_key, causal) in ATTENTIONS {
        let heads =
            [n_query, n_key, n_key].map(|length| random([batch, length, n_head * 64], &device));
        let options = AttentionOptions {
            n_head,
            kv_len: n_key,
            causal,
            integer_scores: false,
        };
        let attend = |dtype: FloatDType| {
            let [query, key, value] = heads.clone().map(|x| x.cast(dtype));
            move || attention(query.clone(), key.clone(), value.clone(), options)
        };
        let name = format!("attention of {batch} x {n_head}, {n_query} x {n_key}");
        report(
            &name,
            4 * batch * n_head * n_query * n_key * 64,
            attend,
            &device,
        );
    }
}

/// Numbers that half precision holds.
fn random(shape: [usize; 3], device: &Device) -> Tensor<3> {
    let normal = Distribution::Normal(0.0, 0.5);
    Tensor::<3>::random(shape, normal, device).cast(FloatDType::F16)
}

/// One line: the time and rate of each precision, and the largest difference between them.
fn report<F: Fn() -> Tensor<3>>(
    name: &str,
    operations: usize,
    operation: impl Fn(FloatDType) -> F,
    device: &Device,
) {
    let [single, half] = [FloatDType::F32, FloatDType::F16].map(operation);
    let apart = (half().cast(FloatDType::F32) - single()).abs().max();
    let apart: f32 = apart.into_scalar();
    let measured = |seconds: f64| {
        let rate = 1e-12 * operations as f64 / seconds;
        format!("{:8.1} us ({rate:5.1} TFLOP/s)", 1e6 * seconds)
    };
    let [single, half] = [
        measured(seconds(single, device)),
        measured(seconds(half, device)),
    ];
    println!("{name}: single {single}, half {half}, {apart:.4} apart");
}

fn seconds(operation: impl Fn() -> Tensor<3>, device: &Device) -> f64 {
    let mut times: Vec<f64> = (0..TIMES)
        .map(|_| {
            device.sync().expect("the device");
            let begin = Instant::now();
            for _ in 0..CALLS {
                operation();
            }
            device.sync().expect("the device");
            begin.elapsed().as_secs_f64() / CALLS as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[TIMES / 2]
}
