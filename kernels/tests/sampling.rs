//! The choice of the next token on every device compiled in, against the same on the host.

#![cfg(feature = "flex")]
#![cfg_attr(feature = "ndarray", allow(deprecated))]

#[path = "support/devices.rs"]
mod devices;

use burn::tensor::{DType, Device, FloatDType, Int, Tensor, TensorData};
use devices::devices;
use whisper_kernels::{Chosen, TimestampTokens, most_probable, timestamp_rules};

const N_VOCAB: usize = 51_865;

/// Those of multilingual models.
const TOKENS: TimestampTokens = TimestampTokens {
    end_of_text: 50_257,
    no_timestamps: 50_363,
    begin: 50_364,
    latest_first: Some(50_414),
};

/// Numbers between -8 and 8, other ones for each seed.
fn noise(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 20) as f32 - 8.0
    };
    (0..count).map(|_| next()).collect()
}

fn logits(rows: &[Vec<f32>], device: &Device, dtype: FloatDType) -> Tensor<2> {
    let data = TensorData::new(rows.concat(), [rows.len(), rows[0].len()]);
    Tensor::<2>::from_data(data, (device, DType::F32)).cast(dtype)
}

fn tokens(rows: &[&[i32]], device: &Device) -> Tensor<2, Int> {
    let data = TensorData::new(rows.concat(), [rows.len(), rows[0].len()]);
    Tensor::from_data(data, (device, DType::I32))
}

/// Flex, and the others in each type that they have.
fn everywhere() -> Vec<(String, Device, FloatDType)> {
    let mut all = vec![("flex".to_owned(), Device::flex(), FloatDType::F32)];
    for (name, device) in devices() {
        for dtype in [FloatDType::F32, FloatDType::F16] {
            if device.supports_dtype(DType::from(dtype)) {
                all.push((format!("{name}, {dtype:?}"), device.clone(), dtype));
            }
        }
    }
    all
}

/// Rows whose numbers f16 has too.
fn coarse(rows: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
    let round = |x: f32| (x * 64.0).round() / 64.0;
    (rows.into_iter())
        .map(|row| row.into_iter().map(round).collect())
        .collect()
}

#[test]
fn the_rules_for_timestamps_are_the_same_everywhere() {
    let stamp = |hundredths: i32| 50_364 + hundredths / 2;
    let sampled: [&[i32]; 4] = [
        &[stamp(20), 11, stamp(90), 7],
        &[stamp(20), stamp(20), 5, 7],
        &[11, 12, 13, 14],
        &[stamp(0), 11, 12, stamp(40)],
    ];
    let mut rows: Vec<_> = (0..4).map(|seed| noise(N_VOCAB, seed + 1)).collect();
    // Timestamps outweigh the text of one row by far, and in another text is far above all.
    rows[1][50_364..].iter_mut().for_each(|logit| *logit += 4.0);
    rows[2][300] = 30.0;
    let rows = coarse(rows);
    for step in 0..=4 {
        // By its definition, row by row.
        let expected: Vec<Vec<f32>> = (rows.iter().zip(sampled))
            .map(|(row, sampled)| by_definition(row, &sampled[..step]))
            .collect();
        for (name, device, dtype) in everywhere() {
            let sampled = tokens(&sampled, &device);
            let ruled = timestamp_rules(logits(&rows, &device, dtype), sampled, step, TOKENS);
            let found: Vec<f32> = ruled.into_data().iter::<f32>().collect();
            assert!(found == expected.concat(), "{name}, step {step}");
        }
    }
}

/// The rules as openai/whisper states them (decoding.py:462-505), without the ranges that the operation makes of them.
fn by_definition(logits: &[f32], sampled: &[i32]) -> Vec<f32> {
    let begin = 50_364;
    let forbidden = |id: usize| {
        let is_timestamp = |token: i32| token >= begin;
        let id_is_timestamp = id as i32 >= begin;
        if id == 50_363 {
            return true;
        }
        let Some(&last) = sampled.last() else {
            return !id_is_timestamp || id > 50_414;
        };
        let penultimate = sampled.len() < 2 || is_timestamp(sampled[sampled.len() - 2]);
        let pair = match (is_timestamp(last), penultimate) {
            (true, true) => id_is_timestamp,
            (true, false) => id < 50_257,
            _ => false,
        };
        let latest = sampled.iter().rfind(|&&token| is_timestamp(token));
        let early = latest.is_some_and(|&latest| {
            let first = if is_timestamp(last) && !penultimate {
                latest
            } else {
                latest + 1
            };
            id_is_timestamp && (id as i32) < first
        });
        pair || early
    };
    let mut row: Vec<f32> = (logits.iter().enumerate())
        .map(|(id, &logit)| match forbidden(id) {
            true => f32::NEG_INFINITY,
            false => logit,
        })
        .collect();
    let (text, timestamps) = row.split_at_mut(begin as usize);
    let all: f64 = timestamps.iter().map(|&x| f64::from(x).exp()).sum();
    let best = text.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if all.ln() > f64::from(best) {
        text.fill(f32::NEG_INFINITY);
    }
    row
}

#[test]
fn the_most_probable_token_is_the_same_everywhere() {
    let mut rows: Vec<_> = (0..3).map(|seed| noise(N_VOCAB, seed + 9)).collect();
    // Two are equal, of which the first counts; all but one are forbidden.
    rows[0][40_000] = 9.0;
    rows[0][31] = 9.0;
    rows[1].fill(f32::NEG_INFINITY);
    rows[1][N_VOCAB - 1] = -3.0;
    let rows = coarse(rows);
    for (name, device, dtype) in everywhere() {
        let chosen = most_probable(logits(&rows, &device, dtype));
        let tokens: Vec<i32> = chosen.tokens.into_data().iter::<i32>().collect();
        let chosen: Vec<i32> = chosen.report.into_data().iter::<i32>().collect();
        assert_eq!(
            tokens,
            chosen.iter().copied().step_by(2).collect::<Vec<_>>()
        );
        for (row, chosen) in rows.iter().zip(chosen.chunks_exact(2)) {
            let chosen = Chosen::of([chosen[0], chosen[1]]);
            let highest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let first = row.iter().position(|&logit| logit == highest).unwrap();
            assert_eq!(chosen.token, Some(first as u32), "{name}");
            let all: f64 = row.iter().map(|&x| f64::from(x - highest).exp()).sum();
            let expected = -all.ln() as f32;
            let apart = (chosen.logprob - expected).abs();
            assert!(apart < 1e-5, "{name}: {} for {expected}", chosen.logprob);
        }
    }
}

#[test]
fn what_allows_nothing_and_what_is_no_number_is_told() {
    let mut rows = vec![vec![f32::NEG_INFINITY; 100], noise(100, 3)];
    rows[1][50] = f32::NAN;
    for (name, device, dtype) in everywhere() {
        let chosen = most_probable(logits(&rows, &device, dtype));
        let tokens: Vec<i32> = chosen.tokens.into_data().iter::<i32>().collect();
        let chosen: Vec<i32> = chosen.report.into_data().iter::<i32>().collect();
        assert_eq!(
            tokens,
            chosen.iter().copied().step_by(2).collect::<Vec<_>>()
        );
        assert_eq!(Chosen::of([chosen[0], chosen[1]]).token, None, "{name}");
        let logprob = Chosen::of([chosen[2], chosen[3]]).logprob;
        assert!(logprob.is_nan(), "{name}: {logprob}");
    }
}
