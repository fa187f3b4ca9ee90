//! The convolutions before Whisper's encoder, as matrix products over channels that lie last.

use std::ops::Range;

use super::linear::Layer;
use super::output::Output;
use super::panels::Rows;
use crate::backends::Activation;
use crate::convolution::TAPS;

/// `GELU(conv1d(x) + bias)` by steps of `stride`, with one zero row on each side: `x` `[length, channels]` without gaps, `weight`
/// `[outputs, channels, 3]`, `bias` `[outputs]`; the result is `[(length - 1) / stride + 1, outputs]`.
///
/// What a position sees of `x` lies in one piece, and is a row of a matrix whose rows overlap; nothing is copied but the ends.
pub(crate) fn convolution_gelu(
    x: Rows<'_>,
    weight: &[f32],
    bias: &[f32],
    stride: usize,
) -> Vec<f32> {
    let (length, channels, outputs) = (x.rows(), x.columns(), bias.len());
    assert!(length > 0 && stride > 0, "there is a position");
    let weight = taps_first(weight, channels);
    let inputs = TAPS * channels;
    let weight = Rows::new(&weight, inputs, outputs, inputs);
    let positions = (length - 1) / stride + 1;
    let inner = inner_positions(length, stride, positions);
    let fill = |output: Output<'_>| {
        let fill = |x: Rows<'_>, first: usize| {
            let layer = Layer {
                x,
                weight,
                bias: Some(bias),
                activation: Activation::Gelu,
            };
            layer.fill(output.from(first * outputs));
        };
        if !inner.is_empty() {
            let seen = &x.all()[(inner.start * stride - 1) * channels..];
            fill(
                Rows::new(seen, stride * channels, inner.len(), inputs),
                inner.start,
            );
        }
        for position in (0..inner.start).chain(inner.end..positions) {
            let seen = padded(x, position * stride);
            fill(Rows::new(&seen, inputs, 1, inputs), position);
        }
    };
    // SAFETY: all positions are written, each once.
    unsafe { Output::collect(positions * outputs, fill) }
}

/// The positions that see no row beyond the ends.
fn inner_positions(length: usize, stride: usize, positions: usize) -> Range<usize> {
    let end = positions.min((length - 1).div_ceil(stride));
    1.min(end)..end
}

/// The rows around `row`, those beyond the ends being 0.
fn padded(x: Rows<'_>, row: usize) -> Vec<f32> {
    let mut seen = vec![0.0; TAPS * x.columns()];
    for (tap, seen) in seen.chunks_exact_mut(x.columns().max(1)).enumerate() {
        if let Some(row) = (row + tap).checked_sub(1).filter(|&row| row < x.rows()) {
            seen.copy_from_slice(x.row(row));
        }
    }
    seen
}

/// `[outputs, channels, 3]` as `[outputs, 3, channels]`.
fn taps_first(weight: &[f32], channels: usize) -> Vec<f32> {
    let mut taps = Vec::with_capacity(weight.len());
    for output in weight.chunks_exact((TAPS * channels).max(1)) {
        for tap in 0..TAPS {
            taps.extend(output[tap..].iter().step_by(TAPS));
        }
    }
    taps
}
