//! Decoded samples on their way to where they are kept.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::Mutex;

use crate::audio::SAMPLE_RATE;
use crate::audio::pcm::{PcmStore, temporary_file_error};
use crate::error::Result;

/// Audio longer than this is kept in a temporary file: ten minutes, 19.2 MB of 16-bit samples.
pub(super) const SAMPLES_IN_MEMORY: usize = 600 * SAMPLE_RATE;

/// Takes samples one after the other; more than a limit of them go to a temporary file.
pub(super) struct PcmWriter {
    limit: usize,
    memory: Vec<i16>,
    file: Option<BufWriter<File>>,
    len: usize,
}

impl PcmWriter {
    /// A writer that keeps up to `limit` samples in memory.
    pub(super) fn new(limit: usize) -> PcmWriter {
        PcmWriter {
            limit,
            memory: Vec::new(),
            file: None,
            len: 0,
        }
    }

    pub(super) fn push(&mut self, samples: &[i16]) -> Result<()> {
        self.len += samples.len();
        if self.file.is_none() && self.len > self.limit {
            let mut file = BufWriter::with_capacity(
                1 << 18,
                tempfile::tempfile().map_err(temporary_file_error)?,
            );
            file.write_all(bytemuck::cast_slice(&self.memory))
                .map_err(temporary_file_error)?;
            self.memory = Vec::new();
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file
                .write_all(bytemuck::cast_slice(samples))
                .map_err(temporary_file_error)?,
            None => self.memory.extend_from_slice(samples),
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<PcmStore> {
        match self.file {
            None => Ok(PcmStore::Memory(self.memory)),
            Some(file) => {
                let file = file
                    .into_inner()
                    .map_err(|error| temporary_file_error(error.into_error()))?;
                Ok(PcmStore::File {
                    file: Mutex::new(file),
                    len: self.len,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(count: usize) -> Vec<i16> {
        (0..count).map(|i| (i as i16).wrapping_mul(7)).collect()
    }

    fn written(limit: usize, samples: &[i16]) -> PcmStore {
        let mut writer = PcmWriter::new(limit);
        for chunk in samples.chunks(37) {
            writer.push(chunk).unwrap();
        }
        writer.finish().unwrap()
    }

    #[test]
    fn memory_and_file_read_the_same() {
        let samples = ramp(1000);
        let memory = written(1000, &samples);
        let file = written(999, &samples);
        assert!(matches!(memory, PcmStore::Memory(_)));
        assert!(matches!(file, PcmStore::File { len: 1000, .. }));
        for (start, count) in [
            (0, 1000),
            (0, 1),
            (999, 1),
            (500, 600),
            (1000, 5),
            (5000, 5),
            (3, 0),
        ] {
            let (mut a, mut b) = (vec![9.0; count], vec![9.0; count]);
            memory.read(start, &mut a).unwrap();
            file.read(start, &mut b).unwrap();
            let expected: Vec<f32> = (start..start + count)
                .map(|i| samples.get(i).map_or(0.0, |&s| f32::from(s) / 32768.0))
                .collect();
            assert_eq!(a, expected, "memory from {start}");
            assert_eq!(b, expected, "file from {start}");
        }
    }
}
