//! How far a run over many files is: by their lengths, which are known once they are decoded, and guessed from their sizes
//! before.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::cli::inputs::Input;

/// Seconds that the encoder takes in at once: a shorter file takes as long as one of these.
const WINDOW: f64 = 30.0;

/// Bytes a second of 16-bit sound, one channel at 48 kHz, and of sound compressed to 128 kbit/s.
const PCM_RATE: f64 = 96_000.0;
const COMPRESSED_RATE: f64 = 16_000.0;

/// The files of a run.
#[derive(Debug)]
pub struct Batch {
    files: Vec<File>,
    /// Since the first file was begun: no other waits for a model to be fetched and loaded.
    begun: Option<Instant>,
}

#[derive(Debug)]
struct File {
    bytes: f64,
    /// In small letters.
    ending: OsString,
    /// How much of it is to be transcribed; none while that is not known.
    seconds: Option<f64>,
}

impl Batch {
    /// A run over these inputs, none of them done.
    pub fn new(inputs: &[Input]) -> Self {
        let files = inputs.iter().map(|input| {
            let bytes = fs::metadata(&input.path).map_or(0, |metadata| metadata.len());
            File::new(&input.path, bytes)
        });
        Batch {
            files: files.collect(),
            begun: None,
        }
    }

    /// Counts an input as one that takes no time, since it is done already, or cannot be.
    pub fn skip(&mut self, index: usize) {
        self.files[index].seconds = Some(0.0);
    }

    /// Begins an input, of which so many seconds are to be transcribed.
    pub fn begin(&mut self, index: usize, seconds: f64) {
        self.files[index].seconds = Some(seconds);
        self.begun.get_or_insert_with(Instant::now);
    }

    /// Time that all files will still take when so much of this one is done, from 0 to 1; none for a single file, and
    /// while nothing is done.
    pub fn time_left(&self, index: usize, fraction: f64) -> Option<Duration> {
        self.time_left_after(index, fraction, self.begun?.elapsed())
    }

    fn time_left_after(&self, index: usize, fraction: f64, elapsed: Duration) -> Option<Duration> {
        if self.files.len() < 2 {
            return None;
        }
        let sum = |files: &[File]| files.iter().map(|file| self.work(file)).sum::<f64>();
        let (before, from) = self.files.split_at_checked(index)?;
        let this = self.work(from.first()?) * fraction.clamp(0.0, 1.0);
        let done = sum(before) + this;
        let left = sum(from) - this;
        Duration::try_from_secs_f64(elapsed.as_secs_f64() * left / done).ok()
    }

    /// What time goes by: the length, or a window's if that is longer.
    fn work(&self, file: &File) -> f64 {
        let seconds = (file.seconds).unwrap_or_else(|| file.bytes / self.bytes_a_second(file));
        match seconds > 0.0 {
            true => seconds.max(WINDOW),
            false => 0.0,
        }
    }

    /// That of the files of the same ending whose lengths are known, else what is usual.
    fn bytes_a_second(&self, file: &File) -> f64 {
        let known = (self.files.iter()).filter(|other| other.ending == file.ending);
        let (bytes, seconds) = known
            .filter_map(|other| Some((other.bytes, other.seconds.filter(|&s| s > 0.0)?)))
            .fold((0.0, 0.0), |sums, one| (sums.0 + one.0, sums.1 + one.1));
        if bytes > 0.0 {
            return bytes / seconds;
        }
        match file.ending.to_str() {
            Some("wav" | "aif" | "aiff" | "flac" | "caf") => PCM_RATE,
            _ => COMPRESSED_RATE,
        }
    }
}

impl File {
    fn new(path: &Path, bytes: u64) -> Self {
        File {
            bytes: bytes as f64,
            ending: (path.extension().unwrap_or_default()).to_ascii_lowercase(),
            seconds: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(files: &[(&str, u64)]) -> Batch {
        let files = (files.iter()).map(|(name, bytes)| File::new(Path::new(name), *bytes));
        Batch {
            files: files.collect(),
            begun: None,
        }
    }

    /// In whole seconds, ten of which have passed.
    fn left(batch: &Batch, index: usize, fraction: f64) -> Option<u64> {
        let left = batch.time_left_after(index, fraction, Duration::from_secs(10));
        left.map(|left| left.as_secs())
    }

    #[test]
    fn time_left_goes_by_length() {
        let mut batch = batch(&[
            ("a.mp3", 1_000_000),
            ("b.MP3", 3_000_000),
            ("c.mp3", 4_000_000),
        ]);
        batch.begin(0, 100.0);
        assert_eq!(left(&batch, 0, 0.0), None);
        assert_eq!(left(&batch, 0, 1.0), Some(70));
        batch.begin(1, 300.0);
        assert_eq!(left(&batch, 1, 0.5), Some(22));
        assert_eq!(left(&batch, 2, 1.0), Some(0));
        batch.skip(1);
        assert_eq!(left(&batch, 0, 1.0), Some(40));
        batch.files.truncate(1);
        assert_eq!(left(&batch, 0, 0.5), None);
    }

    #[test]
    fn a_short_compressed_file_says_little_of_long_ones_that_are_not() {
        // 2 s behind which come 100 s, of as many bytes a second as are usual.
        let mut batch = batch(&[("a.mp3", 9_000), ("b.wav", 9_600_000)]);
        batch.begin(0, 2.0);
        assert_eq!(left(&batch, 0, 1.0), Some(33));
        // The second is known to be 300 s long once it is opened.
        batch.begin(1, 300.0);
        assert_eq!(left(&batch, 0, 1.0), Some(100));
    }

    #[test]
    fn what_has_no_size_is_no_work() {
        let mut batch = batch(&[("a.wav", 960_000), ("-", 0)]);
        batch.begin(0, 60.0);
        assert_eq!(left(&batch, 0, 1.0), Some(0));
    }
}
