//! Each device: what it is, what it computes in, and whether it computes right.

use serde::{Serialize, Serializer};
use whisper_rs::device::{self, DeviceKind, Found, Refusal};
use whisper_rs::{ComputeType, Error, measure, self_test};

use crate::cli::feedback::waiting::Waiting;

/// The devices that were found, and why there are no more.
#[derive(Debug, Default, Serialize)]
pub struct Devices {
    pub devices: Vec<Examined>,
    pub refused: Vec<Refused>,
}

/// A device, examined.
#[derive(Debug, Serialize)]
pub struct Examined {
    /// What `--device` takes.
    pub name: String,
    pub description: String,
    #[serde(serialize_with = "kind_name")]
    pub kind: DeviceKind,
    /// What kernels are compiled for.
    pub target: Option<String>,
    /// The GPU's driver with its version, and of CUDA the library that compiles kernels.
    pub driver: Option<String>,
    /// The GPU's own memory.
    pub memory_bytes: Option<u64>,
    /// What `--compute_type` can be beside `auto`.
    pub compute_types: Vec<String>,
    pub self_test: SelfTestReport,
}

/// How the self-test ended.
#[derive(Debug, Serialize)]
pub struct SelfTestReport {
    pub passed: bool,
    /// Nothing where the device failed, or gave what is no number.
    pub largest_relative_error: Option<f32>,
    /// Nothing where the device failed.
    pub seconds: Option<f64>,
    /// The result in words, or the reason why there is none.
    pub result: String,
}

/// A device or backend that was not examined.
#[derive(Debug, Serialize)]
pub struct Refused {
    pub name: String,
    pub status: Status,
    pub reason: String,
}

/// Why a device was not examined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The machine lacks it, or its driver.
    Absent,
    /// It is there and cannot be opened, or its name is none.
    Unusable,
    /// It is tried only when it is named.
    Untested,
}

impl Examined {
    pub fn passed(&self) -> bool {
        self.self_test.passed
    }

    fn of(found: Found) -> Self {
        let device = &found.device;
        let waiting = Waiting::for_first_work(device);
        let self_test = SelfTestReport::new(self_test(device));
        drop(waiting);
        let can = |name: &&str| {
            let compute_type = name.parse::<ComputeType>();
            compute_type.is_ok_and(|kind| kind != ComputeType::Auto && kind.on(device).is_ok())
        };
        Examined {
            self_test,
            driver: device::driver(device),
            memory_bytes: measure::device_capacity(device),
            compute_types: (ComputeType::NAMES.into_iter().filter(can))
                .map(str::to_owned)
                .collect(),
            name: found.name,
            description: found.description,
            kind: found.kind,
            target: found.target,
        }
    }
}

impl SelfTestReport {
    /// Whether the device gave an error instead of results.
    pub fn failed(&self) -> bool {
        !self.passed && self.seconds.is_none()
    }

    pub fn new(test: Result<whisper_rs::SelfTest, Error>) -> Self {
        match test {
            Ok(test) => SelfTestReport {
                passed: test.passed(),
                largest_relative_error: Some(test.largest_relative_error())
                    .filter(|error| error.is_finite()),
                seconds: Some(test.seconds),
                result: test.to_string(),
            },
            Err(error) => SelfTestReport {
                passed: false,
                largest_relative_error: None,
                seconds: None,
                result: error.to_string(),
            },
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Refused {
            status: match refusal.is_absence() {
                true => Status::Absent,
                false => Status::Unusable,
            },
            name: refusal.name,
            reason: refusal.reason,
        }
    }
}

fn kind_name<S: Serializer>(kind: &DeviceKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match kind {
        DeviceKind::Cpu => "cpu",
        DeviceKind::Gpu => "gpu",
        _ => "software_rasteriser",
    })
}

/// Examines a device by its name, or all of them for `auto`.
///
/// # Errors
///
/// [`Error::Device`] when there is no such name. A device that cannot be opened is no error but a finding.
pub fn examine(name: &str) -> Result<Devices, Error> {
    device::check(name)?;
    let waiting = Waiting::for_choice(name);
    let (found, refused) = match name {
        "auto" => device::find(),
        _ => match device::find_named(name) {
            Ok(found) => (vec![found], Vec::new()),
            Err(refusal) => (Vec::new(), vec![refusal]),
        },
    };
    drop(waiting);
    // Such drivers are for tests and may bring the whole process down: they are tried only when they are named.
    let (untested, found): (Vec<Found>, Vec<Found>) = (found.into_iter())
        .partition(|found| name == "auto" && found.kind == DeviceKind::SoftwareRasteriser);
    let untested = untested.into_iter().map(|found| Refused {
        status: Status::Untested,
        reason: format!(
            "{} is a software rasteriser, slower than the CPU device; --device {} tests it",
            found.description, found.name
        ),
        name: found.name,
    });
    Ok(Devices {
        devices: found.into_iter().map(Examined::of).collect(),
        refused: (refused.into_iter().map(Refused::from))
            .chain(untested)
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_passes_and_has_its_compute_types() {
        let devices = examine("cpu").unwrap();
        let [cpu] = devices.devices.as_slice() else {
            panic!("{devices:?}")
        };
        assert!(cpu.passed(), "{cpu:?}");
        assert_eq!(cpu.compute_types, ["float32", "float16", "int8", "int16"]);
        assert_eq!(cpu.self_test.largest_relative_error, Some(0.0));
        assert!(examine("abacus").is_err());
    }

    #[test]
    fn a_device_that_fails_says_why() {
        let failed = SelfTestReport::new(Err(Error::Device("it is on fire".to_owned())));
        assert!(!failed.passed && failed.result.contains("it is on fire"));
    }
}
