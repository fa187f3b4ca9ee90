//! What is counted: the operations that take a transcription's time on a CPU, at shapes of tiny and base that are cut where
//! valgrind would take long.

use std::hint::black_box;
use std::ops::Range;

use burn::tensor::{Device, FloatDType, Int, Tensor, TensorData};
use whisper_kernels::{
    AttentionOptions, IntegerBits, LogMelConfig, Pcm, QuantisedWeight, RefinedWeight, Smoothing,
    TimestampTokens, Windows, attention, gelu, linear, linear_gelu, most_probable,
    quantised_linear, refined_linear, timestamp_rules,
};

/// One operation on fixed inputs.
pub struct Case {
    pub name: &'static str,
    /// Makes the inputs, and gives the call that is counted.
    prepare: fn() -> Box<dyn Fn()>,
}

/// Name of the function whose calls are counted.
pub const COUNTED: &str = "whisper_rs_counted_call";

impl Case {
    /// Runs the operation twice: what it sets up at its first call is not counted.
    pub fn run(&self) {
        let call = (self.prepare)();
        call();
        whisper_rs_counted_call(&call);
    }
}

/// The name stays as it is, so that valgrind finds it.
#[unsafe(no_mangle)]
#[inline(never)]
fn whisper_rs_counted_call(call: &dyn Fn()) {
    call();
}

/// All of them, in the order of the file.
pub const CASES: &[Case] = &[
    Case {
        name: "log_mel of 1 s, 80 bins",
        prepare: || log_mel(80, Smoothing::Off),
    },
    Case {
        name: "log_mel of 1 s, 128 bins, smoothed",
        prepare: || log_mel(128, Smoothing::Average3x3),
    },
    Case {
        name: "linear [1, 512] x [512, 2048]",
        prepare: || dense(1, 512, 2048, linear),
    },
    Case {
        name: "linear [5, 512] x [512, 512]",
        prepare: || dense(5, 512, 512, linear),
    },
    Case {
        name: "linear [100, 384] x [384, 384]",
        prepare: || dense(100, 384, 384, linear),
    },
    Case {
        name: "linear_gelu [100, 384] x [384, 1536]",
        prepare: || dense(100, 384, 1536, linear_gelu),
    },
    Case {
        name: "quantised_linear [100, 384] x [384, 384], 16 bits",
        prepare: || quantised(100, 384, 384),
    },
    Case {
        name: "quantised_linear [1, 512] x [512, 2048], 16 bits",
        prepare: || quantised(1, 512, 2048),
    },
    Case {
        name: "refined_linear [1, 512] x [512, 5187]",
        prepare: || refined(1, 512, 5187),
    },
    Case {
        name: "refined_linear [5, 512] x [512, 5187]",
        prepare: || refined(5, 512, 5187),
    },
    Case {
        name: "attention of 1 query to 1500, 8 heads",
        prepare: || attend(1, 1, 1500, false),
    },
    Case {
        name: "attention of 5 x 1 query to 100 of 448, causal",
        prepare: || attend(5, 1, 100, true),
    },
    Case {
        name: "attention of 27 queries to 27 of 448, causal",
        prepare: || attend(1, 27, 27, true),
    },
    Case {
        name: "attention of 40 queries to 1500, 8 heads",
        prepare: || attend(1, 40, 1500, false),
    },
    Case {
        name: "gelu [100, 2048]",
        prepare: || {
            let x = tensor([100, 2048]);
            Box::new(move || drop(black_box(gelu(x.clone()))))
        },
    },
    Case {
        name: "timestamp_rules and most_probable of 51865",
        prepare: choose,
    },
];

fn log_mel(n_mels: usize, smoothing: Smoothing) -> Box<dyn Fn()> {
    let config = LogMelConfig::new(n_mels).with_smoothing(smoothing);
    let log_mel = config.init(&Device::flex()).expect("80 or 128 bins");
    let samples = tensor([1, 16_000]);
    let frames = log_mel.frames(16_000);
    Box::new(move || {
        let pcm = Pcm::whole(samples.clone());
        let maximum = log_mel.maximum(&pcm, None);
        let features = log_mel.windows(&pcm, &maximum, Windows::one(0, frames), FloatDType::F32);
        drop(black_box(features.expect("the samples hold their frames")));
    })
}

type Layer = fn(Tensor<2>, Tensor<2>, Option<Tensor<1>>) -> Tensor<2>;

fn dense(rows: usize, inputs: usize, outputs: usize, layer: Layer) -> Box<dyn Fn()> {
    let (x, weight) = (tensor([rows, inputs]), tensor([outputs, inputs]));
    let bias: Tensor<1> = tensor([1, outputs]).squeeze_dim(0);
    Box::new(move || {
        drop(black_box(layer(
            x.clone(),
            weight.clone(),
            Some(bias.clone()),
        )));
    })
}

fn quantised(rows: usize, inputs: usize, outputs: usize) -> Box<dyn Fn()> {
    let (x, weight) = (tensor([rows, inputs]), values([outputs, inputs]));
    let bits = IntegerBits::Sixteen;
    let weight = QuantisedWeight::new(&weight, [outputs, inputs], bits, &Device::flex());
    let bias: Tensor<1> = tensor([1, outputs]).squeeze_dim(0);
    Box::new(move || {
        let y = quantised_linear(x.clone(), &weight, Some(bias.clone()));
        drop(black_box(y));
    })
}

fn refined(rows: usize, inputs: usize, outputs: usize) -> Box<dyn Fn()> {
    let (x, weight) = (tensor([rows, inputs]), values([outputs, inputs]));
    let some = |rows: Range<usize>| weight[rows.start * inputs..rows.end * inputs].to_vec();
    let weight = RefinedWeight::from_rows(some, [outputs, inputs], &Device::flex());
    Box::new(move || drop(black_box(refined_linear(x.clone(), &weight))))
}

/// Heads of 64, 512 together, as base has them; a self-attention's cache has room for 448.
fn attend(batch: usize, n_query: usize, kv_len: usize, causal: bool) -> Box<dyn Fn()> {
    let n_ctx = if causal { 448 } else { kv_len };
    let [query, key, value] = [n_query, n_ctx, n_ctx]
        .map(|length| tensor([batch * length, 512]).reshape([batch, length, 512]));
    let options = AttentionOptions {
        n_head: 8,
        kv_len,
        causal,
        integer_scores: false,
    };
    Box::new(move || {
        let context: Tensor<3> = attention(query.clone(), key.clone(), value.clone(), options);
        drop(black_box(context));
    })
}

/// The choice of a token after text, by the rules of the multilingual models.
fn choose() -> Box<dyn Fn()> {
    let logits = tensor([1, 51_865]);
    let sampled = Tensor::<2, Int>::from_ints([[50_364, 11, 12]], &Device::flex());
    let tokens = TimestampTokens {
        end_of_text: 50_257,
        no_timestamps: 50_363,
        begin: 50_364,
        latest_first: Some(50_414),
    };
    Box::new(move || {
        let allowed = timestamp_rules(logits.clone(), sampled.clone(), 3, tokens);
        drop(black_box(most_probable(allowed).report.into_data()));
    })
}

fn tensor(shape: [usize; 2]) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values(shape), shape), &Device::flex())
}

/// Values from -1 to 1, the same on every machine.
fn values(shape: [usize; 2]) -> Vec<f32> {
    let mut state = 1u32;
    let values = (0..shape[0] * shape[1]).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    });
    values.collect()
}
