//! The choice of the next token: a cube for each row of logits.

use burn::backend::TensorMetadata;
use burn::backend::cubecl::dtype_to_elem_type;
use burn::tensor::{DType, Shape};
use burn_cubecl::cubecl;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::reduce::{UNITS, largest_of_all, sum_of_all};
use super::{empty, line_of_cubes};
use crate::TimestampTokens;

/// The tokens that the rules speak of.
#[derive(CubeLaunch, CubeType, Clone, Copy)]
struct Tokens {
    end_of_text: i32,
    no_timestamps: i32,
    begin: i32,
    latest_first: i32,
}

/// What a row allows, as [`AllowedTokens`](crate::AllowedTokens).
#[derive(CubeType, Clone, Copy)]
struct Allowed {
    text_begin: i32,
    timestamps_begin: i32,
    timestamps_end: i32,
}

/// What the tokens sampled so far allow: as `TimestampTokens::allowed`.
#[cube]
fn allowed(sampled: &[i32], row: usize, step: usize, n_vocab: i32, tokens: &Tokens) -> Allowed {
    let mut text_begin = tokens.begin;
    let mut timestamps_begin = tokens.begin;
    let mut timestamps_end = min(n_vocab, tokens.latest_first + 1);
    if step > 0 {
        text_begin = 0i32;
        timestamps_end = n_vocab;
        let mut latest = i32::new(-1);
        for at in 0..step {
            // Timestamps are above all text and never decrease.
            latest = max(latest, sampled[row + at]);
        }
        let last = sampled[row + step - 1] >= tokens.begin;
        let mut after_timestamp = true;
        if step > 1 {
            after_timestamp = sampled[row + step - 2] >= tokens.begin;
        }
        if latest >= tokens.begin {
            timestamps_begin = latest + 1;
        }
        if last && after_timestamp {
            timestamps_begin = n_vocab;
        }
        if last && !after_timestamp {
            text_begin = tokens.end_of_text;
            timestamps_begin = latest;
        }
    }
    Allowed {
        text_begin,
        timestamps_begin,
        timestamps_end,
    }
}

/// The rules for timestamps after `step` tokens, in two passes over the row of a cube: the statistics, and the result.
#[cube]
fn apply_timestamp_rules<E: Float>(
    logits: &[E],
    sampled: &[i32],
    output: &mut [E],
    tokens: &Tokens,
    rows: u32,
    n_vocab: u32,
    capacity: u32,
    step: usize,
    forbidden: f32,
) {
    let unit = UNIT_POS as usize;
    let n_vocab = n_vocab as usize;
    // The grid may have more cubes than there are rows: those write the last row once more.
    let row = min(CUBE_POS as u32, rows - 1) as usize;
    let allowed = allowed(
        sampled,
        row * capacity as usize,
        step,
        n_vocab as i32,
        tokens,
    );
    let row = row * n_vocab;
    let lowest = f32::new(-3.0e38);
    let mut text = lowest;
    let mut timestamps = lowest;
    let mut at = unit;
    while at < n_vocab {
        let logit = f32::cast_from(logits[row + at]);
        let id = at as i32;
        if id < tokens.begin {
            if id >= allowed.text_begin && id != tokens.no_timestamps {
                text = max(text, logit);
            }
        } else if id >= allowed.timestamps_begin && id < allowed.timestamps_end {
            timestamps = max(timestamps, logit);
        }
        at += UNITS;
    }
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    let text = largest_of_all(text, &mut shared);
    let timestamps = largest_of_all(timestamps, &mut shared);
    let mut sum = 0.0f32;
    let mut at = unit + tokens.begin as usize;
    while at < n_vocab {
        let id = at as i32;
        let logit = f32::cast_from(logits[row + at]);
        if id >= allowed.timestamps_begin && id < allowed.timestamps_end && logit > lowest {
            sum += (logit - timestamps).exp();
        }
        at += UNITS;
    }
    let sum = sum_of_all(sum, &mut shared);
    let mut text_begin = allowed.text_begin;
    if timestamps > lowest && timestamps + sum.ln() > text {
        text_begin = tokens.begin;
    }
    let mut at = unit;
    while at < n_vocab {
        let id = at as i32;
        let mut logit = f32::cast_from(logits[row + at]);
        if id < tokens.begin {
            if id < text_begin || id == tokens.no_timestamps {
                logit = forbidden;
            }
        } else if id < allowed.timestamps_begin || id >= allowed.timestamps_end {
            logit = forbidden;
        }
        output[row + at] = E::cast_from(logit);
        at += UNITS;
    }
}

#[cube(launch_unchecked)]
fn timestamp_rules_kernel<E: Float>(
    logits: &[E],
    sampled: &[i32],
    output: &mut [E],
    tokens: Tokens,
    rows: u32,
    n_vocab: u32,
    capacity: u32,
    step: u32,
    forbidden: f32,
    #[define(E)] _elem: ElemType,
) {
    let step = step as usize;
    apply_timestamp_rules::<E>(
        logits, sampled, output, &tokens, rows, n_vocab, capacity, step, forbidden,
    );
}

/// The number of tokens sampled is the second of `progress`.
#[cube(launch_unchecked)]
fn timestamp_rules_so_far_kernel<E: Float>(
    logits: &[E],
    sampled: &[i32],
    output: &mut [E],
    progress: &[i32],
    tokens: Tokens,
    rows: u32,
    n_vocab: u32,
    capacity: u32,
    forbidden: f32,
    #[define(E)] _elem: ElemType,
) {
    let step = min(progress[1usize], capacity as i32) as usize;
    apply_timestamp_rules::<E>(
        logits, sampled, output, &tokens, rows, n_vocab, capacity, step, forbidden,
    );
}

/// See [`timestamp_rules`](crate::timestamp_rules).
pub(crate) fn timestamp_rules(
    logits: CubeTensor,
    sampled: CubeTensor,
    step: usize,
    tokens: TimestampTokens,
) -> CubeTensor {
    rules(logits, sampled, Sampled::Steps(step), tokens)
}

/// See [`timestamp_rules_so_far`](crate::timestamp_rules_so_far).
pub(crate) fn timestamp_rules_so_far(
    logits: CubeTensor,
    sampled: CubeTensor,
    progress: CubeTensor,
    tokens: TimestampTokens,
) -> CubeTensor {
    rules(logits, sampled, Sampled::SoFar(progress), tokens)
}

/// How many tokens have been sampled.
enum Sampled {
    Steps(usize),
    /// As many as the second number of this tensor, of `i32`.
    SoFar(CubeTensor),
}

fn rules(
    logits: CubeTensor,
    sampled: CubeTensor,
    steps: Sampled,
    tokens: TimestampTokens,
) -> CubeTensor {
    let [logits, sampled] = [logits, sampled].map(into_contiguous);
    assert_eq!(
        sampled.dtype,
        DType::I32,
        "timestamp_rules: sampled is of i32"
    );
    let [rows, n_vocab] = logits.shape().dims();
    let capacity = sampled.shape()[1];
    let output = empty(&logits, logits.shape(), logits.dtype);
    if rows == 0 || n_vocab == 0 {
        return output;
    }
    let client = logits.client.clone();
    let elem = dtype_to_elem_type(logits.dtype);
    // Token ids are below 2^31: a vocabulary is a tensor's axis.
    let id = |token: u32| token as i32;
    let tokens = TokensLaunch::new(
        id(tokens.end_of_text),
        id(tokens.no_timestamps),
        id(tokens.begin),
        tokens.latest_first.map_or(i32::MAX - 1, id),
    );
    let (grid, units) = (line_of_cubes(rows), CubeDim::new_1d(UNITS as u32));
    let [logits, sampled] = [logits, sampled].map(CubeTensor::into_buffer_arg);
    let ruled = output.clone().into_buffer_arg();
    let [rows, n_vocab, capacity] = [rows, n_vocab, capacity].map(|size| size as u32);
    // Not every shading language can write it.
    let forbidden = f32::NEG_INFINITY;
    // SAFETY: each cube reads and writes its own row, and of the sampled tokens those that have been sampled.
    unsafe {
        match steps {
            Sampled::Steps(step) => timestamp_rules_kernel::launch_unchecked(
                &client,
                grid,
                units,
                logits,
                sampled,
                ruled,
                tokens,
                rows,
                n_vocab,
                capacity,
                step as u32,
                forbidden,
                elem,
            ),
            Sampled::SoFar(progress) => timestamp_rules_so_far_kernel::launch_unchecked(
                &client,
                grid,
                units,
                logits,
                sampled,
                ruled,
                progress.into_buffer_arg(),
                tokens,
                rows,
                n_vocab,
                capacity,
                forbidden,
                elem,
            ),
        }
    }
    output
}

/// The highest logit of a row, the first token that has it, and the sum of all weights beside its own.
#[cube(launch_unchecked)]
fn most_probable_kernel<E: Float>(
    logits: &[E],
    tokens: &mut [i32],
    report: &mut [i32],
    rows: u32,
    n_vocab: u32,
    #[define(E)] _elem: ElemType,
) {
    let unit = UNIT_POS as usize;
    let n_vocab = n_vocab as usize;
    let row = min(CUBE_POS as u32, rows - 1) as usize;
    let first = row * n_vocab;
    let lowest = f32::new(-3.0e38);
    let mut highest = lowest;
    // Ids are exact in f32, and the lowest is the highest when negated.
    let mut id = lowest;
    let mut at = unit;
    while at < n_vocab {
        let logit = f32::cast_from(logits[first + at]);
        if logit > highest {
            highest = logit;
            id = -(at as f32);
        }
        at += UNITS;
    }
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    let of_row = largest_of_all(highest, &mut shared);
    if highest < of_row {
        id = lowest;
    }
    let id = largest_of_all(id, &mut shared);
    let mut sum = 0.0f32;
    let mut at = unit;
    while at < n_vocab {
        sum += (f32::cast_from(logits[first + at]) - of_row).exp();
        at += UNITS;
    }
    let sum = sum_of_all(sum, &mut shared);
    if unit == 0 {
        let mut token = i32::new(-1);
        if of_row > lowest {
            token = (-id) as i32;
        }
        tokens[row] = token;
        report[row * 2] = token;
        report[row * 2 + 1] = i32::reinterpret(-sum.ln());
    }
}

/// See [`most_probable`](crate::most_probable).
pub(crate) fn most_probable(logits: CubeTensor) -> (CubeTensor, CubeTensor) {
    let logits = into_contiguous(logits);
    let [rows, n_vocab] = logits.shape().dims();
    let [tokens, report] =
        [1, 2].map(|columns| empty(&logits, Shape::new([rows, columns]), DType::I32));
    if rows == 0 {
        return (tokens, report);
    }
    let client = logits.client.clone();
    let dtype = logits.dtype;
    // SAFETY: each cube reads and writes its own row.
    unsafe {
        most_probable_kernel::launch_unchecked(
            &client,
            line_of_cubes(rows),
            CubeDim::new_1d(UNITS as u32),
            logits.into_buffer_arg(),
            tokens.clone().into_buffer_arg(),
            report.clone().into_buffer_arg(),
            rows as u32,
            n_vocab as u32,
            dtype_to_elem_type(dtype),
        );
    }
    (tokens, report)
}
