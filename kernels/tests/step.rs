//! Steps of decoding whose position is on the device, repeated, against the operations that know it.

#![cfg(feature = "flex")]
#![cfg_attr(feature = "ndarray", allow(deprecated))]

#[path = "support/devices.rs"]
mod devices;

use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::tensor::{DType, Device, Distribution, FloatDType, Int, Tensor, TensorData};
use devices::devices;
use whisper_kernels::{
    AttentionOptions, Chosen, HEAD_WIDTH, Progress, Repeated, TimestampTokens, append, attention,
    attention_so_far, embed, embed_newest, linear, most_probable, overwrite, record,
    timestamp_rules, timestamp_rules_so_far,
};

const ROWS: usize = 3;
const N_CTX: usize = 300;
const N_HEAD: usize = 3;
const N_STATE: usize = N_HEAD * HEAD_WIDTH;
const N_VOCAB: usize = 700;
const CAPACITY: usize = 8;
/// Positions before the first token.
const PROMPT: usize = 200;

const TOKENS: TimestampTokens = TimestampTokens {
    end_of_text: 500,
    no_timestamps: 503,
    begin: 504,
    latest_first: None,
};

/// Recordings are made by one thread at a time, and these tests by several.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    whisper_kernels::allow_recordings(true);
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the steps begin with, on the CPU.
struct Start {
    table: Tensor<2>,
    positions: Tensor<2>,
    keys: Tensor<3>,
    values: Tensor<3>,
}

impl Start {
    fn new() -> Self {
        let device = Device::flex();
        device.seed(5);
        let normal = Distribution::Normal(0.0, 1.0);
        Self {
            table: Tensor::random([N_VOCAB, N_STATE], normal, (&device, DType::F32)),
            positions: Tensor::random([N_CTX, N_STATE], normal, (&device, DType::F32)),
            keys: Tensor::random([ROWS, N_CTX, N_STATE], normal, (&device, DType::F32)),
            values: Tensor::random([ROWS, N_CTX, N_STATE], normal, (&device, DType::F32)),
        }
    }

    fn on(&self, device: &Device, dtype: FloatDType) -> Self {
        let flat =
            |x: &Tensor<2>| Tensor::<2>::from_data(x.to_data(), (device, DType::F32)).cast(dtype);
        let deep =
            |x: &Tensor<3>| Tensor::<3>::from_data(x.to_data(), (device, DType::F32)).cast(dtype);
        Self {
            table: flat(&self.table),
            positions: flat(&self.positions),
            keys: deep(&self.keys),
            values: deep(&self.values),
        }
    }
}

/// The tokens of each step, and the logits of the last.
type Steps = (Vec<Vec<u32>>, Vec<f32>);

fn tokens_of(report: &Tensor<2, Int>) -> Vec<u32> {
    let report: Vec<i32> = report.to_data().iter::<i32>().collect();
    let rows = report.chunks_exact(2);
    rows.map(|row| Chosen::of([row[0], row[1]]).token.unwrap())
        .collect()
}

/// Positions are known on the host.
fn counted(start: &Start, device: &Device) -> Steps {
    let mut sampled = Tensor::<2, Int>::zeros([ROWS, CAPACITY], (device, DType::I32));
    let (mut keys, mut values) = (start.keys.clone(), start.values.clone());
    let mut steps = Vec::new();
    let mut last = Vec::new();
    for step in 1..CAPACITY {
        let newest = sampled.clone().narrow(1, step - 1, 1);
        let position = PROMPT + step - 1;
        let x = embed(
            newest,
            start.table.clone(),
            start.positions.clone(),
            position,
        );
        let place = [0..ROWS, position..position + 1, 0..N_STATE];
        keys = keys.slice_assign(place.clone(), x.clone());
        values = values.slice_assign(place, x.clone() * 0.5);
        let options = AttentionOptions {
            n_head: N_HEAD,
            kv_len: position + 1,
            causal: true,
            integer_scores: false,
        };
        let attended = attention(x.clone(), keys.clone(), values.clone(), options);
        let logits = linear(x * 0.01 - attended, start.table.clone(), None).squeeze_dim(1);
        let ruled = timestamp_rules(logits, sampled.clone(), step, TOKENS);
        last = ruled
            .clone()
            .cast(FloatDType::F32)
            .into_data()
            .iter::<f32>()
            .collect();
        let report = most_probable(ruled).report;
        steps.push(tokens_of(&report));
        let tokens = report.narrow(1, 0, 1);
        sampled = sampled.slice_assign([0..ROWS, step..step + 1], tokens);
    }
    (steps, last)
}

/// Positions are known to the device alone.
fn repeated(start: Start, device: &Device) -> (Steps, bool) {
    let Start {
        table,
        positions,
        mut keys,
        mut values,
    } = start;
    let mut sampled = Tensor::<2, Int>::zeros([ROWS, CAPACITY], (device, DType::I32));
    // The first token of all rows is 0, at the end of the prompt.
    let mut progress = Progress::new(PROMPT, 1, device);
    let mut work = Repeated::new(device, || {
        let x = embed_newest(sampled.clone(), &progress, table.clone(), positions.clone());
        let (key, value) = (x.clone(), x.clone() * 0.5);
        (keys, values) = append(keys.clone(), values.clone(), key, value, &progress);
        let attended = attention_so_far(x.clone(), keys.clone(), values.clone(), N_HEAD, &progress);
        let logits = linear(x * 0.01 - attended, table.clone(), None).squeeze_dim(1);
        let ruled = timestamp_rules_so_far(logits, sampled.clone(), &progress, TOKENS);
        let report = most_probable(ruled.clone()).report;
        (sampled, progress) = record(sampled.clone(), progress.clone(), report.clone());
        (report, ruled)
    });
    let mut steps = Vec::new();
    let mut last = Vec::new();
    for _ in 1..CAPACITY {
        let (report, ruled) = work.run().unwrap();
        steps.push(tokens_of(report));
        last = ruled
            .clone()
            .cast(FloatDType::F32)
            .into_data()
            .iter::<f32>()
            .collect();
    }
    ((steps, last), work.is_recorded())
}

#[test]
fn steps_are_the_same_however_the_position_is_known() {
    let _alone = alone();
    let start = Start::new();
    let (expected, logits) = counted(&start, &Device::flex());
    assert!(expected.windows(2).any(|pair| pair[0] != pair[1]));
    let mut all = vec![("flex", Device::flex(), FloatDType::F32)];
    for (name, device) in devices() {
        all.push((name, device, FloatDType::F32));
    }
    for (name, device, dtype) in all {
        let ((steps, last), recorded) = repeated(start.on(&device, dtype), &device);
        assert_eq!(steps, expected, "{name}");
        for (ours, expected) in last.iter().zip(&logits) {
            let same = ours == expected || (ours - expected).abs() < 1e-3;
            assert!(same, "{name}: {ours} for {expected}");
        }
        // Others may as well.
        assert!(recorded || name != "cuda", "{name} repeats a recording");
        assert!(!recorded || name != "flex", "{name} repeats a recording");
    }
}

#[test]
fn work_that_is_dropped_early_leaves_the_device_as_it_was() {
    let _alone = alone();
    for (name, device) in devices() {
        for runs in 0..5 {
            let mut sum = Tensor::<1>::zeros([4], &device);
            let one = Tensor::<1>::ones([4], &device);
            let mut work = Repeated::new(&device, || {
                let next = sum.clone() + one.clone();
                sum = next.clone();
                next
            });
            for _ in 0..runs {
                work.run().unwrap();
            }
            drop(work);
            let after = Tensor::<1>::ones([4], &device) * 3.0;
            let after: Vec<f32> = after.into_data().iter::<f32>().collect();
            assert_eq!(after, [3.0; 4], "{name} after {runs} runs");
        }
    }
}

#[test]
fn memory_is_written_over_whatever_its_layout() {
    let _alone = alone();
    for (name, device) in devices() {
        // Rows of 6,000 and of 6 bytes, between which a device may leave room.
        for width in [1500, 3] {
            let mut kept = Tensor::<3>::zeros([2, 5, width], (&device, DType::F32));
            for round in 0..3 {
                let values: Vec<f32> = (0..10 * width).map(|i| (i + round) as f32).collect();
                let source = TensorData::new(values.clone(), [2, 5, width]);
                let source = Tensor::<3>::from_data(source, &device);
                kept = overwrite(kept.clone(), source);
                let found: Vec<f32> = (kept.clone() + 0.0).into_data().iter::<f32>().collect();
                assert_eq!(found, values, "{name}, {width}, round {round}");
            }
        }
    }
}
