//! Measuring: a timer that waits for the device, memory of the host and of the device, and statistics of a series.
//!
//! ```
//! use whisper_rs::{device, measure::Timer};
//!
//! # fn main() -> whisper_rs::Result<()> {
//! let timer = Timer::on(&device::open("cpu")?).warm_up(1).repetitions(5);
//! let seconds = timer.time(|| (0..1000u64).sum::<u64>())?;
//! println!("median {:.6} s, within {:.0} %", seconds.median(), seconds.relative_spread() * 100.0);
//! # Ok(())
//! # }
//! ```

mod memory;
mod series;
mod timer;

pub use memory::{
    DeviceMemory, HostMemory, SystemMemory, device_capacity, device_memory, host_memory,
    reset_host_peak, system_memory,
};
pub use series::Series;
pub use timer::{PairedTimes, Timer};
