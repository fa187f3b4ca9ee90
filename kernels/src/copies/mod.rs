//! Counting what crosses between the host's memory and a device's.

#[cfg(feature = "cuda")]
mod cuda;
#[cfg(feature = "wgpu")]
mod wgpu;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use burn::backend::DispatchDevice;
use burn::tensor::Device;
#[cfg(any(feature = "cuda", feature = "wgpu"))]
use cubecl::RuntimeId;

/// Copies between host and device, as the layer below CubeCL saw them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copies {
    /// From the host to the device.
    pub to_device: Direction,
    /// From the device to the host.
    pub to_host: Direction,
}

/// Copies in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Direction {
    /// Number of copies.
    pub count: usize,
    /// Their bytes; `None` where the runtime tells the number alone.
    pub bytes: Option<u64>,
}

/// Counts the copies of the whole process between host and the device's memory while `call` runs; `None` beside the
/// result where nothing can tell.
///
/// Nothing is taken from what this library or Burn say of themselves:
///
/// - on CUDA, NVIDIA's profiling interface (CUPTI) reports every copy that the driver is asked for. It comes with the CUDA
///   toolkit and not with the driver: `libcupti.so` has to be where the loader finds it;
/// - on wgpu, wgpu-core's own log (at the level trace) names each write to a buffer, without its size, and each mapping of
///   a buffer for reading, after the copy that filled it. Only one logger can be installed in a process: where another is, nothing is counted.
///
/// What a kernel is launched with beside its buffers, shapes and scalars, is a small copy to the device too, and is counted
/// where the runtime makes it one.
///
/// `call` should wait for its device before it returns: what fusion still holds back is not copied.
pub fn count_copies<T>(device: &Device, call: impl FnOnce() -> T) -> (T, Option<Copies>) {
    let DispatchDevice::Cube(device) = device.as_dispatch() else {
        // The host's backends compute where the samples are.
        return (call(), None);
    };
    // What is counted is the whole process's: one call at a time.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _counting = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    match device.runtime() {
        #[cfg(feature = "cuda")]
        RuntimeId::Cuda => cuda::count(call),
        #[cfg(feature = "wgpu")]
        RuntimeId::Wgpu => wgpu::count(call),
        _ => (call(), None),
    }
}

/// A direction's copies while they are being counted, from any thread.
#[derive(Debug)]
struct Tally {
    count: AtomicUsize,
    bytes: AtomicU64,
}

impl Tally {
    const fn new() -> Self {
        Self {
            count: AtomicUsize::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    fn add(&self, bytes: u64) {
        self.count.fetch_add(1, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
    }

    /// What was counted, and zero from now on.
    fn take(&self) -> Direction {
        Direction {
            count: self.count.swap(0, Relaxed),
            bytes: Some(self.bytes.swap(0, Relaxed)),
        }
    }
}
