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

/// Memory of the whole machine, as the operating system counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SystemMemory {
    /// Bytes that are built in.
    pub total: u64,
    /// Bytes that programs can still take without swapping.
    pub available: u64,
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

/// Memory of this machine; `None` where the system does not tell (so far all but Linux). A container's limit is not in it.
pub fn system_memory() -> Option<SystemMemory> {
    parse_meminfo(&std::fs::read_to_string("/proc/meminfo").ok()?)
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

/// Bytes of memory that the GPU of a device has, whoever uses them; `None` on the CPU, and where the driver does not tell.
pub fn device_capacity(device: &Device) -> Option<u64> {
    #[cfg(any(feature = "cuda", feature = "wgpu"))]
    return whisper_kernels::device_capacity(device);
    #[cfg(not(any(feature = "cuda", feature = "wgpu")))]
    {
        let _ = device;
        None
    }
}

/// Reads `VmRSS` and `VmHWM` of Linux's `/proc/self/status`.
fn parse_status(status: &str) -> Option<HostMemory> {
    Some(HostMemory {
        current: counted_bytes(status, "VmRSS:")?,
        peak: counted_bytes(status, "VmHWM:")?,
    })
}

/// Reads `MemTotal` and `MemAvailable` of Linux's `/proc/meminfo`.
fn parse_meminfo(meminfo: &str) -> Option<SystemMemory> {
    Some(SystemMemory {
        total: counted_bytes(meminfo, "MemTotal:")?,
        available: counted_bytes(meminfo, "MemAvailable:")?,
    })
}

/// The bytes of a line such as `VmRSS:   256 kB`, by its name.
fn counted_bytes(lines: &str, name: &str) -> Option<u64> {
    let line = lines.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
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
    fn the_machine_has_more_memory_than_is_available() {
        let meminfo = "MemTotal:       16 kB\nMemFree:  1 kB\nMemAvailable:   8 kB\n";
        let memory = SystemMemory {
            total: 16 * 1024,
            available: 8 * 1024,
        };
        assert_eq!(parse_meminfo(meminfo), Some(memory));
        if let Some(memory) = system_memory() {
            assert!(memory.total >= memory.available && memory.available > 0);
        }
    }

    #[test]
    fn the_cpu_has_no_memory_of_its_own() {
        let cpu = crate::device::open("cpu").unwrap();
        assert_eq!(device_memory(&cpu), None);
        assert_eq!(device_capacity(&cpu), None);
    }
}
