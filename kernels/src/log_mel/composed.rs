//! The features composed of Burn's own operations.

use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;
use burn::tensor::{DType, Device, Tensor, TensorData};

use super::{
    DYNAMIC_RANGE, FILTERS, HOP_LENGTH, LogMelConfig, N_BINS, N_FFT, POWER_FLOOR, Smoothing, tables,
};
use crate::Result;

/// The features of [`LogMel`](super::LogMel) as a chain of Burn's operations: what the fused
/// kernels are compared with, in tests and benchmarks.
///
/// The Fourier transform is a product with a matrix of sines and cosines; every step is a tensor
/// of its own.
#[derive(Clone, Debug)]
pub struct ComposedLogMel {
    config: LogMelConfig,
    /// Window times cosine and window times sine, side by side: `[400, 2 * 201]`.
    transform: Tensor<2>,
    /// `[201, n_mels]`
    filters: Tensor<2>,
}

impl ComposedLogMel {
    /// Puts the matrices on the device: 640 kB for the transform and 64 kB for 80 mel bins.
    ///
    /// # Errors
    ///
    /// [`Error::MelBins`](crate::Error::MelBins) unless there are 80 or 128.
    pub fn new(config: LogMelConfig, device: &Device) -> Result<ComposedLogMel> {
        let n_mels = config.n_mels;
        let tables = tables::tables(n_mels)?;
        let mut transform = Vec::with_capacity(N_FFT * 2 * N_BINS);
        for (n, &weight) in tables[..N_FFT].iter().enumerate() {
            for part in [f64::cos, f64::sin] {
                transform.extend((0..N_BINS).map(|k| {
                    let angle = std::f64::consts::TAU * ((n * k) % N_FFT) as f64 / N_FFT as f64;
                    (f64::from(weight) * part(angle)) as f32
                }));
            }
        }
        let heads = &tables[FILTERS..];
        let mut filters = vec![0.0; N_BINS * n_mels];
        for mel in 0..n_mels {
            let [first, count, begin] = [0, 1, 2].map(|i| heads[i * n_mels + mel] as usize);
            for bin in 0..count {
                filters[(first + bin) * n_mels + mel] = tables[begin + bin];
            }
        }
        let tensor = |values: Vec<f32>, shape: [usize; 2]| {
            Tensor::from_data(TensorData::new(values, shape), (device, DType::F32))
        };
        Ok(ComposedLogMel {
            config,
            transform: tensor(transform, [N_FFT, 2 * N_BINS]),
            filters: tensor(filters, [N_BINS, n_mels]),
        })
    }

    /// The features of whole signals.
    ///
    /// # Shapes
    /// - `pcm`: `[batch, samples]`, more than 200 samples with the padding
    /// - returns `[batch, n_mels, frames]`, with `frames` = (samples + padding) / 160
    pub fn forward_batch(&self, pcm: Tensor<2>) -> Tensor<3> {
        let device = pcm.device();
        let [batch, samples] = pcm.dims();
        let padding = Tensor::zeros([batch, self.config.padding], (&device, DType::F32));
        let signal = Tensor::cat(vec![pcm, padding], 1);
        let padded = samples + self.config.padding;
        let frames = padded / HOP_LENGTH;
        let reach = N_FFT / 2;
        let mirrored = |range: std::ops::Range<usize>| {
            signal.clone().narrow(1, range.start, range.len()).flip([1])
        };
        let signal = Tensor::cat(
            vec![
                mirrored(1..reach + 1),
                signal.clone(),
                mirrored(padded - 1 - reach..padded - 1),
            ],
            1,
        );
        let framed: Tensor<3> = signal.unfold(1, N_FFT, HOP_LENGTH);
        let framed = framed.narrow(1, 0, frames);
        let spectrum = framed
            .reshape([batch * frames, N_FFT])
            .matmul(self.transform.clone());
        let squares = spectrum.square();
        let power = squares.clone().narrow(1, 0, N_BINS) + squares.narrow(1, N_BINS, N_BINS);
        let mel = power.matmul(self.filters.clone());
        let log = mel.clamp_min(POWER_FLOOR).log() * std::f64::consts::LOG10_E;
        let log: Tensor<3> = log.reshape([batch, frames, self.config.n_mels]);
        let maximum = log.clone().max_dim(1).max_dim(2);
        let features = (log.max_pair(maximum - DYNAMIC_RANGE) + 4.0) / 4.0;
        let features = features.swap_dims(1, 2);
        match self.config.smoothing {
            Smoothing::Off => features,
            Smoothing::Average3x3 => {
                let features: Tensor<4> = features.unsqueeze_dim(1);
                let options = AvgPoolOptions::new([3, 3])
                    .with_stride([1, 1])
                    .with_padding([1, 1])
                    .with_count_include_pad(false);
                avg_pool2d(features, options).squeeze_dim(1)
            }
        }
    }
}
