//! Between the upload of the samples and whoever reads the features, nothing crosses to the host. In a file of its own:
//! all of a process's copies are counted.

#![cfg(any(feature = "cuda", feature = "wgpu"))]
#![cfg_attr(feature = "ndarray", allow(deprecated))]

#[path = "support/devices.rs"]
mod devices;

use burn::tensor::{DType, Device, FloatDType, Tensor, TensorData};
use devices::devices;
use whisper_kernels::{Copies, LogMelConfig, Pcm, Smoothing, Windows, count_copies};

const SAMPLES: usize = 50_000;

fn counted<T>(device: &Device, call: impl FnOnce() -> T) -> (T, Copies) {
    let (result, copies) = count_copies(device, || {
        let result = call();
        device.sync().unwrap();
        result
    });
    let missing = "copies cannot be counted; on CUDA the library path has to lead to libcupti.so";
    (result, copies.expect(missing))
}

/// Reads a tensor: the data alone may be a promise.
fn values(tensor: Tensor<3>) -> Vec<f32> {
    tensor.into_data().try_into_vec().unwrap()
}

#[test]
fn the_samples_go_up_once_and_nothing_comes_back() {
    for (name, device) in devices() {
        if name == "ndarray" {
            continue;
        }
        let log_mel = (LogMelConfig::new(80).with_smoothing(Smoothing::Average3x3))
            .init(&device)
            .unwrap();
        let samples: Vec<f32> = (0..SAMPLES).map(|i| (i as f32 * 0.1).sin()).collect();
        let upload = || {
            let samples = TensorData::new(samples.clone(), [1, SAMPLES]);
            Tensor::<2>::from_data(samples, (&device, DType::F32))
        };
        let features = |pcm: &Tensor<2>| {
            let pcm = Pcm::whole(pcm.clone());
            let maximum = log_mel.maximum(&pcm, None);
            let windows = Windows::one(0, log_mel.frames(SAMPLES));
            (log_mel.windows(&pcm, &maximum, windows, FloatDType::F32)).unwrap()
        };
        // Kernels are compiled, and what they share is put on the device.
        values(features(&upload()));
        device.sync().unwrap();

        let (pcm, copies) = counted(&device, upload);
        assert_eq!(copies.to_device.count, 1, "{name}: {copies:?}");
        assert_eq!(copies.to_host.count, 0, "{name}: {copies:?}");
        if let Some(bytes) = copies.to_device.bytes {
            assert_eq!(bytes, 4 * SAMPLES as u64, "{name}");
        }

        let (on_device, copies) = counted(&device, || features(&pcm));
        assert_eq!(copies.to_host.count, 0, "{name}: {copies:?}");
        assert_eq!(copies.to_device.count, 0, "{name}: {copies:?}");

        let (read, copies) = counted(&device, || values(on_device));
        assert_eq!(copies.to_host.count, 1, "{name}: {copies:?}");
        let bytes = copies.to_host.bytes.unwrap();
        assert!(bytes >= 4 * read.len() as u64, "{name}: {copies:?}");
    }
}
