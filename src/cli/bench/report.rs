//! What a benchmark found, for people and as JSON.

use serde::Serialize;
use whisper_rs::measure::Series;

/// Seconds of repeated runs.
#[derive(Debug, Serialize)]
pub struct Seconds {
    pub median: f64,
    pub min: f64,
    /// The interquartile range over the median.
    pub relative_spread: f64,
    pub runs: usize,
}

impl From<&Series> for Seconds {
    fn from(series: &Series) -> Self {
        Self {
            median: series.median(),
            min: series.min(),
            relative_spread: series.relative_spread(),
            runs: series.len(),
        }
    }
}

/// A report for people, line by line.
#[derive(Debug, Default)]
pub struct Lines(Vec<String>);

impl Lines {
    pub fn add(&mut self, line: String) {
        self.0.push(line);
    }

    /// All lines, without the last one's end.
    pub fn text(&self) -> String {
        self.0.join("\n")
    }
}

/// A time with three digits and its unit.
pub fn time(seconds: f64) -> String {
    match seconds {
        s if s < 1e-3 => format!("{:.1} us", s * 1e6),
        s if s < 1.0 => format!("{:.2} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}

/// The most memory that a process took: the host's, and a GPU's own where it computed on one.
pub fn peaks(host: Option<u64>, device: Option<u64>, on_gpu: bool) -> String {
    let known = |value: Option<u64>| value.map_or("not known".to_owned(), bytes);
    match on_gpu {
        true => format!("host peak {}, device peak {}", known(host), known(device)),
        false => format!("host peak {}", known(host)),
    }
}

/// Bytes with their unit, in powers of 1000.
pub fn bytes(bytes: u64) -> String {
    match bytes {
        b if b < 10_000 => format!("{b} B"),
        b if b < 10_000_000 => format!("{:.0} kB", b as f64 / 1e3),
        b => format!("{:.0} MB", b as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_fitting_units() {
        assert_eq!(time(0.000_25), "250.0 us");
        assert_eq!(time(0.0125), "12.50 ms");
        assert_eq!(time(3.0), "3.00 s");
        assert_eq!(bytes(4), "4 B");
        assert_eq!(bytes(230_400_000), "230 MB");
    }

    #[test]
    fn the_host_s_backends_have_no_memory_of_their_own() {
        assert_eq!(peaks(Some(20_000_000), None, false), "host peak 20 MB");
        let on_gpu = peaks(None, Some(4), true);
        assert_eq!(on_gpu, "host peak not known, device peak 4 B");
    }
}
