//! What chooses the next token, on each Burn backend.
//!
//! Backends whose tensors are host memory compute it on slices.

#[cfg(feature = "cubecl")]
use burn::backend::fusion::custom::TensorSpec;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, TensorMetadata, backend_extension};
use burn::tensor::{FloatDType, Shape, TensorData};

use crate::TimestampTokens;
use crate::host::sampling;

/// The documentation is at the functions of the crate that call these.
#[backend_extension(
    Cube: cfg(feature = "cubecl"),
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Fusion: cfg(feature = "cubecl")
)]
pub(crate) trait SamplingOps: Backend {
    #[fusion(dtype = logits, shape = logits)]
    fn ruled_logits(
        logits: FloatTensor<Self>,
        sampled: IntTensor<Self>,
        step: usize,
        tokens: TimestampTokens,
    ) -> FloatTensor<Self> {
        let (dtype, shape, device) = (logits.dtype(), logits.shape(), logits.device());
        let [rows, n_vocab] = shape.dims();
        let capacity = sampled.shape()[1];
        let sampled = read(Self::int_into_data(sampled)).convert::<i32>();
        let sampled: Vec<i32> = sampled.iter::<i32>().collect();
        let mut logits: Vec<f32> = read(Self::float_into_data(logits)).iter::<f32>().collect();
        for (row, logits) in logits
            .chunks_exact_mut(n_vocab.max(1))
            .enumerate()
            .take(rows)
        {
            let sampled = &sampled[row * capacity..][..step];
            let sampled: Vec<u32> = sampled.iter().map(|&token| token.cast_unsigned()).collect();
            sampling::timestamp_rules(logits, &sampled, tokens);
        }
        let logits = Self::float_from_data(TensorData::new(logits, shape), &device);
        Self::float_cast(logits, FloatDType::from(dtype))
    }

    /// The tokens `[rows, 1]`, and the report of them `[rows, 2]`.
    #[fusion(meta = chosen_specs)]
    fn most_probable_tokens(logits: FloatTensor<Self>) -> (IntTensor<Self>, IntTensor<Self>) {
        let (shape, device) = (logits.shape(), logits.device());
        let logits: Vec<f32> = read(Self::float_into_data(logits)).iter::<f32>().collect();
        let chosen: Vec<[i32; 2]> = (logits.chunks_exact(shape[1].max(1)))
            .map(|logits| sampling::most_probable(logits).to_row())
            .collect();
        let tokens: Vec<i32> = chosen.iter().map(|&[token, _]| token).collect();
        let [of_tokens, of_report] = [1, 2].map(|columns| Shape::new([shape[0], columns]));
        (
            Self::int_from_data(TensorData::new(tokens, of_tokens), &device),
            Self::int_from_data(TensorData::new(chosen.concat(), of_report), &device),
        )
    }
}

#[cfg(feature = "ndarray")]
impl SamplingOps for burn::backend::NdArray {}

#[cfg(feature = "flex")]
impl SamplingOps for burn::backend::Flex {}

/// What the most probable tokens of `logits`, and the report of them, are like.
#[cfg(feature = "cubecl")]
fn chosen_specs(logits: &TensorSpec) -> (TensorSpec, TensorSpec) {
    let column = |columns| {
        let shape = Shape::new([logits.shape[0], columns]);
        TensorSpec::new(shape, burn::tensor::DType::I32)
    };
    (column(1), column(2))
}

/// What is in host memory already, so that nothing is waited for.
pub(super) fn read<E: std::fmt::Debug>(
    data: impl Future<Output = Result<TensorData, E>>,
) -> TensorData {
    burn::tensor::try_read_sync(data)
        .expect("host memory is read at once")
        .expect("host memory can be read")
}
