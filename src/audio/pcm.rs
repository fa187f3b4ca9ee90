//! Where decoded samples are kept: in memory, or in an anonymous temporary file when there are many.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};

use super::SAMPLE_RATE;

/// Audio longer than this is kept in a temporary file: ten minutes, 19.2 MB of 16-bit samples.
pub(super) const SAMPLES_IN_MEMORY: usize = 600 * SAMPLE_RATE;

const BYTES_PER_SAMPLE: usize = size_of::<i16>();

/// Takes samples one after the other; more than a limit of them go to a temporary file.
pub(super) struct PcmWriter {
    limit: usize,
    memory: Vec<i16>,
    file: Option<BufWriter<File>>,
    len: usize,
}

/// Samples that were written.
#[derive(Debug)]
pub(super) enum PcmStore {
    Memory(Vec<i16>),
    File { file: Mutex<File>, len: usize },
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

impl PcmStore {
    pub(super) fn len(&self) -> usize {
        match self {
            PcmStore::Memory(samples) => samples.len(),
            PcmStore::File { len, .. } => *len,
        }
    }

    /// Reads `out.len()` samples from `start` on, divided by 32768; those past the end are 0.
    pub(super) fn read(&self, start: usize, out: &mut [f32]) -> Result<()> {
        let count = self.len().saturating_sub(start).min(out.len());
        let (head, tail) = out.split_at_mut(count);
        tail.fill(0.0);
        match self {
            PcmStore::Memory(samples) => {
                to_f32(samples.get(start..start + count).unwrap_or_default(), head)
            }
            PcmStore::File { file, .. } if count > 0 => {
                let mut pcm = vec![0i16; count];
                // A panic elsewhere while the lock was held leaves nothing half done: the position is
                // set anew by every read.
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start((start * BYTES_PER_SAMPLE) as u64))
                    .map_err(temporary_file_error)?;
                file.read_exact(bytemuck::cast_slice_mut(&mut pcm))
                    .map_err(temporary_file_error)?;
                drop(file);
                to_f32(&pcm, head);
            }
            PcmStore::File { .. } => {}
        }
        Ok(())
    }
}

/// openai divides 16-bit samples by 32768 (`audio.py:62`).
fn to_f32(pcm: &[i16], out: &mut [f32]) {
    for (out, &sample) in out.iter_mut().zip(pcm) {
        *out = f32::from(sample) / 32768.0;
    }
}

/// The temporary file is anonymous, so the folder that holds it stands for it in messages.
pub(super) fn temporary_file_error(source: std::io::Error) -> Error {
    let hint = if cfg!(windows) { "TMP" } else { "TMPDIR" };
    let message =
        format!("{source}; long recordings are kept here meanwhile, {hint} names another folder");
    Error::Io {
        path: std::env::temp_dir(),
        source: std::io::Error::new(source.kind(), message),
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

    #[test]
    fn the_extremes_map_to_the_unit_range() {
        let store = written(10, &[i16::MIN, 0, i16::MAX]);
        let mut out = [0.0; 3];
        store.read(0, &mut out).unwrap();
        assert_eq!(out, [-1.0, 0.0, 32767.0 / 32768.0]);
    }
}
