//! Whether a device computes what the CPU does.

use std::fmt;
use std::time::Instant;

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use whisper_weights::ModelDims;

use crate::audio::{Audio, SAMPLE_RATE};
use crate::frontend::{Features, N_FRAMES, log_mel};
use crate::model::WhisperModel;
use crate::panics::caught;
use crate::{Error, Result};

/// A narrow model that has everything: Whisper's length of context, and several heads of Whisper's width.
const DIMS: ModelDims = ModelDims {
    n_mels: 80,
    n_audio_ctx: 1500,
    n_audio_state: 128,
    n_audio_head: 2,
    n_audio_layer: 1,
    n_vocab: 512,
    n_text_ctx: 448,
    n_text_state: 128,
    n_text_head: 2,
    n_text_layer: 1,
};

/// Any tokens will do.
const PROMPT: [i64; 4] = [11, 12, 13, 14];
const NEXT: [i64; 1] = [15];

/// How far a device is from the CPU, see [`self_test`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SelfTest {
    /// The stages in their order.
    pub stages: Vec<Stage>,
    /// Time that the device took, to compile its kernels as well where they were not in a cache.
    pub seconds: f64,
}

/// One stage of the network.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stage {
    /// What was computed.
    pub name: &'static str,
    /// The largest difference of a value from the CPU's, over the largest of the CPU's values; infinite where a value is
    /// not a number.
    pub relative_error: f32,
}

impl SelfTest {
    /// Rounding in another order gives about 1e-6, and a product rounded to TF32 some 1e-4; what a broken driver computes is
    /// off by as much as the values themselves.
    pub const TOLERANCE: f32 = 1e-3;

    /// The largest relative error of all stages.
    pub fn largest_relative_error(&self) -> f32 {
        let errors = self.stages.iter().map(|stage| stage.relative_error);
        errors.fold(0.0, f32::max)
    }

    /// Whether every stage is within [`TOLERANCE`](Self::TOLERANCE).
    pub fn passed(&self) -> bool {
        self.largest_relative_error() <= Self::TOLERANCE
    }
}

/// `largest relative error 1.2e-6 (logits)`, or `equal to the CPU`
impl fmt::Display for SelfTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let largest = self.largest_relative_error();
        if largest == 0.0 {
            return f.write_str("equal to the CPU");
        }
        let stage = self.stages.iter().find(|s| s.relative_error == largest);
        let name = stage.map_or("none", |stage| stage.name);
        write!(f, "largest relative error {largest:.1e} ({name})")
    }
}

/// Computes features of a short sound and one pass of a small random model on a device, in `f32`, and compares every stage with
/// what the CPU gives: a second's work, once the device's kernels are compiled. The CPU itself is compared with a second run.
///
/// # Errors
///
/// [`Error::Device`] when the device fails, by an error or by a panic: with its message.
pub fn self_test(device: &Device) -> Result<SelfTest> {
    let cpu = Device::flex();
    let sound = sound()?;
    // The weights are made on the CPU by their first use.
    let model = WhisperModel::random(&DIMS, &cpu);
    let expected = stages(&model, &sound, &cpu)?;
    let begin = Instant::now();
    let actual = caught(|| {
        let model = model.to_device(device);
        stages(&model, &sound, device)
    });
    let actual = actual.map_err(Error::Device)??;
    let compared = expected.iter().zip(&actual);
    Ok(SelfTest {
        stages: compared
            .map(|((name, expected), (_, actual))| Stage {
                name,
                relative_error: relative_error(expected, actual),
            })
            .collect(),
        seconds: begin.elapsed().as_secs_f64(),
    })
}

/// A second of a tone that rises.
fn sound() -> Result<Audio> {
    let sample = |index: usize| {
        let time = index as f32 / SAMPLE_RATE as f32;
        0.5 * (std::f32::consts::TAU * (200.0 + 1500.0 * time) * time).sin()
    };
    Audio::from_samples((0..SAMPLE_RATE).map(sample).collect())
}

/// The values of each stage, which goes on from the one before.
fn stages(
    model: &WhisperModel,
    sound: &Audio,
    device: &Device,
) -> Result<Vec<(&'static str, Vec<f32>)>> {
    let features = Features::new(log_mel(DIMS.n_mels, device)?, sound)?.window(0, N_FRAMES)?;
    let encoded = model.encode(features.clone());
    let decoder = &model.decoder;
    let mut state = decoder.start(encoded.clone(), 1);
    let prompt = decoder.forward(tokens(&PROMPT, device), &mut state);
    let step = decoder.forward(tokens(&NEXT, device), &mut state);
    let logits = decoder.logits(step.clone());
    Ok(vec![
        ("features", values(features)?),
        ("encoder", values(encoded)?),
        ("prompt", values(prompt)?),
        ("decoder step", values(step)?),
        ("logits", values(logits)?),
    ])
}

fn tokens(ids: &[i64], device: &Device) -> Tensor<2, Int> {
    Tensor::from_data(TensorData::new(ids.to_vec(), [1, ids.len()]), device)
}

fn values(tensor: Tensor<3>) -> Result<Vec<f32>> {
    let data = tensor.try_into_data();
    let data = data.map_err(|error| Error::Device(format!("the work failed: {error}")))?;
    Ok(data.iter::<f32>().collect())
}

/// See [`Stage::relative_error`].
fn relative_error(expected: &[f32], actual: &[f32]) -> f32 {
    let apart = |(x, y): (&f32, &f32)| match (x - y).abs() {
        // The largest of numbers passes over what is none.
        difference if difference.is_nan() => f32::INFINITY,
        difference => difference,
    };
    if expected.len() != actual.len() {
        return f32::INFINITY;
    }
    let largest = expected
        .iter()
        .fold(f32::MIN_POSITIVE, |max, x| max.max(x.abs()));
    let pairs = expected.iter().zip(actual);
    pairs.map(apart).fold(0.0, f32::max) / largest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_repeats_itself() {
        let test = self_test(&Device::flex()).unwrap();
        assert!(test.passed(), "{test:?}");
        assert_eq!(test.largest_relative_error(), 0.0, "{test:?}");
        assert_eq!(test.stages.len(), 5);
        println!("{test} in {:.3} s", test.seconds);
    }

    #[test]
    #[cfg(any(feature = "ndarray", feature = "cuda", feature = "wgpu"))]
    fn every_other_device_passes() {
        for found in crate::device::find().0 {
            let test = self_test(&found.device).unwrap();
            println!("{}: {test} in {:.3} s", found.name, test.seconds);
            assert!(test.passed(), "{}: {test:?}", found.name);
        }
    }

    #[test]
    fn what_is_off_or_no_number_fails() {
        assert_eq!(relative_error(&[1.0, -4.0], &[1.0, -3.0]), 0.25);
        assert_eq!(relative_error(&[1.0], &[f32::NAN]), f32::INFINITY);
        assert_eq!(relative_error(&[1.0], &[]), f32::INFINITY);
        assert_eq!(relative_error(&[0.0], &[0.0]), 0.0);
        let stage = |name, relative_error| Stage {
            name,
            relative_error,
        };
        let mut test = SelfTest {
            stages: vec![stage("encoder", 1e-5), stage("logits", 0.5)],
            seconds: 0.1,
        };
        assert!(!test.passed());
        assert_eq!(test.to_string(), "largest relative error 5.0e-1 (logits)");
        test.stages[1].relative_error = f32::INFINITY;
        assert!(!test.passed());
        test.stages.pop();
        assert!(test.passed());
        test.stages.clear();
        assert_eq!(test.to_string(), "equal to the CPU");
    }
}
