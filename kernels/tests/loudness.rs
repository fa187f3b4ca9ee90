//! Loudness and windows of PCM on every device compiled in, against the CPU's.

#![cfg(all(
    feature = "flex",
    any(feature = "ndarray", feature = "wgpu", feature = "cuda")
))]
#![cfg_attr(feature = "ndarray", allow(deprecated))]

#[path = "support/devices.rs"]
mod devices;

use burn::tensor::{DType, Device, Tensor, TensorData};
use devices::devices;
use whisper_kernels::{Loudness, Normalisation, cut_windows};

/// Two signals, one of them silent.
fn pcm(device: &Device) -> Tensor<2> {
    let mut samples: Vec<f32> = (0..5000).map(|i| 0.3 * (i as f32 * 0.05).sin()).collect();
    samples.extend([0.0; 5000]);
    Tensor::from_data(TensorData::new(samples, [2, 5000]), (device, DType::F32))
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().unwrap()
}

#[test]
fn signals_are_made_as_loud_on_every_device() {
    let normalised = |device: &Device, to: Normalisation| {
        let pcm = pcm(device);
        let halves = [0, 2500].map(|begin| Loudness::of(pcm.clone().narrow(1, begin, 2500)));
        let [first, second] = halves;
        values(pcm * first.then(second).gain(to))
    };
    for to in [Normalisation::Peak, Normalisation::Rms] {
        let expected = normalised(&Device::flex(), to);
        let loudest = expected.iter().fold(0.0f32, |max, x| max.max(x.abs()));
        assert!(loudest > 0.1, "{to:?}: {loudest}");
        for (name, device) in devices() {
            for (found, expected) in normalised(&device, to).iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-6, "{name}, {to:?}");
            }
        }
    }
}

#[test]
fn windows_are_cut_alike_on_every_device() {
    let expected = values(cut_windows(pcm(&Device::flex()), 480, 300));
    for (name, device) in devices() {
        assert_eq!(
            values(cut_windows(pcm(&device), 480, 300)),
            expected,
            "{name}"
        );
    }
}
