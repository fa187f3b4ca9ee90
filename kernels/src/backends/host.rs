//! The log-Mel features on the backends whose tensors are host memory.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata};
use burn::tensor::{DType, FloatDType, TensorData};

use super::log_mel::{LogMelOps, output_shape};
use crate::Smoothing;
use crate::host::log_mel::{self, Source};
use crate::log_mel::Geometry;

#[cfg(feature = "flex")]
impl LogMelOps for burn::backend::Flex {
    fn log_mel_maximum(
        pcm: FloatTensor<Self>,
        tables: FloatTensor<Self>,
        before: FloatTensor<Self>,
        geometry: Geometry,
        n_mels: usize,
    ) -> FloatTensor<Self> {
        maximum::<Self>(pcm, tables, before, geometry, n_mels)
    }

    fn log_mel_windows(
        pcm: FloatTensor<Self>,
        tables: FloatTensor<Self>,
        maximum: FloatTensor<Self>,
        geometry: Geometry,
        n_mels: usize,
        smoothing: Smoothing,
        dtype: FloatDType,
    ) -> FloatTensor<Self> {
        windows::<Self>(pcm, tables, maximum, geometry, n_mels, smoothing, dtype)
    }
}

#[cfg(feature = "ndarray")]
impl LogMelOps for burn::backend::NdArray {
    fn log_mel_maximum(
        pcm: FloatTensor<Self>,
        tables: FloatTensor<Self>,
        before: FloatTensor<Self>,
        geometry: Geometry,
        n_mels: usize,
    ) -> FloatTensor<Self> {
        maximum::<Self>(pcm, tables, before, geometry, n_mels)
    }

    fn log_mel_windows(
        pcm: FloatTensor<Self>,
        tables: FloatTensor<Self>,
        maximum: FloatTensor<Self>,
        geometry: Geometry,
        n_mels: usize,
        smoothing: Smoothing,
        dtype: FloatDType,
    ) -> FloatTensor<Self> {
        windows::<Self>(pcm, tables, maximum, geometry, n_mels, smoothing, dtype)
    }
}

fn maximum<B: Backend>(
    pcm: FloatTensor<B>,
    tables: FloatTensor<B>,
    before: FloatTensor<B>,
    geometry: Geometry,
    n_mels: usize,
) -> FloatTensor<B> {
    let device = pcm.device();
    let samples = pcm.shape()[1];
    let (pcm, tables, before) = (data::<B>(pcm), data::<B>(tables), data::<B>(before));
    let maxima: Vec<f32> = rows(values(&pcm), samples, values(&before).len())
        .zip(values(&before))
        .map(|(pcm, before)| {
            let source = Source {
                pcm,
                tables: values(&tables),
                geometry,
                n_mels,
            };
            before.max(log_mel::maximum(source))
        })
        .collect();
    let shape = [maxima.len()];
    B::float_from_data(TensorData::new(maxima, shape), &device)
}

fn windows<B: Backend>(
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
    let samples = pcm.shape()[1];
    let (pcm, tables, maximum) = (data::<B>(pcm), data::<B>(tables), data::<B>(maximum));
    let mut features = Vec::new();
    for (pcm, &maximum) in rows(values(&pcm), samples, values(&maximum).len()).zip(values(&maximum))
    {
        let source = Source {
            pcm,
            tables: values(&tables),
            geometry,
            n_mels,
        };
        let row = log_mel::windows(source, maximum, smoothing);
        if features.is_empty() {
            features = row;
        } else {
            features.extend_from_slice(&row);
        }
    }
    let features = B::float_from_data(TensorData::new(features, shape), &device);
    match dtype {
        FloatDType::F32 => features,
        other => B::float_cast(features, other),
    }
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

/// `count` rows of `length` elements, which may be none.
fn rows(values: &[f32], length: usize, count: usize) -> impl Iterator<Item = &[f32]> {
    (0..count).map(move |row| &values[row * length..(row + 1) * length])
}
