//! The fused log-Mel features on every device compiled in: against the definition computed naively in
//! f64, against the same composed of Burn's operations, and at every edge of a signal.

#![cfg_attr(feature = "ndarray", allow(deprecated))]

#[path = "support/definition.rs"]
mod definition;
#[path = "support/devices.rs"]
mod devices;

use burn::tensor::{DType, Device, FloatDType, Tensor, TensorData};
use definition::definition;
use whisper_kernels::{ComposedLogMel, LogMel, LogMelConfig, Pcm, Smoothing, Windows};

/// The devices, and how far from the definition each may be: the CPU computes in f64, GPUs in f32.
fn devices() -> Vec<(&'static str, Device, f32)> {
    let flex = [
        #[cfg(feature = "flex")]
        ("flex", Device::flex()),
    ];
    let all = flex.into_iter().chain(devices::devices());
    let tolerance = |name| match name {
        "flex" | "ndarray" => 2e-6,
        _ => 1e-4,
    };
    all.map(|(name, device)| (name, device, tolerance(name)))
        .collect()
}

/// Noise with loud and quiet stretches, as 16-bit samples have it.
fn noise(count: usize) -> Vec<f32> {
    let mut state = 12345u32;
    (0..count)
        .map(|i| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let loudness = 1 << (3 + (i / 300) % 10);
            ((state >> 16) as i32 % loudness - loudness / 2) as f32 / 32768.0
        })
        .collect()
}

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), (device, DType::F32))
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

fn features(config: LogMelConfig, samples: &[f32], device: &Device) -> Vec<f32> {
    let log_mel = config.init(device).unwrap();
    let pcm = tensor(samples.to_vec(), [samples.len()], device);
    let map = log_mel.forward(pcm);
    assert_eq!(
        map.dims(),
        [log_mel.n_mels(), log_mel.frames(samples.len())]
    );
    values(map)
}

/// Compares the whole map of a signal with the definition, on every device.
fn check(samples: &[f32], padding: usize, n_mels: usize) {
    let frames = (samples.len() + padding) / 160;
    let sounding = frames.min(samples.len() / 160 + 4);
    let logs: Vec<Vec<f64>> = (0..sounding)
        .map(|t| definition(samples, padding, t, n_mels))
        .collect();
    let maximum = logs.iter().flatten().copied().fold(-10.0, f64::max);
    let normalise = |value: f64| ((value.max(maximum - 8.0) + 4.0) / 4.0) as f32;
    let config = LogMelConfig::new(n_mels).with_padding(padding);
    for (name, device, tolerance) in devices() {
        let map = features(config, samples, &device);
        let mut worst = 0.0f32;
        for (i, &value) in map.iter().enumerate() {
            let (mel, t) = (i / frames, i % frames);
            let expected = normalise(logs.get(t).map_or(-10.0, |frame| frame[mel]));
            let error = (value - expected).abs();
            assert!(
                error <= tolerance,
                "{name}, {} samples, {padding} zeros, mel bin {mel}, frame {t}: {value}, not {expected}",
                samples.len()
            );
            worst = worst.max(error);
        }
        println!("{name}, {} samples: {worst:.1e}", samples.len());
    }
}

#[test]
fn the_definition_holds_at_every_length() {
    for length in [
        0, 1, 2, 159, 160, 161, 199, 200, 201, 359, 400, 401, 1600, 5000,
    ] {
        check(&noise(length), 3200, 80);
    }
    for length in [401, 1600, 1601, 1759, 5000] {
        check(&noise(length), 0, 80);
    }
    check(&noise(3000), 1000, 128);
}

#[test]
fn the_definition_holds_around_thirty_seconds() {
    for length in [479_999, 480_000, 480_001] {
        let samples = noise(length);
        for (name, device, tolerance) in devices() {
            let map = features(LogMelConfig::new(80), &samples, &device);
            let frames = length / 160;
            let loudest = map.iter().copied().fold(f32::MIN, f32::max);
            for t in [0, 1, 1500, frames - 2, frames - 1] {
                for (mel, value) in definition(&samples, 0, t, 80).into_iter().enumerate() {
                    let expected = ((value + 4.0) / 4.0).max(f64::from(loudest) - 2.0) as f32;
                    let value = map[mel * frames + t];
                    assert!(
                        (value - expected).abs() <= 2.0 * tolerance,
                        "{name}, {length} samples, mel bin {mel}, frame {t}: {value}, not {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_definition_holds_for_silence_full_scale_and_denormals() {
    check(&[0.0; 2000], 480, 80);
    let square: Vec<f32> = (0..4000)
        .map(|i| if (i / 40) % 2 == 0 { 1.0 } else { -1.0 })
        .collect();
    check(&square, 480, 80);
    let denormals: Vec<f32> = noise(4000).iter().map(|x| x * 1e-38).collect();
    check(&denormals, 480, 80);
}

/// Signals without silence, long enough for any number of frames in a cube.
fn signals() -> Vec<Vec<f32>> {
    [400, 2719, 2720, 9999, 30_000].map(noise).to_vec()
}

#[test]
fn smoothing_is_avg_pool2d_without_the_padding() {
    for n_mels in [80, 128] {
        for samples in signals() {
            let config = LogMelConfig::new(n_mels)
                .with_padding(800)
                .with_smoothing(Smoothing::Average3x3);
            let oracle = ComposedLogMel::new(config, &Device::flex()).unwrap();
            let pcm = tensor(samples.clone(), [1, samples.len()], &Device::flex());
            let expected = values(oracle.forward_batch(pcm));
            for (name, device, _) in devices() {
                let smoothed = features(config, &samples, &device);
                close(&smoothed, &expected, 1e-4, name);
            }
        }
    }
}

/// The 3x3 mean of the features themselves, computed here.
#[test]
fn smoothing_averages_the_cells_that_exist() {
    for (name, device, _) in devices() {
        for samples in signals() {
            let config = LogMelConfig::new(80).with_padding(480);
            let map = features(config, &samples, &device);
            let smooth = config.with_smoothing(Smoothing::Average3x3);
            let smoothed = features(smooth, &samples, &device);
            let frames = map.len() / 80;
            for (i, &value) in smoothed.iter().enumerate() {
                let (mel, t) = (i / frames, i % frames);
                let (mut sum, mut cells) = (0.0f64, 0);
                for row in mel.saturating_sub(1)..(mel + 2).min(80) {
                    for near in t.saturating_sub(1)..(t + 2).min(frames) {
                        sum += f64::from(map[row * frames + near]);
                        cells += 1;
                    }
                }
                let expected = (sum / f64::from(cells)) as f32;
                assert!(
                    (value - expected).abs() < 2e-6,
                    "{name}, mel bin {mel}, frame {t} of {frames}: {value}, not {expected}"
                );
            }
        }
    }
}

#[test]
fn the_same_composed_of_burns_operations_agrees() {
    let samples = noise(20_000);
    for (name, device, _) in devices() {
        let config = LogMelConfig::new(80).with_padding(1600);
        let pcm = || tensor(samples.clone(), [2, 10_000], &device);
        let fused = config.init(&device).unwrap().forward_batch(pcm());
        let composed = ComposedLogMel::new(config, &device).unwrap();
        // Burn's matrix product of f32 is rounded to TF32 on CUDA: there the composed features are coarse.
        let tolerance = if name == "cuda" { 0.1 } else { 2e-4 };
        close(
            &values(fused),
            &values(composed.forward_batch(pcm())),
            tolerance,
            name,
        );
    }
}

fn close(actual: &[f32], expected: &[f32], tolerance: f32, name: &str) {
    assert_eq!(actual.len(), expected.len(), "{name}");
    for (i, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        assert!(
            (actual - expected).abs() <= tolerance,
            "{name}, element {i}: {actual}, not {expected}"
        );
    }
}

#[test]
fn each_signal_of_a_batch_has_its_own_maximum() {
    let loud = noise(8000);
    let quiet: Vec<f32> = loud.iter().rev().map(|x| x / 4096.0).collect();
    for (name, device, _) in devices() {
        for smoothing in [Smoothing::Off, Smoothing::Average3x3] {
            let config = LogMelConfig::new(128)
                .with_padding(160)
                .with_smoothing(smoothing);
            let log_mel = config.init(&device).unwrap();
            let both = [loud.clone(), quiet.clone()].concat();
            let batch = values(log_mel.forward_batch(tensor(both, [2, 8000], &device)));
            let alone = [&loud, &quiet].map(|samples| features(config, samples, &device));
            assert_eq!(batch, alone.concat(), "{name}");
        }
    }
}

/// A long file comes in blocks; its windows are parts of the whole map, to the last bit.
#[test]
fn blocks_and_windows_are_parts_of_one_map() {
    let samples = noise(50_000);
    for (name, device, _) in devices() {
        for smoothing in [Smoothing::Off, Smoothing::Average3x3] {
            let config = LogMelConfig::new(80)
                .with_padding(4800)
                .with_smoothing(smoothing);
            let log_mel = config.init(&device).unwrap();
            let whole = features(config, &samples, &device);
            let frames = log_mel.frames(samples.len());

            let block = |start: usize, end: usize| {
                let part = samples[start..end].to_vec();
                Pcm::block(tensor(part, [1, end - start], &device), start, 50_000)
            };
            let mut maximum = None;
            for start in (0..50_000).step_by(6000) {
                maximum = Some(log_mel.maximum(&block(start, (start + 7000).min(50_000)), maximum));
            }
            let maximum = maximum.unwrap();

            let windows = Windows {
                first: 100,
                count: 5,
                stride: 37,
                frames: 50,
                end: 290,
            };
            let needed = log_mel.samples_of(50_000, 100..290);
            let part = block(needed.start, needed.end);
            let output = log_mel
                .windows(&part, &maximum, windows, FloatDType::F32)
                .unwrap();
            assert_eq!(output.dims(), [5, 80, 50]);
            for (i, &value) in values(output).iter().enumerate() {
                let (window, mel, t) = (i / 4000, i / 50 % 80, i % 50);
                let frame = 100 + 37 * window + t;
                let expected = if frame < 290 {
                    whole[mel * frames + frame]
                } else {
                    0.0
                };
                assert_eq!(value, expected, "{name}, window {window}, frame {frame}");
            }

            // Past the end of the file there are the zeros' frames, and then none.
            let last = log_mel
                .windows(
                    &block(49_000, 50_000),
                    &maximum,
                    Windows::one(frames - 20, 40),
                    FloatDType::F32,
                )
                .unwrap();
            for (i, &value) in values(last).iter().enumerate() {
                let frame = frames - 20 + i % 40;
                let expected = if frame < frames {
                    whole[i / 40 * frames + frame]
                } else {
                    0.0
                };
                assert_eq!(value, expected, "{name}, frame {frame} of {frames}");
            }

            // A block that lacks samples is refused.
            let refused = log_mel.windows(&block(0, 7000), &maximum, windows, FloatDType::F32);
            assert!(refused.is_err(), "{name}");
        }
    }
}

#[test]
fn half_precision_is_the_rounded_result() {
    let samples = noise(16_000);
    for (name, device, _) in devices() {
        let log_mel: LogMel = LogMelConfig::new(80).init(&device).unwrap();
        let pcm = Pcm::whole(tensor(samples.clone(), [1, 16_000], &device));
        let maximum = log_mel.maximum(&pcm, None);
        let of = |dtype| {
            log_mel
                .windows(&pcm, &maximum, Windows::one(0, 100), dtype)
                .unwrap()
        };
        if name != "ndarray" && device.supports_dtype(DType::F16) {
            let half = of(FloatDType::F16);
            assert_eq!(half.dtype(), DType::F16, "{name}");
            let half: Tensor<3> = half.cast(FloatDType::F32);
            let expected = values(of(FloatDType::F32));
            close(&values(half), &expected, 1e-3, name);
        }
    }
}

#[test]
fn no_signals_and_no_frames_are_no_features() {
    for (_, device, _) in devices() {
        let log_mel = LogMelConfig::new(80).init(&device).unwrap();
        assert_eq!(
            log_mel
                .forward(tensor(vec![0.1; 100], [100], &device))
                .dims(),
            [80, 0]
        );
        assert_eq!(
            log_mel.forward(tensor(Vec::new(), [0], &device)).dims(),
            [80, 0]
        );
    }
}

#[test]
fn more_windows_than_an_axis_of_a_grid_holds() {
    let samples = noise(40_000);
    let windows = Windows {
        count: 70_000,
        stride: 0,
        ..Windows::one(100, 2)
    };
    for (name, device, _) in devices() {
        let log_mel = LogMelConfig::new(80).init(&device).unwrap();
        let pcm = Pcm::whole(tensor(samples.clone(), [1, 40_000], &device));
        let maximum = log_mel.maximum(&pcm, None);
        let features = |windows| {
            let features = log_mel.windows(&pcm, &maximum, windows, FloatDType::F32);
            values(features.unwrap())
        };
        let one = features(Windows::one(100, 2));
        let many = features(windows);
        assert_eq!(many.len(), 70_000 * one.len());
        assert!(many.chunks(one.len()).all(|window| window == one), "{name}");
    }
}

#[test]
fn what_does_not_fit_is_refused_or_widened() {
    for (name, device, tolerance) in devices() {
        let log_mel = LogMelConfig::new(80).init(&device).unwrap();
        let pcm = |batch: usize| {
            let samples: Vec<f32> = noise(4000).repeat(batch);
            Pcm::whole(tensor(samples, [batch, 4000], &device))
        };
        let of_two = log_mel.maximum(&pcm(2), None);
        let one = Windows::one(0, 10);
        let refused = log_mel.windows(&pcm(1), &of_two, one, FloatDType::F32);
        let expected = whisper_kernels::Error::Maxima {
            maxima: 2,
            signals: 1,
        };
        assert_eq!(refused.unwrap_err(), expected, "{name}");
        let far = Windows::one(usize::MAX, 3);
        log_mel
            .windows(&pcm(2), &of_two, far, FloatDType::F32)
            .unwrap();
        if !device.supports_dtype(DType::F16) {
            continue;
        }
        // Samples that half precision has too.
        let coarse: Vec<f32> = noise(4000)
            .iter()
            .map(|x| (x * 64.0).round() / 64.0)
            .collect();
        let samples: Tensor<1> = tensor(coarse, [4000], &device);
        let half = log_mel.forward(samples.clone().cast(FloatDType::F16));
        close(
            &values(half),
            &values(log_mel.forward(samples)),
            tolerance,
            name,
        );
    }
}

/// What such samples give differs between devices, but only in frames that hear them, as long as they do not make the maximum.
#[test]
fn a_nan_spoils_the_frames_that_hear_it_and_no_others() {
    let clean = noise(8000);
    let mut spoilt = clean.clone();
    spoilt[4000] = f32::NAN;
    for (name, device, tolerance) in devices() {
        let log_mel = LogMelConfig::new(80).init(&device).unwrap();
        let features = |samples: &[f32]| {
            let pcm = |samples: &[f32]| Pcm::whole(tensor(samples.to_vec(), [1, 8000], &device));
            let maximum = log_mel.maximum(&pcm(&clean), None);
            let all = Windows::one(0, 50);
            values(
                log_mel
                    .windows(&pcm(samples), &maximum, all, FloatDType::F32)
                    .unwrap(),
            )
        };
        let (clean, spoilt) = (features(&clean), features(&spoilt));
        for (i, (clean, spoilt)) in clean.iter().zip(&spoilt).enumerate() {
            let heard = (160 * (i % 50)).abs_diff(4000) <= 200;
            let same = (clean - spoilt).abs() <= tolerance;
            assert!(heard || same, "{name}, frame {}", i % 50);
        }
    }
}
