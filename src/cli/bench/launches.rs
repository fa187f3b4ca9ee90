//! How many kernels a call launches on a device.

use burn::tensor::Device;
use whisper_rs::{Error, measure};

use super::sync;

/// How many kernels were launched, if the device counts them, and each one's name and number.
pub type Counted = (Option<usize>, Vec<(String, usize)>);

/// Counts the launches of a call; none are counted on the host's backends.
#[cfg(any(feature = "cuda", feature = "wgpu"))]
pub fn count<T>(device: &Device, call: impl FnOnce() -> T) -> Result<Counted, Error> {
    let (result, launches) = whisper_kernels::count_launches(|| {
        let output = call();
        sync(device).map(|()| output)
    });
    result?;
    if measure::device_memory(device).is_none() {
        return Ok((None, Vec::new()));
    }
    let kernels = launches.kernels.iter();
    let kernels = kernels.map(|(name, &count)| (name.to_string(), count));
    Ok((Some(launches.total()), kernels.collect()))
}

/// Counts the launches of a call; none are counted on the host's backends.
#[cfg(not(any(feature = "cuda", feature = "wgpu")))]
pub fn count<T>(device: &Device, call: impl FnOnce() -> T) -> Result<Counted, Error> {
    drop(call());
    sync(device)?;
    debug_assert!(measure::device_memory(device).is_none());
    Ok((None, Vec::new()))
}
