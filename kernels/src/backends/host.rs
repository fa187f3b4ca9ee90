//! The log-Mel features on the backends whose tensors are host memory.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata};
use burn::tensor::{DType, FloatDType, TensorData};

use super::log_mel::output_shape;
use crate::Smoothing;
use crate::host::log_mel::{self, Source};
use crate::log_mel::Geometry;

pub(super) fn maximum<B: Backend>(
    pcm: FloatTensor<B>,
    tables: FloatTensor<B>,
    before: FloatTensor<B>,
    geometry: Geometry,
    n_mels: usize,
) -> FloatTensor<B> {
    let device = pcm.device();
    let (pcm, tables, before) = (data::<B>(pcm), data::<B>(tables), data::<B>(before));
    let maxima = maxima(
        values(&pcm),
        values(&tables),
        values(&before),
        geometry,
        n_mels,
    );
    let shape = [maxima.len()];
    B::float_from_data(TensorData::new(maxima, shape), &device)
}

pub(super) fn windows<B: Backend>(
    pcm: FloatTensor<B>,
    tables: FloatTensor<B>,
    maximum: FloatTensor<B>,
    geometry: Geometry,
    n_mels: usize,
    smoothing: Smoothing,
    dtype: FloatDType,
) -> FloatTensor<B> {
    let device = pcm.device();
    let shape = output_shape(&pcm.shape(), &geometry, n_mels);
    let (pcm, tables, maximum) = (data::<B>(pcm), data::<B>(tables), data::<B>(maximum));
    let features = features(
        values(&pcm),
        values(&tables),
        values(&maximum),
        geometry,
        n_mels,
        smoothing,
    );
    cast::<B>(
        B::float_from_data(TensorData::new(features, shape), &device),
        dtype,
    )
}

/// The features, which are computed in f32, in the element type asked for.
pub(super) fn cast<B: Backend>(features: FloatTensor<B>, dtype: FloatDType) -> FloatTensor<B> {
    match dtype {
        FloatDType::F32 => features,
        other => B::float_cast(features, other),
    }
}

/// The larger of `before` and of the maximum of each row of `pcm`.
pub(super) fn maxima(
    pcm: &[f32],
    tables: &[f32],
    before: &[f32],
    geometry: Geometry,
    n_mels: usize,
) -> Vec<f32> {
    sources(pcm, tables, before.len(), geometry, n_mels)
        .zip(before)
        .map(|(source, before)| before.max(log_mel::maximum(source)))
        .collect()
}

/// The features of each row of `pcm`, one after the other.
pub(super) fn features(
    pcm: &[f32],
    tables: &[f32],
    maximum: &[f32],
    geometry: Geometry,
    n_mels: usize,
    smoothing: Smoothing,
) -> Vec<f32> {
    let mut features = Vec::new();
    for (source, &maximum) in sources(pcm, tables, maximum.len(), geometry, n_mels).zip(maximum) {
        let row = log_mel::windows(source, maximum, smoothing);
        if features.is_empty() {
            features = row;
        } else {
            features.extend_from_slice(&row);
        }
    }
    features
}

/// The rows of `pcm` `[batch, samples]`, which may be empty.
fn sources<'a>(
    pcm: &'a [f32],
    tables: &'a [f32],
    batch: usize,
    geometry: Geometry,
    n_mels: usize,
) -> impl Iterator<Item = Source<'a>> {
    let samples = pcm.len() / batch.max(1);
    (0..batch).map(move |row| Source {
        pcm: &pcm[row * samples..][..samples],
        tables,
        geometry,
        n_mels,
    })
}

/// The tensor's elements in order. They are in host memory already, so nothing is waited for.
fn data<B: Backend>(tensor: FloatTensor<B>) -> TensorData {
    assert_eq!(tensor.dtype(), DType::F32, "the log-Mel features take f32");
    burn::tensor::try_read_sync(B::float_into_data(tensor))
        .expect("host memory is read at once")
        .expect("host memory can be read")
}

fn values(data: &TensorData) -> &[f32] {
    data.as_slice::<f32>().expect("f32 elements")
}
