//! A step of decoding whose position is known to the device alone, on each Burn backend.
//!
//! Backends whose tensors are host memory read the position and take the operations of a known one.

#[cfg(feature = "cubecl")]
use burn::backend::fusion::custom::TensorSpec;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{TensorMetadata, backend_extension};
#[cfg(feature = "cubecl")]
use burn::tensor::Shape;
use burn::tensor::{Slice, TensorData};

#[cfg(feature = "cubecl")]
use super::embedded_shape;
use super::sampling::read;
use super::{SamplingOps, WhisperOps};
use crate::{AttentionOptions, TimestampTokens};

/// The documentation is at the functions of the crate that call these. `progress` is `[2]`: the position, and the number of
/// sampled tokens.
#[backend_extension(
    Cube: cfg(feature = "cubecl"),
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Fusion: cfg(feature = "cubecl")
)]
pub(crate) trait StepOps: WhisperOps + SamplingOps {
    #[fusion(dtype = token_embedding, shape = newest_shape(sampled, token_embedding))]
    fn embedded_newest(
        sampled: IntTensor<Self>,
        progress: IntTensor<Self>,
        token_embedding: FloatTensor<Self>,
        positional_embedding: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let [position, n_sampled] = numbers::<Self>(progress);
        let newest = [Slice::from(..), Slice::from(n_sampled - 1..n_sampled)];
        let tokens = Self::int_slice(sampled, &newest);
        Self::embedded(tokens, token_embedding, positional_embedding, position)
    }

    #[fusion(meta = appended_specs)]
    fn appended(
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        progress: IntTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let [position, _] = numbers::<Self>(progress);
        let rows = key.shape()[0];
        let place = [
            Slice::from(0..rows),
            Slice::from(position..position + 1),
            Slice::from(..),
        ];
        (
            Self::float_slice_assign(keys, &place, key),
            Self::float_slice_assign(values, &place, value),
        )
    }

    #[fusion(dtype = query, shape = query)]
    fn head_attention_so_far(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        progress: IntTensor<Self>,
        n_head: usize,
    ) -> FloatTensor<Self> {
        let [position, _] = numbers::<Self>(progress);
        let options = AttentionOptions {
            n_head,
            kv_len: position + 1,
            causal: true,
            integer_scores: false,
        };
        Self::head_attention(query, key, value, options)
    }

    #[fusion(dtype = logits, shape = logits)]
    fn ruled_logits_so_far(
        logits: FloatTensor<Self>,
        sampled: IntTensor<Self>,
        progress: IntTensor<Self>,
        tokens: TimestampTokens,
    ) -> FloatTensor<Self> {
        let [_, n_sampled] = numbers::<Self>(progress);
        Self::ruled_logits(logits, sampled, n_sampled, tokens)
    }

    #[fusion(dtype = target, shape = target)]
    fn overwritten(target: FloatTensor<Self>, source: FloatTensor<Self>) -> FloatTensor<Self> {
        drop(target);
        source
    }

    #[fusion(meta = recorded_specs)]
    fn recorded(
        sampled: IntTensor<Self>,
        progress: IntTensor<Self>,
        report: IntTensor<Self>,
    ) -> (IntTensor<Self>, IntTensor<Self>) {
        let device = progress.device();
        let [position, n_sampled] = numbers::<Self>(progress);
        let tokens = Self::int_slice(report, &[Slice::from(..), Slice::from(0..1)]);
        let column = [Slice::from(..), Slice::from(n_sampled..n_sampled + 1)];
        let next = [position + 1, n_sampled + 1].map(|number| number as i32);
        (
            Self::int_slice_assign(sampled, &column, tokens),
            Self::int_from_data(TensorData::new(next.to_vec(), [2]), &device),
        )
    }
}

#[cfg(feature = "ndarray")]
impl StepOps for burn::backend::NdArray {}

#[cfg(feature = "flex")]
impl StepOps for burn::backend::Flex {}

/// The position and the number of sampled tokens.
fn numbers<B: WhisperOps>(progress: IntTensor<B>) -> [usize; 2] {
    let numbers = read(B::int_into_data(progress));
    let mut numbers = numbers.iter::<i32>().map(|number| number.max(0) as usize);
    [(); 2].map(|()| numbers.next().expect("progress has two numbers"))
}

/// The shape of the newest of sampled tokens `[rows, n]` as vectors.
#[cfg(feature = "cubecl")]
fn newest_shape(sampled: &Shape, table: &Shape) -> Shape {
    embedded_shape(&Shape::new([sampled[0], 1]), table)
}

#[cfg(feature = "cubecl")]
fn appended_specs(
    keys: &TensorSpec,
    values: &TensorSpec,
    _key: &TensorSpec,
    _value: &TensorSpec,
    _progress: &TensorSpec,
) -> (TensorSpec, TensorSpec) {
    (keys.clone(), values.clone())
}

#[cfg(feature = "cubecl")]
fn recorded_specs(
    sampled: &TensorSpec,
    progress: &TensorSpec,
    _report: &TensorSpec,
) -> (TensorSpec, TensorSpec) {
    (sampled.clone(), progress.clone())
}
