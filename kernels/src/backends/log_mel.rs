//! The two launches of the log-Mel features on each Burn backend.
//!
//! A backend without an implementation of its own, and so one whose tensors are host memory, runs
//! [`host`].

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};
use burn::tensor::{FloatDType, Shape};

use super::host;
use crate::Smoothing;
use crate::log_mel::Geometry;

/// The documentation is at [`LogMel`](crate::LogMel), which calls these.
#[backend_extension(
    Cube: cfg(feature = "cubecl"),
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Fusion: cfg(feature = "cubecl")
)]
pub(crate) trait LogMelOps: Backend {
    /// The larger of `before` and of the maximum of the mel power over the frames: `[batch]`.
    #[fusion(dtype = before, shape = before)]
    fn log_mel_maximum(
        pcm: FloatTensor<Self>,
        tables: FloatTensor<Self>,
        before: FloatTensor<Self>,
        geometry: Geometry,
        n_mels: usize,
    ) -> FloatTensor<Self> {
        host::maximum::<Self>(pcm, tables, before, geometry, n_mels)
    }

    /// The normalised features: `[batch * windows, n_mels, frames]`.
    #[fusion(
        dtype = burn::tensor::DType::from(*dtype),
        shape = output_shape(pcm, geometry, *n_mels)
    )]
    fn log_mel_windows(
        pcm: FloatTensor<Self>,
        tables: FloatTensor<Self>,
        maximum: FloatTensor<Self>,
        geometry: Geometry,
        n_mels: usize,
        smoothing: Smoothing,
        dtype: FloatDType,
    ) -> FloatTensor<Self> {
        host::windows::<Self>(pcm, tables, maximum, geometry, n_mels, smoothing, dtype)
    }
}

#[cfg(feature = "ndarray")]
impl LogMelOps for burn::backend::NdArray {}

/// The shape of the windows of `pcm` `[batch, samples]`.
pub(crate) fn output_shape(pcm: &Shape, geometry: &Geometry, n_mels: usize) -> Shape {
    Shape::new([pcm[0] * geometry.windows, n_mels, geometry.frames])
}
