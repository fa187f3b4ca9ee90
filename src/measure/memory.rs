//! How much memory is in use, and was at most.

use burn::tensor::Device;

/// Memory of this process, as the operating system counts it (resident set). Linux adds its counters up lazily, so that
/// some hundreds of KiB may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostMemory {
    /// Bytes in use now.
    pub current: u64,
    /// Most bytes in use at one time since the process began, or since the last
    /// [`reset_host_peak`].
    pub peak: u64,
}

/// Memory that Burn's allocator holds on a device, for the whole process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceMemory {
    /// Bytes of living tensors.
    pub in_use: u64,
    /// Bytes that the allocator holds, those for reuse among them.
    pub reserved: u64,
    /// Most bytes held at one time, where the allocator counts pages: the sum over its pools of the most pages each ever
    /// held, so an upper bound, and never less than [`reserved`](Self::reserved). It cannot be reset: to measure one piece of
    /// work, measure it first, or in a process of its own.
    pub peak_reserved: u64,
}

/// Memory of this process; `None` where the system does not tell (so far all but Linux).
pub fn host_memory() -> Option<HostMemory> {
    parse_status(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// Makes the present use the peak from which [`HostMemory::peak`] counts on. Whether the system let that happen: Linux does,
/// unless a sandbox forbids it.
pub fn reset_host_peak() -> bool {
    // Writing 5 resets the peak resident set size (proc(5), clear_refs).
    cfg!(target_os = "linux") && std::fs::write("/proc/self/clear_refs", "5").is_ok()
}

/// Memory of a device; `None` where the backend has no allocator of its own, as on the CPU.
///
/// Wait for the device first ([`Device::sync`]): work that is queued may not have its memory yet.
pub fn device_memory(device: &Device) -> Option<DeviceMemory> {
    let usage = device.memory_pool_usage()?;
    let pools = device.memory_pool_report().unwrap_or_default();
    let peaks = pools
        .iter()
        .map(|pool| pool.page_size.saturating_mul(pool.pages_peak));
    Some(DeviceMemory {
        in_use: usage.bytes_in_use,
        reserved: usage.bytes_reserved,
        peak_reserved: peaks.sum::<u64>().max(usage.bytes_reserved),
    })
}

/// Reads `VmRSS` and `VmHWM` of Linux's `/proc/self/status`.
fn parse_status(status: &str) -> Option<HostMemory> {
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        kibibytes.checked_mul(1024)
    };
    Some(HostMemory {
        current: bytes("VmRSS:")?,
        peak: bytes("VmHWM:")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_is_read_by_its_names() {
        let status = "Name:\tx\nVmPeak:\t  900 kB\nVmHWM:\t    512 kB\nVmRSS:\t    256 kB\n";
        let memory = HostMemory {
            current: 256 * 1024,
            peak: 512 * 1024,
        };
        assert_eq!(parse_status(status), Some(memory));
        assert_eq!(parse_status("VmHWM: 5 kB\n"), None);
        assert_eq!(parse_status("VmHWM: many kB\nVmRSS: 1 kB"), None);
    }

    #[test]
    fn the_cpu_has_no_allocator_of_its_own() {
        assert_eq!(device_memory(&crate::device::open("cpu").unwrap()), None);
    }
}
