//! The operations beside the Burn expressions they stand for, on the CPU, at the shapes of the
//! model `base`.
//!
//! Each pair runs alternately, so that whatever else the machine does falls on both; the ratio is
//! the median over the pairs. The shortest of the times says what the code can do, the medians what
//! it did beside the rest. Run with `cargo bench -p whisper-kernels`, with the beginning of a
//! line's name to run only some. The lines of integers, and of a weight in half precision, stand beside [`linear`] in `f32` instead.

use std::time::{Duration, Instant};

use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{DType, Device, Distribution, Tensor, activation, module};
use whisper_kernels::{
    AttentionOptions, IntegerBits, QuantisedWeight, attention, gelu, linear, linear_gelu,
    quantised_linear,
};

const N_STATE: usize = 512;
const N_HEAD: usize = 8;

fn main() {
    let filter = std::env::args()
        .nth(1)
        .filter(|argument| !argument.starts_with('-'));
    let pairs = Pairs {
        filter: filter.unwrap_or_default(),
    };
    println!(
        "{:<40} {:>9} {:>9} {:>9} {:>9} {:>6}",
        "milliseconds", "median", "burn", "least", "burn", "ratio"
    );

    for rows in [1, 1500] {
        let x = random([rows, 2048]);
        pairs.time(
            &format!("gelu [{rows}, 2048]"),
            || gelu(x.clone()),
            || activation::gelu(x.clone()),
        );
    }

    for (n_query, n_ctx, kv_len, causal) in [
        (1500, 1500, 1500, false),
        (224, 448, 224, true),
        (27, 448, 27, true),
        (27, 1500, 1500, false),
        (8, 1500, 1500, false),
        (4, 1500, 1500, false),
        (1, 1500, 1500, false),
        (1, 448, 1, true),
        (1, 448, 30, true),
        (1, 448, 200, true),
    ] {
        time_attention(&pairs, 1, n_query, n_ctx, kv_len, causal);
    }
    time_attention(&pairs, 5, 1, 1500, 1500, false);
    time_attention(&pairs, 5, 1, 448, 100, true);

    for (inputs, outputs) in [
        (512, 512),
        (512, 1536),
        (512, 2048),
        (2048, 512),
        (512, 51865),
    ] {
        let weight = random([outputs, inputs]);
        let bias = Tensor::<1>::random([outputs], Distribution::Default, &Device::flex());
        let transposed = weight.clone().transpose() + 0.0;
        for rows in [1, 5, 8, 27, 48, 224, 1500] {
            if rows > 27 && outputs > 10_000 {
                continue;
            }
            let x = random([rows, inputs]);
            let name = format!("[{rows}, {inputs}] x [{inputs}, {outputs}]");
            let burn = |weight: Tensor<2>| x.clone().matmul(weight) + bias.clone().unsqueeze();
            let ours = || linear(x.clone(), weight.clone(), Some(bias.clone()));
            pairs.time(&format!("linear {name}"), ours, || {
                burn(weight.clone().transpose())
            });
            pairs.time(&format!("linear {name} [in, out]"), ours, || {
                burn(transposed.clone())
            });
        }
    }

    for (rows, inputs, outputs) in [
        (1500, 512, 512),
        (1500, 512, 2048),
        (1500, 2048, 512),
        (5, 512, 2048),
        (1, 512, 2048),
        (1, 512, 51865),
    ] {
        let (x, weight) = (random::<2>([rows, inputs]), random::<2>([outputs, inputs]));
        let values: Vec<f32> = weight.to_data().try_to_vec().expect("f32 values");
        let name = format!("[{rows}, {inputs}] x [{inputs}, {outputs}]");
        for bits in [IntegerBits::Eight, IntegerBits::Sixteen] {
            let integers = QuantisedWeight::new(&values, [outputs, inputs], bits, &Device::flex());
            pairs.time(
                &format!("integers {bits:?} {name}"),
                || quantised_linear(x.clone(), &integers, None),
                || linear(x.clone(), weight.clone(), None),
            );
        }
        let half = weight.clone().cast(DType::F16);
        pairs.time(
            &format!("half {name}"),
            || linear(x.clone(), half.clone(), None),
            || linear(x.clone(), weight.clone(), None),
        );
    }

    let (x, weight) = (random([1500, 512]), random([2048, 512]));
    let bias = Tensor::<1>::random([2048], Distribution::Default, &Device::flex());
    pairs.time(
        "linear_gelu [1500, 512] x [512, 2048]",
        || linear_gelu(x.clone(), weight.clone(), Some(bias.clone())),
        || {
            let y = x.clone().matmul(weight.clone().transpose()) + bias.clone().unsqueeze();
            activation::gelu(y)
        },
    );
}

fn time_attention(
    pairs: &Pairs,
    batch: usize,
    n_query: usize,
    n_ctx: usize,
    kv_len: usize,
    causal: bool,
) {
    let query = random([batch, n_query, N_STATE]);
    let [key, value] = [(); 2].map(|()| random([batch, n_ctx, N_STATE]));
    let options = AttentionOptions {
        n_head: N_HEAD,
        kv_len,
        causal,
        integer_scores: false,
    };
    let heads = |x: Tensor<3>, length: usize| {
        x.reshape([batch, length, N_HEAD, N_STATE / N_HEAD])
            .swap_dims(1, 2)
    };
    pairs.time(
        &format!("attention {batch} x {n_query} of {kv_len}/{n_ctx}"),
        || attention(query.clone(), key.clone(), value.clone(), options),
        || {
            let cache = |cache: &Tensor<3>| heads(cache.clone().narrow(1, 0, kv_len), kv_len);
            let (query, key, value) = (heads(query.clone(), n_query), cache(&key), cache(&value));
            let options = AttentionModuleOptions {
                is_causal: causal,
                ..Default::default()
            };
            let context = module::attention(query, key, value, None, None, options);
            context.swap_dims(1, 2).reshape([batch, n_query, N_STATE])
        },
    );
}

fn random<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), &Device::flex())
}

struct Pairs {
    /// Beginning of the names that are run.
    filter: String,
}

impl Pairs {
    /// Runs the two alternately for about half a second and prints a line.
    fn time<const D: usize>(
        &self,
        name: &str,
        here: impl Fn() -> Tensor<D>,
        burn: impl Fn() -> Tensor<D>,
    ) {
        if !name.starts_with(&self.filter) {
            return;
        }
        let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        let start = Instant::now();
        while ours.len() < 7 || (start.elapsed() < Duration::from_millis(500) && ours.len() < 2000)
        {
            let (a, b) = (time(&here), time(&burn));
            ours.push(a);
            theirs.push(b);
            ratios.push(b / a);
        }
        let [ours, theirs, ratios] = [ours, theirs, ratios].map(Spread::new);
        println!(
            "{name:<40} {:>9.4} {:>9.4} {:>9.4} {:>9.4} {:>6.2}",
            ours.median, theirs.median, ours.least, theirs.least, ratios.median
        );
    }
}

struct Spread {
    least: f64,
    median: f64,
}

impl Spread {
    fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self {
            least: values[0],
            median: values[values.len() / 2],
        }
    }
}

/// Milliseconds of one call.
fn time<const D: usize>(call: impl Fn() -> Tensor<D>) -> f64 {
    let start = Instant::now();
    std::hint::black_box(call());
    start.elapsed().as_secs_f64() * 1e3
}
