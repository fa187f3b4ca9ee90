//! The features of a whole signal are two launches. In a file of its own: all of a process's launches are counted.

#![cfg(feature = "cubecl")]
#![cfg_attr(feature = "ndarray", allow(deprecated))]

#[path = "support/devices.rs"]
mod devices;

use burn::tensor::{DType, FloatDType, Tensor, TensorData};
use devices::devices;
use whisper_kernels::{LogMelConfig, Pcm, Windows};

#[test]
fn two_launches_make_the_features() {
    for (name, device) in devices() {
        if name == "ndarray" {
            continue;
        }
        let samples: Vec<f32> = (0..50_000).map(|i| (i as f32 * 0.1).sin()).collect();
        let samples = TensorData::new(samples, [1, 50_000]);
        let log_mel = LogMelConfig::new(80).init(&device).unwrap();
        let pcm = Pcm::whole(Tensor::<2>::from_data(samples, (&device, DType::F32)));
        // The maximum that it starts from is made before.
        let before = log_mel.maximum(&pcm, None);
        device.sync().unwrap();
        let (_, launches) = whisper_kernels::count_launches(|| {
            let maximum = log_mel.maximum(&pcm, Some(before));
            let windows = Windows::one(0, log_mel.frames(50_000));
            let features = log_mel.windows(&pcm, &maximum, windows, FloatDType::F32);
            device.sync().unwrap();
            features
        });
        assert_eq!(launches.total(), 2, "{name}: {launches:?}");
    }
}
