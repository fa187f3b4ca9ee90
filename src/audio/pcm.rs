//! Where 16-bit samples are kept: in memory, or in an anonymous temporary file when there are many.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};

const BYTES_PER_SAMPLE: usize = size_of::<i16>();

/// 16-bit samples.
#[derive(Debug)]
pub(super) enum PcmStore {
    Memory(Vec<i16>),
    File { file: Mutex<File>, len: usize },
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

    #[test]
    fn the_extremes_map_to_the_unit_range() {
        let store = PcmStore::Memory(vec![i16::MIN, 0, i16::MAX]);
        let mut out = [0.0; 3];
        store.read(0, &mut out).unwrap();
        assert_eq!(out, [-1.0, 0.0, 32767.0 / 32768.0]);
    }
}
