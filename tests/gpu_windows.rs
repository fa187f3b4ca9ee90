//! Windows that a GPU encodes one after the other, by work that it may have recorded, come out as each alone.

#![cfg(any(feature = "wgpu", feature = "cuda"))]
#![cfg_attr(feature = "ndarray", allow(deprecated))]

#[path = "../kernels/tests/support/devices.rs"]
mod devices;

use burn::tensor::{Distribution, Tensor};
use devices::devices;
use whisper_rs::device::allow_recordings;
use whisper_rs::model::{RepeatedEncoder, WhisperModel};
use whisper_weights::ModelDims;

const DIMS: ModelDims = ModelDims {
    n_mels: 80,
    n_audio_ctx: 1500,
    n_audio_state: 64,
    n_audio_head: 1,
    n_audio_layer: 1,
    n_vocab: 51_864,
    n_text_ctx: 448,
    n_text_state: 64,
    n_text_head: 1,
    n_text_layer: 1,
};

fn values(tensor: Tensor<3>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().try_to_vec().unwrap()
}

#[test]
fn windows_one_after_the_other_are_encoded_as_each_alone() {
    allow_recordings(true);
    for (name, device) in devices() {
        let model = WhisperModel::random(&DIMS, &device);
        let noise = Distribution::Uniform(-1.0, 1.0);
        let windows = [(); 8].map(|()| Tensor::<3>::random([1, 80, 3000], noise, &device));
        let alone = windows
            .each_ref()
            .map(|mel| values(model.encode(mel.clone())));
        assert_ne!(alone[0], alone[1]);
        let mut encoder = RepeatedEncoder::new(&model, &device);
        for (number, (mel, alone)) in windows.into_iter().zip(alone).enumerate() {
            let encoded = values(encoder.encode(mel).unwrap());
            assert!(encoded == alone, "{name}, window {number}");
        }
    }
}
