//! Whether a device computes what the CPU does.

use std::fmt;
use std::time::Instant;

use burn::module::Module;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use whisper_kernels::{
    Chosen, Progress, TimestampTokens, most_probable, record, timestamp_rules_so_far,
};
use whisper_weights::ModelDims;

use crate::audio::{Audio, SAMPLE_RATE};
use crate::frontend::{Features, N_FRAMES, log_mel};
use crate::model::{DecoderState, WhisperModel};
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
const NEWEST: i32 = 16;

/// Where marks and timestamps begin in the vocabulary.
const TIMESTAMPS: TimestampTokens = TimestampTokens {
    end_of_text: 400,
    no_timestamps: 401,
    begin: 402,
    latest_first: None,
};

/// How far a device is from the CPU, see [`self_test`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SelfTest {
    /// The stages in their order.
    pub stages: Vec<SelfTestStage>,
    /// Time that the device took, to compile its kernels as well where they were not in a cache.
    pub seconds: f64,
}

/// One stage of the network.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SelfTestStage {
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
            .map(|((name, expected), (_, actual))| SelfTestStage {
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
    let (greedy_step, choice) = greedy_step(model, &mut state, device)?;
    Ok(vec![
        ("features", values(features)?),
        ("encoder", values(encoded)?),
        ("prompt", values(prompt)?),
        ("decoder step", values(step)?),
        ("logits", values(logits)?),
        ("greedy step", greedy_step),
        ("choice of a token", choice),
    ])
}

/// The step after [`NEXT`] as greedy decoding on a device has it, whose position the device alone knows: the states, and of the token
/// that is chosen by the rules its log-probability and its logit.
fn greedy_step(
    model: &WhisperModel,
    state: &mut DecoderState,
    device: &Device,
) -> Result<(Vec<f32>, Vec<f32>)> {
    let decoder = &model.decoder;
    let report = TensorData::new(vec![NEWEST, 0], [1, 2]);
    let report = Tensor::from_data(report, (device, DType::I32));
    let sampled = Tensor::zeros([1, 2], (device, DType::I32));
    let progress = Progress::new(PROMPT.len() + NEXT.len() - 1, 0, device);
    let (sampled, progress) = record(sampled, progress, report);
    let states = decoder.forward_newest(sampled.clone(), &progress, state);
    let logits = decoder.logits(states.clone()).squeeze_dim::<2>(1);
    let allowed = timestamp_rules_so_far(logits.clone(), sampled, &progress, TIMESTAMPS);
    let report = most_probable(allowed).report.try_into_data();
    let report: Vec<i32> = report.map_err(failed)?.iter().collect();
    let logits = values(logits)?;
    let choice = match report[..] {
        [token, logprob] => Chosen::of([token, logprob]),
        _ => return Err(failed("too little came back")),
    };
    // Of two tokens that are equally probable either may be chosen: they are alike in this.
    let logit = choice.token.and_then(|token| logits.get(token as usize));
    let choice = vec![choice.logprob, logit.copied().unwrap_or(f32::NAN)];
    Ok((values(states)?, choice))
}

fn tokens(ids: &[i64], device: &Device) -> Tensor<2, Int> {
    Tensor::from_data(TensorData::new(ids.to_vec(), [1, ids.len()]), device)
}

fn values<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    let data = tensor.try_into_data().map_err(failed)?;
    Ok(data.iter::<f32>().collect())
}

fn failed(error: impl fmt::Display) -> Error {
    Error::Device(format!("the work failed: {error}"))
}

/// See [`SelfTestStage::relative_error`].
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
        assert_eq!(test.stages.len(), 7);
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
        let stage = |name, relative_error| SelfTestStage {
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
