//! The operations on every CubeCL runtime.

use burn::backend::tensor::FloatTensor;
use burn::tensor::FloatDType;
use burn_cubecl::CubeBackend;

use super::WhisperOps;
use super::log_mel::LogMelOps;
use crate::Smoothing;
use crate::cube::log_mel;
use crate::log_mel::Geometry;

impl WhisperOps for CubeBackend {}

impl LogMelOps for CubeBackend {
    fn log_mel_maximum(
        pcm: FloatTensor<Self>,
        tables: FloatTensor<Self>,
        before: FloatTensor<Self>,
        geometry: Geometry,
        n_mels: usize,
    ) -> FloatTensor<Self> {
        log_mel::log_mel_maximum(pcm, tables, before, geometry, n_mels)
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
        log_mel::log_mel_windows(pcm, tables, maximum, geometry, n_mels, smoothing, dtype)
    }
}
