//! What a call makes a device do: kernels launched, bytes copied from and to the host.

use burn::tensor::Device;
use serde::Serialize;
use whisper_rs::{Error, measure};

use super::report::{Lines, bytes};
use super::sync;

/// What the device's runtime counted; nothing on the host's backends, which compute where the data are.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Counted {
    /// Kernels launched.
    pub launches: Option<usize>,
    /// Each one's name and number.
    pub kernels: Vec<(String, usize)>,
    /// Copies between host and device; not known where the runtime's profiling interface is missing.
    pub copies: Option<CopiesCounted>,
}

/// Copies in both directions.
#[derive(Clone, Debug, Serialize)]
pub struct CopiesCounted {
    pub to_device: CopiesOneWay,
    pub to_host: CopiesOneWay,
}

/// Copies in one direction. The bytes are not known where the runtime tells their number alone.
#[derive(Clone, Debug, Serialize)]
pub struct CopiesOneWay {
    pub count: usize,
    pub bytes: Option<u64>,
}

/// Counts what a call and the work that it leaves behind make the device do.
#[cfg(any(feature = "cuda", feature = "wgpu"))]
pub fn count<T>(device: &Device, call: impl FnOnce() -> T) -> Result<Counted, Error> {
    // What was asked for before does not count.
    sync(device)?;
    let ((result, launches), copies) = whisper_kernels::count_copies(device, || {
        whisper_kernels::count_launches(|| {
            let output = call();
            sync(device).map(|()| output)
        })
    });
    result?;
    if measure::device_memory(device).is_none() {
        return Ok(Counted::default());
    }
    let kernels = launches.kernels.iter();
    let one_way = |direction: whisper_kernels::Direction| CopiesOneWay {
        count: direction.count,
        bytes: direction.bytes,
    };
    Ok(Counted {
        launches: Some(launches.total()),
        kernels: kernels
            .map(|(name, &count)| (name.to_string(), count))
            .collect(),
        copies: copies.map(|copies| CopiesCounted {
            to_device: one_way(copies.to_device),
            to_host: one_way(copies.to_host),
        }),
    })
}

/// Counts what a call and the work that it leaves behind make the device do.
#[cfg(not(any(feature = "cuda", feature = "wgpu")))]
pub fn count<T>(device: &Device, call: impl FnOnce() -> T) -> Result<Counted, Error> {
    drop(call());
    sync(device)?;
    debug_assert!(measure::device_memory(device).is_none());
    Ok(Counted::default())
}

impl Counted {
    /// Says launches, kernels and copies, each line with an indent.
    pub fn describe(&self, indent: &str, lines: &mut Lines) {
        let Some(launches) = self.launches else {
            lines.add(format!(
                "{indent}launches      none on the host, and no copies"
            ));
            return;
        };
        lines.add(format!("{indent}launches      {launches}"));
        for (kernel, count) in &self.kernels {
            lines.add(format!("{indent}  {count} x {kernel}"));
        }
        match &self.copies {
            Some(copies) => lines.add(format!(
                "{indent}copies        {} to the device, {} to the host",
                copies.to_device.describe(),
                copies.to_host.describe()
            )),
            None => lines.add(format!("{indent}copies        not counted: the runtime's profiling interface was not found (on CUDA, libcupti.so), or is in use")),
        }
    }
}

impl CopiesOneWay {
    fn describe(&self) -> String {
        match self.bytes {
            Some(size) if self.count > 0 => format!("{} ({})", self.count, bytes(size)),
            _ => self.count.to_string(),
        }
    }
}
