//! What chooses the next token, on each Burn backend.
//!
//! Backends whose tensors are host memory compute it on slices.

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

    #[fusion(dtype = burn::tensor::DType::I32, shape = two_of_each_row(logits))]
    fn most_probable_tokens(logits: FloatTensor<Self>) -> IntTensor<Self> {
        let (shape, device) = (logits.shape(), logits.device());
        let logits: Vec<f32> = read(Self::float_into_data(logits)).iter::<f32>().collect();
        let chosen: Vec<i32> = (logits.chunks_exact(shape[1].max(1)))
            .flat_map(|logits| sampling::most_probable(logits).to_row())
            .collect();
        Self::int_from_data(TensorData::new(chosen, two_of_each_row(&shape)), &device)
    }
}

#[cfg(feature = "ndarray")]
impl SamplingOps for burn::backend::NdArray {}

#[cfg(feature = "flex")]
impl SamplingOps for burn::backend::Flex {}

/// The shape of what is said of each row of `logits`.
pub(crate) fn two_of_each_row(logits: &Shape) -> Shape {
    Shape::new([logits[0], 2])
}

/// What is in host memory already, so that nothing is waited for.
fn read<E: std::fmt::Debug>(data: impl Future<Output = Result<TensorData, E>>) -> TensorData {
    burn::tensor::try_read_sync(data)
        .expect("host memory is read at once")
        .expect("host memory can be read")
}
